"""The columns that a model is conditioned on: how often each combination stands in the table, and
rows of them to sample under."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthvae.codecs.bounds import Units, holders
from synthvae.errors import UsageError
from synthvae.layout import Codes, Part

MAX_COMBINATIONS = 4096
MIN_ROWS = 6  # a combination that fewer rows hold is not kept: it would be those rows
MIN_COVERED = 0.5


@dataclass(frozen=True)
class Factor:
    """Some given blocks (positions among the given ones) that are drawn together: their
    combinations `codes` [n, blocks] and the `shares` [n] of each."""

    positions: tuple[int, ...]
    codes: Codes
    shares: NDArray[np.float64]

    def within(self, allowed: Mapping[int, NDArray[np.bool_]]) -> Factor:
        """Only the combinations of which every code is `allowed` [classes], by position."""
        inside = np.ones(len(self.shares), bool)
        for column, position in enumerate(self.positions):
            if position in allowed:
                inside &= allowed[position][self.codes[:, column]]
        return Factor(self.positions, self.codes[inside], self.shares[inside])

    def shares_given(self, fixed: Mapping[int, int]) -> NDArray[np.float64]:
        """The shares [n] among the combinations that agree with `fixed`; of all if none does."""
        agrees = np.ones(len(self.shares), bool)
        for column, position in enumerate(self.positions):
            if position in fixed:
                agrees &= self.codes[:, column] == fixed[position]
        shares = np.where(agrees, self.shares, 0.0) if agrees.any() else self.shares
        normalised: NDArray[np.float64] = shares / shares.sum()
        return normalised


@dataclass(frozen=True)
class Conditions:
    """Independent factors: one, if few combinations cover most rows, else one a column."""

    factors: tuple[Factor, ...]
    width: int

    @staticmethod
    def fit(codes: Codes, columns: Sequence[str], units: Units = None) -> Conditions:
        """From the given codes [N, blocks]; `columns` names the column of each block, and `units`
        [N] say whose each row is, if rows of one count once."""
        whole = tuple(range(len(columns)))
        if not columns:
            return Conditions((), 0)
        joint, covered = _factor(codes, whole, units)
        if covered >= MIN_COVERED and len(joint.shares) <= MAX_COMBINATIONS:
            return Conditions((joint,), len(columns))
        apart = [
            _factor(codes, tuple(i for i in whole if columns[i] == name), units)[0]
            for name in dict.fromkeys(columns)
        ]
        return Conditions(tuple(apart), len(columns))

    def within(self, allowed: Mapping[int, NDArray[np.bool_]]) -> Conditions:
        """Only combinations whose codes are `allowed`. UsageError if one factor has none."""
        factors = tuple(factor.within(allowed) for factor in self.factors)
        if not all(len(factor.shares) for factor in factors):
            raise UsageError(
                f"a combination of given columns is drawn if {MIN_ROWS} rows of the table held it, "
                "but of those that meet the condition none was; give values with --given instead"
            )
        return Conditions(factors, self.width)

    def draw(
        self, rng: np.random.Generator, rows: int, fixed: Mapping[int, int] | None = None
    ) -> Codes:
        """Codes [rows, blocks], as often as in the training table; `fixed` gives the code of some
        blocks, and the others follow from it where the table had that combination."""
        fixed = fixed or {}
        out = np.empty((rows, self.width), np.int32)
        for factor in self.factors:
            shares = factor.shares_given(fixed)
            index = rng.choice(len(shares), rows, p=shares)
            out[:, list(factor.positions)] = factor.codes[index]
        for position, code in fixed.items():
            out[:, position] = code
        return out

    def to_json(self) -> list[dict[str, Any]]:
        return [
            {
                "positions": list(factor.positions),
                "codes": factor.codes.tolist(),
                "shares": factor.shares.tolist(),
            }
            for factor in self.factors
        ]

    @staticmethod
    def from_json(data: Sequence[Mapping[str, Any]]) -> Conditions:
        factors = tuple(
            Factor(tuple(f["positions"]), np.array(f["codes"], np.int32), np.array(f["shares"]))
            for f in data
        )
        return Conditions(factors, sum(len(factor.positions) for factor in factors))


def _factor(codes: Codes, positions: tuple[int, ...], units: Units) -> tuple[Factor, float]:
    """The factor of the combinations that enough rows hold, and the share of rows it covers. If
    there is none, those of levels that enough rows hold; and if there is none either, as in tables
    of few rows, all. They are as likely then: how many rows each has is not kept."""
    own = codes[:, list(positions)]
    combinations, index, counts = np.unique(own, axis=0, return_inverse=True, return_counts=True)
    common = holders(index.reshape(-1).astype(np.int32), len(counts), units) >= MIN_ROWS
    covered = float(counts[common].sum() / counts.sum())
    if not common.any():
        common, counts = _of_common(own, combinations, units), np.ones_like(counts)
    if not common.any():
        common = ~common
    kept = counts[common] / counts[common].sum()
    return Factor(positions, combinations[common].astype(np.int32), kept), covered


def _of_common(own: Codes, combinations: Codes, units: Units) -> NDArray[np.bool_]:
    """Of which `combinations` [n, blocks] every level is one that enough rows `own` it."""
    inside = np.ones(len(combinations), bool)
    for block, mine in zip(combinations.T, own.T, strict=True):
        levels, index = np.unique(mine, return_inverse=True)
        common = holders(index.astype(np.int32), len(levels), units) >= MIN_ROWS
        inside &= np.isin(block, levels[common])
    return inside


def given_columns(given: Part) -> list[str]:
    """The column of each given block, in order."""
    return [block.column for block in given.layout.blocks]
