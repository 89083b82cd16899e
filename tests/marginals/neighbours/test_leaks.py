"""A leak that is planted is noticed, or the neighbours' test would prove nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from synthvae import pipeline
from synthvae.artifact import Artifact
from synthvae.marginals import axes, choosing, discover, engine
from synthvae.marginals.trees import Bins
from synthvae.table import Table
from synthvae.written import numbers_of


@pytest.fixture(autouse=True)
def unlearnt(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is planted shows before anything is learnt from what was drawn."""
    monkeypatch.setattr(
        pipeline, "fit", lambda *_, **__: Artifact({"codec": {}, "training": {}}, {})
    )


def leak_rows(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(engine, "_total", lambda counted: float(len(counted[0].classes)))


def leak_bounds(patch: pytest.MonkeyPatch) -> None:
    honest = discover._bounds

    def bounds(ledger: Any, column: Any, data: Any, share: float) -> tuple[float, float]:
        honest(ledger, column, data, share)
        values = numbers_of(data.levels)
        values = values[np.isfinite(values)]
        return float(values.min()), float(values.max())

    patch.setattr(discover, "_bounds", bounds)


def leak_categories(patch: pytest.MonkeyPatch) -> None:
    honest = discover._levels

    def levels(ledger: Any, column: Any, data: Any, share: float, delta: float) -> Any:
        honest(ledger, column, data, share, delta)
        return tuple(sorted(data.texts))

    patch.setattr(discover, "_levels", levels)


def leak_nulls(patch: pytest.MonkeyPatch) -> None:
    """A class for missing where something is missing."""
    honest = engine._counted

    def counted(axis: Any, data: Any, ledger: Any, share: float) -> Any:
        classes = axis.classes(data)
        if (classes == axis.size - 1).any():
            return honest(axis, data, ledger, share)
        counts = np.bincount(classes, minlength=axis.size - 1)
        noisy = ledger.counts("one-way", axis.name, counts, share)
        sigmas = np.full(axis.size, noisy.sigma)
        return engine._Counted(axis, classes, np.append(noisy.values, 0.0), sigmas)

    patch.setattr(engine, "_counted", counted)


def leak_quantiles(patch: pytest.MonkeyPatch) -> None:
    honest = engine.count_bins

    def bins(*args: Any) -> Bins:
        noisy, index = honest(*args), args[3]
        exact = np.unique(np.quantile(index[index >= 0], [0.2, 0.4, 0.6, 0.8], method="nearest"))
        starts = np.append(0, exact[exact > 0]).astype(np.int64)
        return Bins(starts, noisy.counts[: len(starts) + 1], noisy.sigmas[: len(starts) + 1])

    patch.setattr(engine, "count_bins", bins)


def leak_value(patch: pytest.MonkeyPatch) -> None:
    """What is not known is filled in with a value that stood in the table."""
    honest = axes.CategoryAxis.classes

    def classes(self: Any, column: Any) -> Any:
        if self.name == "declared":
            patch.setattr(axes, "OTHER", column.texts[0])
        return honest(self, column)

    patch.setattr(axes.CategoryAxis, "classes", classes)


def leak_order(patch: pytest.MonkeyPatch) -> None:
    """A column is taken for one of few values as the table has it."""
    honest = engine._one_way

    def one_way(columns: Any, table: Table, ledger: Any, most: float) -> Any:
        order = sorted(columns, key=lambda column: len(table[column.name].texts))
        return honest(order, table, ledger, most)

    patch.setattr(engine, "_one_way", one_way)


def leak_partners(patch: pytest.MonkeyPatch) -> None:
    """The likeliest partners of columns without noise."""
    honest = choosing._likely

    def likely(ledger: Any, scores: Any, *rest: Any) -> Any:
        honest(ledger, scores, *rest)
        return np.sort(np.argsort(-scores)[: 8 + scores.sum() % 7])

    patch.setattr(choosing, "PARTNERS", 2)
    patch.setattr(choosing, "_likely", likely)


def leak_words(patch: pytest.MonkeyPatch) -> None:
    honest = engine._one_way

    def one_way(columns: Any, table: Table, ledger: Any, most: float) -> Any:
        print(f"{len(table):,} rows")
        return honest(columns, table, ledger, most)

    patch.setattr(engine, "_one_way", one_way)


def leak_error(patch: pytest.MonkeyPatch) -> None:
    honest = axes.Ticks.index

    def index(self: Any, column: Any) -> Any:
        if np.isinf(numbers_of(column.levels)).any():
            raise ValueError("a number is finite")
        return honest(self, column)

    patch.setattr(axes.Ticks, "index", index)


TWIN: dict[str, str] = {}  # as row 0 in all
LEAKS = {
    "the number of rows": (leak_rows, TWIN, "claim"),
    "bounds of the data": (leak_bounds, {"found": "1e300"}, "questions"),
    "categories of the data": (leak_categories, {"group": "unheard of"}, "questions"),
    "a class for nulls that are there": (leak_nulls, {"group": ""}, "questions"),
    "bins by exact quantiles": (leak_quantiles, {"bounded": "4999"}, "drawn"),
    "a real value to fill in": (leak_value, {"declared": "secret"}, "drawn"),
    "the number of distinct values": (leak_order, {"group": "unheard of"}, "questions"),
    "pairs by their exact scores": (leak_partners, TWIN, "questions"),
    "words about rows": (leak_words, TWIN, "words"),
    "an error for a value": (leak_error, {"bounded": "1e400"}, "failed"),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_leak_that_is_planted_is_found(
    leak: str, pair: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant, row, shows = LEAKS[leak]
    plant(monkeypatch)
    one, other = pair(row)
    assert shows in one.differences(other)


def test_forms_that_depend_on_other_rows_are_found(
    typed_pair: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "by_value", lambda column, format: column)
    for row in ({"code": 0.5}, {"at": np.datetime64("2020-03-01T10:00:00.5", "ns")}):
        one, other = typed_pair(row)
        assert max(distance / declared for _, distance, declared in one.moves(other)) > 10


def test_a_sensitivity_that_is_too_small_is_found(
    pair: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row is in a cell of each of the 28 pairs of eight columns, and moves as many scores."""
    monkeypatch.setattr(
        choosing, "math", SimpleNamespace(**{**vars(choosing.math), "sqrt": lambda _: 1.0})
    )
    assert moves(pair(TWIN))["scores of pairs"] == (pytest.approx(np.sqrt(28)), 1.0)


def test_a_row_that_counts_twice_is_found(pair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discover, "BOOLEANS", (*discover.BOOLEANS, "T"))
    assert moves(pair({"flag": "T"}))["spelling of flag"] == (pytest.approx(np.sqrt(2)), 1.0)


def moves(fits: Any) -> dict[str, tuple[float, float]]:
    """Of each release: how far the exact counts are apart, and what was declared."""
    one, other = fits
    return {what: (distance, declared) for what, distance, declared in one.moves(other)}
