"""Bounds, places, categories and spellings that are found hold the bulk of the data."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from synthvae.marginals.discover import asks, discovered
from synthvae.marginals.domain import BOOLEANS, Declared
from synthvae.schema import MISSING

MakeLedger = Callable[..., Any]
RNG = np.random.default_rng(2)


def find(
    ledger: Any, make_column: Any, texts: Any, sdtype: str = "numerical", **known: Any
) -> Declared:
    column = Declared("c", sdtype, MISSING, **known)
    data = make_column(list(texts))
    return discovered(ledger, column, data, 0.05, ledger.key_delta_left)


@pytest.fixture(params=[0.0, 1.0], ids=["silence", "noise"])
def ledger(request: pytest.FixtureRequest, make_ledger: MakeLedger) -> Any:
    return make_ledger(3.0, scale=request.param)


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        (RNG.uniform(-3, 3, 3000), -4, 4),
        (RNG.uniform(100, 120, 3000), 64, 128),
        (-RNG.uniform(100, 120, 3000), -128, -64),
        (RNG.choice([0.0, 1.0], 3000), 0, 1),
        (RNG.choice([0.0, 64.0], 3000), 0, 64),
        (RNG.uniform(0.001, 0.0019, 3000), 2**-10, 2**-9),
        (RNG.choice([1e30, -1e30], 3000), -(2**62), 2**62),
    ],
)
def test_bounds_are_the_nearest_powers_of_two(
    values: Any, low: float, high: float, ledger: Any, make_column: Any
) -> None:
    found = find(ledger, make_column, [f"{v:.6f}" for v in values], places=2)
    assert (found.low, found.high) == (low, high)


def test_bounds_hold_the_bulk_of_a_bell(ledger: Any, make_column: Any) -> None:
    values = RNG.normal(50, 10, 3000)
    found = find(ledger, make_column, [f"{v:.6f}" for v in values], places=2)
    assert ((values >= found.low) & (values <= found.high)).mean() > 0.97


def test_few_rows_far_away_move_no_bound(ledger: Any, make_column: Any) -> None:
    """What is found stands out from noise that was announced, drawn or not."""
    texts = [*(str(v) for v in RNG.integers(10, 30, 3000)), "1000000000", "-5000000", "inf", "x"]
    found = find(ledger, make_column, texts, places=0)
    assert (found.low, found.high) == (8.0, 32.0)


def test_noise_alone_sets_no_end(make_ledger: MakeLedger, make_column: Any) -> None:
    """At four deviations one fit in a hundred found an end where there is nothing."""
    data = make_column([str(i % 100) for i in range(2000)])
    for _ in range(400):
        column = Declared("c", "numerical", MISSING, places=0)
        ledger = make_ledger(3.0, scale=1.0)
        found = discovered(ledger, column, data, 0.05, ledger.key_delta_left)
        assert found.low is not None
        assert found.low >= 0
        assert found.high in (64, 128)


def test_codes_for_missing_are_no_numbers(ledger: Any, make_column: Any) -> None:
    column = Declared("c", "numerical", MISSING | {"-999.25"})
    data = make_column([*(str(i % 100) for i in range(9000)), *["-999.25"] * 4000])
    found = discovered(ledger, column, data, 0.05, ledger.key_delta_left)
    assert found.low is not None
    assert (found.low >= 0, found.high, found.places) == (True, 128, 0)


def test_nothing_to_be_found_is_between_0_and_1(ledger: Any, make_column: Any) -> None:
    for texts in (["NA"] * 50, ["x"], []):
        found = find(ledger, make_column, texts)
        assert (found.low, found.high, found.places) == (0.0, 1.0, 0)


@pytest.mark.parametrize(("low", "high"), [(None, 5.0), (50.0, None), (200.0, None)])
def test_a_bound_that_is_declared_stays(
    low: float | None, high: float | None, ledger: Any, make_column: Any
) -> None:
    texts = RNG.integers(90, 110, 3000).astype(str)
    found = find(ledger, make_column, texts, places=0, low=low, high=high)
    assert found.low == (64.0 if low is None else low)
    assert found.high == max(128.0 if high is None else high, found.low)


@pytest.mark.parametrize(
    ("texts", "places"),
    [
        (["1", "2", "30"], 0),
        (["1.0", "2.00", "3."], 0),
        (["1.5", "2", "2.25"], 2),
        (["0.123456789"], 6),
        ([*["2.5"] * 300, "2.123"], 1),
    ],
)
def test_places_are_those_that_nearly_all_do_with(
    texts: list[str], places: int, ledger: Any, make_column: Any
) -> None:
    assert find(ledger, make_column, texts * 1000, low=0.0, high=9.0).places == places


def test_categories_that_many_rows_have_are_found(ledger: Any, make_column: Any) -> None:
    texts = ["often"] * 900 + ["also"] * 600 + ["NA"] * 500 + [f"once {i}" for i in range(500)]
    found = find(ledger, make_column, texts, "categorical")
    assert found.levels == ("also", "often")
    assert [a.kind for a in ledger.asked] == ["keys"]
    assert "NA" not in ledger.asked[0].counts


@pytest.mark.parametrize(
    ("texts", "levels"),
    [
        (["Yes", "No", "No"], {"Yes", "No"}),
        (["t", "f"], {"t", "f"}),
        (["1", "0", "0"], {"1", "0"}),
        (["TRUE", ""], {"TRUE"}),
    ],
)
def test_booleans_are_spelled_as_the_table_does(
    texts: list[str], levels: set[str], ledger: Any, make_column: Any
) -> None:
    assert set(find(ledger, make_column, texts * 300, "boolean").levels) == levels


def test_a_boolean_of_no_known_spelling_has_one(ledger: Any, make_column: Any) -> None:
    (level,) = find(ledger, make_column, ["si", "no es"] * 300, "boolean").levels
    assert level in BOOLEANS


@pytest.mark.parametrize(
    ("column", "questions"),
    [
        (Declared("c", "categorical", MISSING), 1),
        (Declared("c", "categorical", MISSING, ("a",)), 0),
        (Declared("c", "boolean", MISSING), 1),
        (Declared("c", "numerical", MISSING), 2),
        (Declared("c", "numerical", MISSING, None, 0.0), 2),
        (Declared("c", "numerical", MISSING, None, 0.0, 1.0), 1),
        (Declared("c", "numerical", MISSING, None, 0.0, None, 2), 1),
        (Declared("c", "datetime", MISSING, None, 0.0, 1.0, 0, "%Y"), 0),
        (Declared("c", "id", MISSING), 0),
    ],
)
def test_as_much_is_asked_as_is_announced(
    column: Declared, questions: int, ledger: Any, make_column: Any
) -> None:
    assert asks(column) == questions
    found = discovered(ledger, column, make_column(["1", "2"]), 0.05, ledger.key_delta_left)
    assert len(ledger.asked) == questions
    assert asks(found) == 0
    assert ledger.spent == pytest.approx(0.05 * questions)
    assert {a.sensitivity for a in ledger.asked} <= {1.0}


ODD = ["1e400", "-inf", "1e-400", "x", "", "NA", "T", "true", "0.7777777777", "-4096", "0", "3,5"]


@pytest.mark.parametrize("sdtype", ["numerical", "boolean", "categorical"])
@pytest.mark.parametrize("text", ODD)
def test_one_row_more_moves_each_release_by_one_at_most(
    text: str, sdtype: str, make_ledger: MakeLedger, make_door: Any, make_column: Any
) -> None:
    texts = ["1", "2.5", "yes", "no"] * 50
    first = make_ledger(3.0, scale=1.0)
    find(first, make_column, texts, sdtype)
    second = make_door(first.budget, 0.1, first)
    find(second, make_column, [text, *texts], sdtype)
    for before, after in zip(first.asked, second.asked, strict=True):
        assert before.public == after.public
        if before.kind == "keys":
            names = {*before.counts, *after.counts}
            moved = [after.counts.get(n, 0) - before.counts.get(n, 0) for n in names]
        else:
            moved = after.counts - before.counts
        assert np.linalg.norm(moved) <= 1
