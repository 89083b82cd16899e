"""Numbers as cells: common values are *atoms*, classes of their own; the rest falls into quantile
cells, coarse first, then fine given coarse, uniform inside on the column's grid.

A column with few distinct values is all atoms, and then exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from synthvae.codecs.allowed import Allowed, ValueSet, plain
from synthvae.codecs.parts import Draw, Form, Numeric, OfForm, parse_known
from synthvae.layout import Block, Encoded
from synthvae.storage import View
from synthvae.table import Column
from synthvae.written import Values

COARSE, FINE = 50, 16
ROWS_PER_COARSE, ROWS_PER_FINE = 50, 10


@dataclass(frozen=True)
class CellsCodec(OfForm):
    """Classes of the coarse block: specials, then atoms, then coarse cells. `edges` [C * F + 1]
    are those of the fine cells; coarse cell c is fine cells c * F to c * F + F - 1."""

    name: str
    form: Form
    atoms: Values
    edges: Values
    fine: int

    kind = "cells"

    @property
    def blocks(self) -> tuple[Block, ...]:
        coarse = Block(
            f"{self.name}:coarse", self.name, "categorical", self.detailed_from + self._cells
        )
        if self.fine < 2:
            return (coarse,)
        return (coarse, Block(f"{self.name}:fine", self.name, "categorical", self.fine))

    @property
    def detailed_from(self) -> int:
        """The first class whose values the second block tells apart."""
        return len(self.form.specials) + len(self.atoms)

    @property
    def _cells(self) -> int:
        return max(len(self.edges) - 1, 0) // self.fine

    def encode(self, column: Column, rng: np.random.Generator) -> Encoded:
        values, special = parse_known(self.form, column)
        codes = np.full((len(values), len(self.blocks)), -1, np.int32)
        codes[:, 0] = special
        is_atom = np.isin(values, self.atoms)
        at = np.searchsorted(self.atoms, values[is_atom])
        codes[is_atom, 0] = len(self.form.specials) + at
        rest = ~is_atom & (special < 0)
        if rest.any():
            codes[rest] = self._locate(values[rest])[:, : codes.shape[1]]
        return Encoded(codes, np.empty((len(values), 0), np.float32))

    def _locate(self, values: Values) -> Values:
        """(coarse class, fine cell) of values that are no atoms; or the nearest atom."""
        if not self._cells:
            middles = (self.atoms[1:] + self.atoms[:-1]) / 2
            nearest = len(self.form.specials) + np.searchsorted(middles, values)
            return np.stack([nearest, np.full_like(nearest, -1)], axis=1)
        # The first cells may be empty, so values below all edges go to the cell of the first edge.
        cell = np.searchsorted(self.edges, np.maximum(values, self.edges[0]), "right") - 1
        cell = cell.clip(max=self._cells * self.fine - 1)
        return np.stack([self.detailed_from + cell // self.fine, cell % self.fine], axis=1)

    def decode(self, encoded: Encoded, draw: Draw, view: View) -> pa.Array:
        codes = encoded.codes[:, 0]
        n_special = len(self.form.specials)
        values = np.zeros(len(codes))
        if self._cells:
            fine = encoded.codes[:, 1] if self.fine > 1 else 0
            cell = np.maximum(codes - self.detailed_from, 0) * self.fine + np.maximum(fine, 0)
            values = self._inside(cell, draw.within(self.name, len(cell)))
        if len(self.atoms):
            at = np.clip(codes - n_special, 0, len(self.atoms) - 1)
            values = np.where(codes < self.detailed_from, self.atoms[at], values)
        return self.form.render(values, np.where(codes < n_special, codes, -1), view)

    def _inside(self, cell: Values, share: Values) -> Values:
        """At `share` of each cell. A cell holds the grid points from its lower edge up to, without,
        its upper one, and no atoms; the last holds its upper edge too."""
        grid = self.form.grid
        if not grid.step:
            low, high = self.edges[cell], self.edges[cell + 1]
            return np.asarray(low + (high - low) * share)
        # Grid points are counted with the atoms left out: atoms[i] is followed by rank gaps[i].
        atoms, edges = grid.index(self.atoms), grid.index(self.edges)
        gaps = atoms - np.arange(len(atoms))
        ranks = edges - np.searchsorted(atoms, edges)
        ranks[-1] += 1
        low, size = ranks[cell], np.diff(ranks)[cell]
        rank = low + np.minimum(size * share, size - 1).astype(np.int64).clip(0)
        drawn: Values = grid.at(rank + np.searchsorted(gaps, rank, "right"))
        return drawn

    def allow(self, wanted: ValueSet) -> Allowed:
        """Cells that hold a wanted value; fine ones are told apart if one coarse cell is left."""
        states = np.concatenate([wanted.forms, wanted.holds(*plain(self.form.snap(self.atoms)))])
        low, high = self.edges[:-1], self.edges[1:]
        touched = [((a <= high) & (b >= low)) for a, b in wanted.spans.tolist()]
        fine = np.any([np.zeros(len(low), bool), *touched], axis=0).reshape(self._cells, self.fine)
        coarse = np.concatenate([states, fine.any(axis=1)])
        if self.fine < 2:
            return Allowed((coarse,))
        left = np.flatnonzero(coarse)
        alone = len(left) == 1 and left[0] >= self.detailed_from
        own = fine[left[0] - self.detailed_from] if alone else np.ones(self.fine, bool)
        return Allowed((coarse, own))

    def describe(self) -> Mapping[str, Any]:
        return {
            **self.form.describe(),
            "atoms": self.atoms.tolist(),
            "quantiles": self.edges.tolist(),
        }

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "name": self.name,
            "form": self.form.to_json(),
            "atoms": self.atoms.tolist(),
            "edges": self.edges.tolist(),
            "fine": self.fine,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any], form: Form) -> CellsCodec:
        atoms, edges = (np.array(data[k], np.float64) for k in ("atoms", "edges"))
        return CellsCodec(data["name"], form, atoms, edges, data["fine"])


def fit_cells(columns: Sequence[Numeric]) -> list[CellsCodec]:
    """A codec per column. How many cells follows from the rows that are left after the atoms."""
    return [_fit(column) for column in columns]


def _fit(column: Numeric) -> CellsCodec:
    other = column.without(atoms := column.atoms)
    rest = other.values
    if not len(rest):
        return CellsCodec(column.name, column.form, atoms, np.empty(0), 1)
    coarse = int(np.clip(len(rest) // ROWS_PER_COARSE, 1, COARSE))
    fine = int(np.clip(len(rest) // (coarse * ROWS_PER_FINE), 1, FINE))
    inside = np.clip(rest, *other.bounds)
    edges = np.quantile(inside, np.linspace(0, 1, coarse * fine + 1), method="nearest")
    return CellsCodec(column.name, column.form, atoms, edges, fine)
