"""Numbers on a normal scale: a value is its normal quantile among the column's values. Common
values, such as 0 or an age, are *atoms*, classes of their own, and stay exact.

The scale makes any column a standard normal one, whatever its units and tails; what the model
learns is a smooth density on it. Values of a grid are spread over their grid cell first, so that
the density has no spikes to fall into, and are put back on the grid when they are decoded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from synthvae.codecs.allowed import EVERYWHERE, Allowed, ValueSet, by_class, drawn_from, plain
from synthvae.codecs.parts import Draw, Form, Numeric, OfForm, parse_known
from synthvae.layout import Block, Encoded
from synthvae.seeds import stream
from synthvae.storage import View
from synthvae.table import Column
from synthvae.written import Values

KNOTS = 1000
ROWS_PER_KNOT = 5
_END = 0.05  # where the outermost knots stand: at that share of the mass between two knots


@dataclass(frozen=True)
class QuantilesCodec(OfForm):
    """Classes of the class block: specials, then atoms, then 'any other value', whose place on the
    normal scale is in the scalar block. `knots` [M] are quantiles of the other values, `places`
    [M] theirs on the normal scale; `atom_places` [A] are those of the atoms."""

    name: str
    form: Form
    atoms: Values
    atom_places: Values
    knots: Values
    places: Values

    kind = "quantiles"

    @property
    def blocks(self) -> tuple[Block, ...]:
        if not self._other:
            return (self._classes(()),)
        ends = (float(self.places[0]), float(self.places[-1]))
        scalar = Block(f"{self.name}:place", self.name, "scalar", 1, ends)
        if not self.detailed_from:
            return (scalar,)
        return (self._classes((None,)), scalar)

    def _classes(self, other: tuple[None, ...]) -> Block:
        places = (*(0.0,) * len(self.form.specials), *self.atom_places.tolist(), *other)
        return Block(f"{self.name}:class", self.name, "categorical", len(places), places)

    @property
    def detailed_from(self) -> int:
        """The first class whose values the second block tells apart."""
        return len(self.form.specials) + len(self.atoms)

    @property
    def _other(self) -> bool:
        return len(self.knots) > 0

    def encode(self, column: Column, rng: np.random.Generator) -> Encoded:
        values, special = parse_known(self.form, column)
        codes, n_special = special.copy(), len(self.form.specials)
        is_atom = np.isin(values, self.atoms)
        codes[is_atom] = n_special + np.searchsorted(self.atoms, values[is_atom])
        rest = ~is_atom & (special < 0)
        if not self._other:
            middles = (self.atoms[1:] + self.atoms[:-1]) / 2
            codes[rest] = n_special + np.searchsorted(middles, values[rest])
            return Encoded(codes[:, None], np.empty((len(codes), 0), np.float32))
        codes[rest] = self.detailed_from
        scalars = np.full((len(values), 1), np.nan, np.float32)
        spread = _spread(values[rest], self.form.grid.unit, rng)
        scalars[rest, 0] = np.interp(spread, self.knots, self.places)
        return Encoded(codes[:, None][:, : len(self.blocks) - 1], scalars)

    def decode(self, encoded: Encoded, draw: Draw, view: View) -> pa.Array:
        n_special = len(self.form.specials)
        codes = encoded.codes[:, 0] if self.detailed_from else np.zeros(len(encoded), np.int32)
        values = np.zeros(len(codes))
        if self._other:
            values = np.interp(np.nan_to_num(encoded.scalars[:, 0]), self.places, self.knots)
        if len(self.atoms):
            at = np.clip(codes - n_special, 0, len(self.atoms) - 1)
            values = np.where(codes < self.detailed_from, self.atoms[at], values)
        return self.form.render(values, np.where(codes < n_special, codes, -1), view)

    def allow(self, wanted: ValueSet) -> Allowed:
        states = np.concatenate([wanted.forms, wanted.holds(*plain(self.form.snap(self.atoms)))])
        if not self._other:
            return Allowed((states,))
        ends = float(self.knots[0]), float(self.knots[-1])
        drawn = drawn_from(wanted.spans, self.form.grid, *ends)
        places = np.interp(drawn, self.knots, self.places)
        places = np.where(np.isinf(drawn), drawn, places)
        if not self.detailed_from:
            return Allowed((), by_class([places]))
        each = [EVERYWHERE] * self.detailed_from
        return Allowed((np.append(states, len(places) > 0),), by_class([*each, places]))

    def describe(self) -> Mapping[str, Any]:
        return {
            **self.form.describe(),
            "atoms": self.atoms.tolist(),
            "atom_places": self.atom_places.tolist(),
            "quantiles": self.knots.tolist(),
            "quantile_places": self.places.tolist(),
        }

    def to_json(self) -> dict[str, Any]:
        arrays = ("atoms", "atom_places", "knots", "places")
        return {
            "kind": self.kind,
            "name": self.name,
            "form": self.form.to_json(),
            **{name: getattr(self, name).tolist() for name in arrays},
        }

    @staticmethod
    def from_json(data: Mapping[str, Any], form: Form) -> QuantilesCodec:
        arrays = ("atoms", "atom_places", "knots", "places")
        return QuantilesCodec(
            data["name"], form, *(np.array(data[name], np.float64) for name in arrays)
        )


def fit_quantile(column: Numeric) -> QuantilesCodec:
    """The codec of one column: sorts its values once."""
    from scipy.special import ndtri  # half a second, that no command but `fit` needs

    values = column.values
    other = column.without(atoms := column.atoms)
    rest = other.values
    if not len(rest):
        ordered = np.sort(values)
        below, upto = (np.searchsorted(ordered, atoms, side) for side in ("left", "right"))
        places = _coarse(ndtri((below + upto) / 2 / max(len(values), 1)))
        return QuantilesCodec(column.name, column.form, atoms, places, *np.empty((2, 0)))
    inside = np.clip(rest, *other.bounds)
    rng = stream(0, "quantiles", column.name)
    spread = _spread(inside, column.form.grid.unit, rng)
    count = int(np.clip(len(rest) // ROWS_PER_KNOT, 2, KNOTS))
    shares = np.linspace(0, 1, count + 1)
    knots, first = np.unique(np.quantile(spread, shares), return_index=True)
    places = ndtri(shares.clip(_END / count, 1 - _END / count))[first]
    atom_places = _coarse(np.interp(atoms, knots, places))
    return QuantilesCodec(column.name, column.form, atoms, atom_places, knots, places)


def _coarse(places: Values) -> Values:
    """Rounded, so that they don't tell how many rows hold an atom: they serve as features only."""
    rounded: Values = np.round(places, 2)
    return rounded


def _spread(values: Values, unit: float, rng: np.random.Generator) -> Values:
    """Each value [n] somewhere in its grid cell, which is `unit` wide."""
    spread: Values = values + (rng.random(len(values)) - 0.5) * unit
    return spread
