"""The columns that a model is conditioned on: how often each combination stands in the table, and
rows of them to sample under."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthvae.layout import Codes, Part

MAX_COMBINATIONS = 4096


@dataclass(frozen=True)
class Factor:
    """Some given blocks (positions among the given ones) that are drawn together: their
    combinations `codes` [n, blocks] and the `shares` [n] of each."""

    positions: tuple[int, ...]
    codes: Codes
    shares: NDArray[np.float64]


@dataclass(frozen=True)
class Conditions:
    """Independent factors. One factor if the combinations are few, else one a column."""

    factors: tuple[Factor, ...]
    width: int

    @staticmethod
    def fit(codes: Codes, columns: Sequence[str]) -> Conditions:
        """From the given codes [N, blocks]; `columns` names the column of each block."""
        whole = tuple(range(len(columns)))
        if not columns:
            return Conditions((), 0)
        joint = _factor(codes, whole)
        if len(joint.shares) <= MAX_COMBINATIONS:
            return Conditions((joint,), len(columns))
        apart = [
            _factor(codes, tuple(i for i in whole if columns[i] == name))
            for name in dict.fromkeys(columns)
        ]
        return Conditions(tuple(apart), len(columns))

    def draw(self, rng: np.random.Generator, rows: int) -> Codes:
        """Codes [rows, blocks], as often as in the training table."""
        out = np.empty((rows, self.width), np.int32)
        for factor in self.factors:
            index = rng.choice(len(factor.shares), rows, p=factor.shares)
            out[:, list(factor.positions)] = factor.codes[index]
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


def _factor(codes: Codes, positions: tuple[int, ...]) -> Factor:
    combinations, counts = np.unique(codes[:, list(positions)], axis=0, return_counts=True)
    return Factor(positions, combinations.astype(np.int32), counts / counts.sum())


def given_columns(given: Part) -> list[str]:
    """The column of each given block, in order."""
    return [block.column for block in given.layout.blocks]
