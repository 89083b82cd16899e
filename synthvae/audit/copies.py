"""Rows, rare combinations and made-up values that come back, against what strangers' rows give.

All looks are at values that stand once in the real tables together (those of keys: as often, all on
one side), so that a training row and a holdout row differ in nothing but what the generator saw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Any

import numpy as np
import pandas as pd

from synthvae.audit.cells import cell_hashes, summed
from synthvae.audit.hashing import Hashes, column_hash, counts_of, rows_hash
from synthvae.audit.records import Excess, Rate
from synthvae.audit.shares import excess, rate
from synthvae.audit.sides import Pool, Tables
from synthvae.evaluation.stats import Bools, Floats, Ints, pick
from synthvae.seeds import stream

RELEASED_ROWS = 1_000_000
COMBINATIONS = 200
SHOWN = 50
_BINS = 10
_PAIRS_FIRST = 1e6
_MANY = 10_000


@dataclass(frozen=True)
class Copies:
    """What came back, and `shown`: real rows by kind of finding, for the restricted record."""

    compared: tuple[Excess, ...]
    reused: tuple[Excess, ...]
    shown: Mapping[str, Sequence[Mapping[str, Any]]]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """Which real and holdout rows could have come back (`asked`) and which did (`back`)."""

    asked: tuple[Bools, Bools]
    back: tuple[Bools, Bools]

    def rates(self) -> tuple[Rate, Rate]:
        training, control = (
            rate(int((back & asked).sum()), int(asked.sum()))
            for asked, back in zip(self.asked, self.back, strict=True)
        )
        return training, control


def copies(tables: Tables, pool: Pool, seed: int) -> Copies:
    """Copies of rows in the compared columns, and of values in all others."""
    released = pick(tables.released(), RELEASED_ROWS, stream(seed, "audit", "copies"))
    columns = list(tables.compared)
    real = tables.real[columns], tables.holdout[columns]
    once = pool.once["real"], pool.once["holdout"]
    exact = exact_copies(real, released[columns], once)
    findings = {"exact copies": exact}
    if len(columns) > 2:
        findings["near copies"] = near_copies(real, released[columns], once, exact)
    if len(columns) > 1:
        findings["rare combinations"] = rare_combinations(real, released[columns], seed)
    records = [
        excess(name, *found.rates(), tables.compared, seed) for name, found in findings.items()
    ]
    reused, notes = [], []
    total = len(tables.synthetic) + (0 if tables.more is None else len(tables.more))
    if len(released) < total:
        notes.append(f"copies were looked for in {len(released):,} of {total:,} released rows")
    for name, kind in tables.made_up.items():
        if not any(each[name].notna().any() for each in (tables.real, tables.holdout)):
            notes.append(f"'{name}' ({kind}) has no value: nothing to copy")
            continue
        found = reuse(tables, released, name)
        if not (found.asked[0].any() and found.asked[1].any()):
            notes.append(
                f"'{name}' ({kind}) has no values that stand as often, some in real and others in "
                "holdout rows alone: not checked, and open"
            )
        findings[f"reused: {name}"] = found
        reused.append(excess("reused values", *found.rates(), (name,), seed))
    shown = {name: _shown(tables.real, found) for name, found in findings.items()}
    return Copies(tuple(records), tuple(reused), shown, tuple(notes))


def exact_copies(
    real: tuple[pd.DataFrame, pd.DataFrame], released: pd.DataFrame, once: tuple[Bools, Bools]
) -> Finding:
    """Rows that are released with every value as it was."""
    written = rows_hash(released)
    back = tuple(counts_of(rows_hash(each), written) > 0 for each in real)
    return Finding(once, (back[0], back[1]))


def near_copies(
    real: tuple[pd.DataFrame, pd.DataFrame],
    released: pd.DataFrame,
    once: tuple[Bools, Bools],
    exact: Finding,
) -> Finding:
    """Rows that are released with all values but one.

    Asked are rows that are no exact copies and that, for some column, stand alone in all others.
    """
    totals = [rows_hash(each) for each in (*real, released)]
    asked = [np.zeros(len(each), bool) for each in real]
    back = [np.zeros(len(each), bool) for each in real]
    for name in released:
        ours, theirs, written = (
            total - column_hash(each[name], str(name))
            for total, each in zip(totals, (*real, released), strict=True)
        )
        both = np.concatenate([ours, theirs])
        for at, keys in enumerate((ours, theirs)):
            alone = (counts_of(keys, both) == 1) & once[at] & ~exact.back[at]
            asked[at] |= alone
            back[at] |= alone & (counts_of(keys, written) > 0)
    return Finding((asked[0], asked[1]), (back[0], back[1]))


def rare_combinations(
    real: tuple[pd.DataFrame, pd.DataFrame], released: pd.DataFrame, seed: int
) -> Finding:
    """Pairs of values that one real row holds, or triples where a row has no such pair.

    Of each row the least likely one is looked for, if the values of released rows were
    independent: the less a combination is to be expected, the more it tells that it came back.
    Numbers of many values are taken by tenths, so that what is rare is rare as a combination.
    """
    cells = [cell_hashes(released, each, _BINS) for each in (*real, released)]
    rates = [_log_shares(each, cells[2]) for each in cells[:2]]
    best = [np.full(len(each), -np.inf) for each in real]
    back = [np.zeros(len(each), bool) for each in real]
    for names in _combinations(list(map(str, released)), stream(seed, "audit", "combinations")):
        ours, theirs, written = (summed(each, names) for each in cells)
        both = np.concatenate([ours, theirs])
        for at, keys in enumerate((ours, theirs)):
            surprise = -np.sum([rates[at][name] for name in names], axis=0)
            surprise += _PAIRS_FIRST * (len(names) == 2)
            taken = (counts_of(keys, both) == 1) & (surprise > best[at])
            best[at][taken] = surprise[taken]
            back[at][taken] = counts_of(keys[taken], written) > 0
    return Finding((best[0] > -np.inf, best[1] > -np.inf), (back[0], back[1]))


def _log_shares(cells: Mapping[str, Hashes], released: Mapping[str, Hashes]) -> dict[str, Floats]:
    """How common each row's cell is among released rows, by column."""
    rows = len(next(iter(released.values())))
    return {
        name: np.log((counts_of(keys, released[name]) + 0.5) / (rows + 1))
        for name, keys in cells.items()
    }


def _combinations(names: list[str], rng: np.random.Generator) -> list[tuple[str, ...]]:
    """At most COMBINATIONS pairs of columns and as many triples."""
    found: list[tuple[str, ...]] = []
    for size in (2, 3):
        every = list(islice(combinations(rng.permutation(names).tolist(), size), _MANY))
        found += [every[at] for at in rng.permutation(len(every))[:COMBINATIONS]]
    return found


def reuse(tables: Tables, released: pd.DataFrame, name: str) -> Finding:
    """Values of a column that is to be made up, of those that are all on one side; each is asked
    for once, by its first row.

    Common values come back by chance, and more of them are in the larger table alone: so only those
    count that stand as often, once in most tables, twice in one of two rows a customer.
    """
    keys: list[Hashes] = [column_hash(each[name], name) for each in (tables.real, tables.holdout)]
    written = column_hash(released[name], name)
    both = np.concatenate(keys)
    often = []
    for each, table in zip(keys, (tables.real, tables.holdout), strict=True):
        rows = counts_of(each, both)
        first = np.zeros(len(each), bool)
        first[np.unique(each, return_index=True)[1]] = True
        one_sided = first & (counts_of(each, each) == rows) & table[name].notna().to_numpy()
        often.append(np.where(one_sided, rows, 0))
    best = _most_values(*often)
    back = [counts_of(each, written) > 0 for each in keys]
    return Finding((often[0] == best, often[1] == best), (back[0], back[1]))


def _most_values(real: Ints, holdout: Ints) -> int:
    """How often values stand of which both sides have most; -1 if there are none such."""
    shared = np.intersect1d(real[real > 0], holdout[holdout > 0])
    values = [min((real == rows).sum(), (holdout == rows).sum()) for rows in shared]
    return int(shared[np.argmax(values)]) if values else -1


def _shown(real: pd.DataFrame, found: Finding) -> list[dict[str, Any]]:
    """The first of the training rows that came back."""
    places = np.flatnonzero(found.asked[0] & found.back[0])[:SHOWN]
    rows = real.iloc[places].to_dict("records")
    return [
        {**{str(name): value for name, value in row.items()}, "row": int(at)}
        for at, row in zip(places, rows, strict=True)
    ]
