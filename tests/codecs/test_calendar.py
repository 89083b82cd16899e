"""Moments by the calendar: every part comes back, and dates that are drawn exist."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthvae.codecs import calendar
from synthvae.codecs.allowed import ValueSet
from synthvae.codecs.calendar import CalendarCodec, _day_of, _iso
from synthvae.codecs.parts import Draw
from synthvae.codecs.quantiles import QuantilesCodec
from synthvae.layout import Encoded

Fit = Callable[..., Any]


@pytest.fixture(autouse=True)
def few_rows_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendar, "ROWS_PER_CLASS", 1)


def texts_of(moments: Any, format: str) -> list[str]:
    return [str(text) for text in pd.DatetimeIndex(moments).strftime(format)]


def drawn(seed: int, rows: int, start: str, days: int, step: str) -> pd.DatetimeIndex:
    """Moments on a grid of `step` over `days` days."""
    seconds = np.random.default_rng(seed).integers(0, days * 86_400, rows)
    return pd.DatetimeIndex(np.datetime64(start, "s") + seconds).floor(step)


def fitted(fit: Fit, texts: list[Any], format: str) -> Any:
    return fit(texts, "datetime", numeric="quantiles", datetime_format=format)


@given(st.lists(st.integers(-200_000, 200_000), min_size=1))
def test_iso_years_weeks_and_weekdays_are_those_of_python(days: list[int]) -> None:
    year, week, weekday = _iso(np.array(days))
    for i, day in enumerate(days):
        iso = (date(1970, 1, 1) + timedelta(days=day)).isocalendar()
        assert (year[i], week[i] + 1, weekday[i] + 1) == tuple(iso)
    assert (_day_of(year, week, weekday) == days).all()


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    rows=st.sampled_from([700, 3000]),
    start=st.sampled_from(["1930-03-01", "2013-01-01", "2024-12-28"]),
    days=st.sampled_from([40, 365, 20_000]),
    form=st.sampled_from(
        [
            ("%Y-%m-%dT%H:%M:%SZ", "h"),
            ("%Y-%m-%d %H:%M", "15min"),
            ("%d.%m.%Y %H:%M:%S", "s"),
        ]
    ),
)
def test_what_was_encoded_comes_back(
    seed: int, rows: int, start: str, days: int, form: tuple[str, str], fit: Fit
) -> None:
    format, step = form
    texts = texts_of(drawn(seed, rows, start, days, step), format)
    case = fitted(fit, texts, format)
    assert isinstance(case.one, CalendarCodec)
    low, high = (pd.Timestamp(end, unit="s") for end in case.one.bounds)
    old = pd.to_datetime(pd.Series(texts), format=format).dt.tz_localize(None)
    new = pd.to_datetime(pd.Series(case.decode(case.encode())), format=format)
    assert (new.dt.tz_localize(None) == old.clip(low, high)).all()


def test_only_parts_that_vary_have_blocks(fit: Fit) -> None:
    hours = drawn(1, 3000, "2013-01-01", 365, "h") + pd.Timedelta(minutes=30)
    case = fitted(fit, texts_of(hours, "%Y-%m-%d %H:%M:%S"), "%Y-%m-%d %H:%M:%S")
    assert [block.name.split(":")[1] for block in case.one.blocks] == [
        "year",
        "week",
        "weekday",
        "hour",
    ]
    assert case.one.clock == {"hour": None, "minute": 30, "second": 0}
    told = case.one.describe()
    assert (told["years"], told["always"]) == ([2013, 2014], {"minute": 30, "second": 0})


def test_missing_moments_are_a_class_of_the_year_and_no_moment_elsewhere(fit: Fit) -> None:
    moments = texts_of(drawn(2, 2000, "2019-01-01", 900, "min"), "%Y-%m-%d %H:%M")
    case = fitted(fit, [*moments, *[None] * 300], "%Y-%m-%d %H:%M")
    encoded, blocks = case.encode(), case.one.blocks
    assert (encoded.codes[2000:, 0] == 0).all()
    for at, block in enumerate(blocks[1:], start=1):
        assert (encoded.codes[2000:, at] == block.size - 1).all()
        assert (encoded.codes[:2000, at] < block.size - 1).all()
    assert [text or None for text in case.decode(encoded)[2000:]] == [None] * 300


@pytest.mark.parametrize("seed", range(3))
def test_whatever_classes_are_drawn_the_moment_exists_and_lies_within_bounds(
    seed: int, fit: Fit
) -> None:
    format = "%Y-%m-%d %H:%M:%S"
    case = fitted(fit, texts_of(drawn(seed, 2000, "2018-11-05", 2500, "s"), format), format)
    rng = np.random.default_rng(seed)
    codes = np.stack([rng.integers(0, b.size, 5000) for b in case.one.blocks], axis=1)
    encoded = Encoded(codes.astype(np.int32), np.empty((5000, 0), np.float32))
    new = pd.to_datetime(pd.Series(case.decode(encoded)), format=format)
    low, high = (pd.Timestamp(end, unit="s") for end in case.one.bounds)
    assert new.between(low, high).all()


@pytest.mark.parametrize(
    "span",
    [
        ("2020-02-27", "2020-03-02"),
        ("2018-12-30", "2019-01-02"),
        ("2021-04-20", "2030-01-01"),
        ("1990-01-01", "2030-01-01"),
    ],
)
def test_what_is_allowed_holds_all_that_is_wanted(span: tuple[str, str], fit: Fit) -> None:
    format = "%Y-%m-%d %H:%M"
    texts = texts_of(drawn(5, 20_000, "2018-11-05", 900, "min"), format)
    case = fitted(fit, texts, format)
    ends = [pd.Timestamp(end).timestamp() for end in span]
    allowed = case.one.allow(ValueSet(np.zeros(0, bool), np.array([ends])))
    codes = case.encode().codes
    fits = np.all([a[codes[:, i]] for i, a in enumerate(allowed.classes)], axis=0)
    seconds = np.array([pd.Timestamp(text).timestamp() for text in texts])
    wanted = (seconds >= ends[0]) & (seconds <= ends[1])
    assert wanted.any()
    assert fits[wanted].all()
    assert fits.sum() <= 4 * wanted.sum()  # at New Year both years and both weeks are wanted
    drawn_codes = np.stack(
        [np.random.default_rng(1).integers(0, b.size, 20_000) for b in case.one.blocks], axis=1
    )
    encoded = Encoded(drawn_codes.astype(np.int32), np.empty((20_000, 0), np.float32))
    decoded = np.array([pd.Timestamp(text).timestamp() for text in case.decode(encoded)])
    fits = np.all([a[drawn_codes[:, i]] for i, a in enumerate(allowed.classes)], axis=0)
    assert fits[(decoded >= ends[0]) & (decoded <= ends[1])].all()
    nowhere = case.one.allow(ValueSet(np.zeros(0, bool), np.empty((0, 2))))
    assert not nowhere.possible


@pytest.mark.parametrize(
    ("moments", "format"),
    [
        (pd.date_range("2020-01-01", periods=60).repeat(40), "%Y-%m-%d"),  # few: atoms
        (pd.date_range("1900-01-01", periods=600, freq="MS").repeat(5), "%Y-%m"),  # months
        (drawn(3, 3000, "1900-01-01", 1, "s"), "%H:%M:%S"),  # times of day
        (drawn(3, 50, "2013-01-01", 365, "min"), "%Y-%m-%d %H:%M"),  # too few
        (drawn(3, 3000, "1700-01-01", 150_000, "s"), "%Y-%m-%d %H:%M:%S"),  # centuries
    ],
)
def test_what_is_no_calendar_stays_a_number(moments: Any, format: str, fit: Fit) -> None:
    case = fitted(fit, texts_of(moments, format), format)
    assert isinstance(case.one, QuantilesCodec)


def test_fractions_of_a_second_are_drawn(fit: Fit) -> None:
    rng = np.random.default_rng(0)
    moments = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 10**13, 3000), unit="us")
    texts = texts_of(moments, "%Y-%m-%d %H:%M:%S.%f")
    case = fitted(fit, texts, "%Y-%m-%d %H:%M:%S.%f")
    draw = Draw(0, 0)
    new = case.one.decode(case.encode(), draw, "text").to_pylist()
    assert sum(a[:19] == b[:19] for a, b in zip(texts, new, strict=True)) > 2980
    assert len({text[20:] for text in new}) > 2900
