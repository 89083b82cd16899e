"""Which rows and columns an audit looks at, so that members and others differ in nothing else.

A row's target value of membership is only defined if it stands once: rows whose values occur more
than once in the real tables together are left out on both sides. (To remove only rows that stand
in both tables would leave rarer rows in the smaller table, and tell the sides apart by itself.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthvae.audit.hashing import counts_of, rows_hash
from synthvae.audit.records import RowScores
from synthvae.errors import Problems, TableError
from synthvae.evaluation.stats import Bools, Ints, is_number
from synthvae.seeds import stream

COMPARED = ("numerical", "categorical", "boolean", "datetime")
LEAST = 20
NEARLY_UNIQUE = 0.9


@dataclass(frozen=True)
class Effort:
    """How many rows are looked at; what is left out is drawn at random, and the notes say so."""

    rows: int = 4_000  # on each side of each half
    released: int = 40_000  # of the synthetic rows, in the attacks
    more: int = 120_000  # of the larger table
    targets: int = 4_000  # on each side, in the disclosure attacks
    trees: int = 60
    deals: int = 1_999  # of a permutation test


@dataclass(frozen=True)
class Tables:
    """The frames, and what their columns are for."""

    real: pd.DataFrame
    holdout: pd.DataFrame
    synthetic: pd.DataFrame
    more: pd.DataFrame | None
    compared: tuple[str, ...]
    made_up: Mapping[str, str]  # columns that are not compared: keys, personal data, free text

    def released(self) -> pd.DataFrame:
        """All rows that will be released at most."""
        if self.more is None:
            return self.synthetic
        return pd.concat([self.synthetic, self.more], ignore_index=True)


@dataclass(frozen=True)
class Pool:
    """Rows under attack: `place` [n] in their own table, `member` [n], `second` [n] half.

    Attacks are chosen on the first half and tested on the second. `once`: for each table, which
    rows have values that no other real row has.
    """

    place: Ints
    member: Bools
    second: Bools
    once: Mapping[str, Bools]
    in_both: int

    def frame(self, tables: Tables) -> pd.DataFrame:
        """The rows [n] in the compared columns, members first."""
        columns = list(tables.compared)
        ours = tables.real[columns].iloc[self.place[self.member]]
        theirs = tables.holdout[columns].iloc[self.place[~self.member]]
        return pd.concat([ours, theirs], ignore_index=True)


def tables_of(
    real: pd.DataFrame,
    holdout: pd.DataFrame,
    synthetic: pd.DataFrame,
    more: pd.DataFrame | None,
    sdtypes: Mapping[str, str] | None,
) -> Tables:
    """The tables with their columns sorted out. TableError with every reason why not."""
    problems = Problems()
    frames = {"real": real, "holdout": holdout, "synthetic": synthetic}
    if more is not None:
        frames["larger synthetic"] = more
    for label, frame in frames.items():
        _check(real, label, frame, problems)
    kinds = {str(name): str(kind) for name, kind in (sdtypes or _guess(real)).items()}
    for name in kinds:
        if name not in real:
            problems.add(
                f"a kind is given for columns of the real table, but it has no column '{name}'; "
                "leave it out"
            )
    compared = tuple(n for n in map(str, real) if kinds.get(n) in COMPARED)
    if not compared:
        problems.add(
            "an audit compares numbers, dates, categories or booleans, but no column is one; "
            "give the columns' kinds"
        )
    problems.raise_as(TableError)
    more = None if more is None else _plain(more)
    real, holdout, synthetic = (_plain(frame) for frame in (real, holdout, synthetic))
    made_up = {n: kinds.get(n, "unknown") for n in map(str, real) if n not in compared}
    return Tables(real, holdout, synthetic, more, compared, made_up)


def _check(real: pd.DataFrame, label: str, frame: pd.DataFrame, problems: Problems) -> None:
    if len(frame) < LEAST:
        problems.add(
            f"an audit needs at least {LEAST} rows of every table, but the {label} table has "
            f"{len(frame)}; give it more rows"
        )
    for name in real:
        if name not in frame:
            problems.add(
                f"all tables have the columns of the real one, but the {label} table has no column "
                f"'{name}'; add it, or leave it out of the real table"
            )
        elif is_number(frame[name]) != is_number(real[name]):
            problems.add(
                f"a column is a number in all tables or in none, but '{name}' of the {label} table "
                "differs from the real one; read both with the same types"
            )


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """float64 or text with None, whatever pandas held (booleans, moments, categories, Int64)."""
    columns = {}
    for name in frame:
        column = frame[name]
        if is_number(column):
            columns[str(name)] = column.to_numpy(np.float64, na_value=np.nan)
            continue
        values = column.astype(object)
        if pd.api.types.infer_dtype(values, skipna=True) != "string":
            values = values.map(str, na_action="ignore")
        columns[str(name)] = values.where(values.notna(), None).to_numpy(object)
    return pd.DataFrame(columns)


def _guess(real: pd.DataFrame) -> dict[str, str]:
    """Numbers are numbers, nearly unique text is a key, other text is a category."""
    kinds = {}
    for name in real:
        known = real[name].dropna()
        unique = known.nunique() > NEARLY_UNIQUE * len(known)
        text = "id" if unique else "categorical"
        kinds[str(name)] = "numerical" if is_number(real[name]) else text
    return kinds


def pool_of(tables: Tables, scores: Mapping[str, RowScores], effort: Effort, seed: int) -> Pool:
    """The rows to attack, as many from each side in each half as there are and `effort` allows.

    Rows that were scored come first, so that few scores are not wasted. TableError if hardly any
    row stands once.
    """
    columns = list(tables.compared)
    hashes = [rows_hash(table[columns]) for table in (tables.real, tables.holdout)]
    both = np.concatenate(hashes)
    once = np.split(counts_of(both, both) == 1, [len(hashes[0])])
    problems = Problems()
    for label, alone in zip(("real", "holdout"), once, strict=True):
        if alone.sum() < LEAST:
            problems.add(
                f"an audit attacks rows that stand once in both tables together, at least {LEAST} "
                f"a side, but {alone.sum()} of the {len(alone):,} {label} rows do; give rows with "
                "more columns, or finer ones, and for a holdout rows that the table does not hold"
            )
    problems.raise_as(TableError)
    in_both = int((counts_of(hashes[1], hashes[0]) > 0).sum())
    rng = stream(seed, "audit", "pool")
    places, halves = [], []
    for alone, scored in zip(once, _scored(tables, scores), strict=True):
        order = rng.permutation(np.flatnonzero(alone))
        chosen = order[np.argsort(~scored[order], kind="stable")][: 2 * effort.rows]
        places.append(chosen)
        halves.append(np.arange(len(chosen)) % 2 == 1)
    member = np.repeat([True, False], [len(places[0]), len(places[1])])
    return Pool(
        np.concatenate(places),
        member,
        np.concatenate(halves),
        {"real": once[0], "holdout": once[1]},
        in_both,
    )


def _scored(tables: Tables, scores: Mapping[str, RowScores]) -> tuple[Bools, Bools]:
    """Real and holdout rows that all who have the model gave a score."""
    real, holdout = (np.ones(len(each), bool) for each in (tables.real, tables.holdout))
    for given in scores.values():
        real &= np.isfinite(given.real).reshape(len(real), -1).all(axis=1)
        holdout &= np.isfinite(given.holdout).reshape(len(holdout), -1).all(axis=1)
    return real, holdout
