"""Mode-specific normalization (Xu et al. 2019): a number is the mode it belongs to, and its place
in that mode.

Modes are the components of a Gaussian mixture and, beside them, *spikes*: single values that hold
a good share of the rows, such as 0. A spike is a mode without width, so a spike stays exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synthvae.codecs.allowed import EVERYWHERE, Allowed, ValueSet, by_class, drawn_from, plain
from synthvae.codecs.mixture import Mixture, fit_mixtures
from synthvae.codecs.parts import Draw, Form, Numeric, OfForm, parse_known
from synthvae.layout import Block, Encoded
from synthvae.storage import View
from synthvae.table import Column
from synthvae.written import Values

SPIKE_SHARE = 0.01
WIDTH = 4.0  # a scalar of 1 stands this many standard deviations off the mode's mean
_INSIDE = 0.99


@dataclass(frozen=True)
class ModesCodec(OfForm):
    """Classes of the mode block: specials, then spikes, then mixture components."""

    name: str
    form: Form
    spikes: Values
    mixture: Mixture
    bounds: tuple[float, float]

    kind = "modes"

    @property
    def blocks(self) -> tuple[Block, ...]:
        size = self.detailed_from + len(self.mixture.means)
        mode = Block(f"{self.name}:mode", self.name, "categorical", size)
        if not len(self.mixture.means):
            return (mode,)
        return (mode, Block(f"{self.name}:scalar", self.name, "scalar", 1))

    @property
    def detailed_from(self) -> int:
        """The first class whose values the second block tells apart."""
        return len(self.form.specials) + len(self.spikes)

    def encode(self, column: Column, rng: np.random.Generator) -> Encoded:
        values, special = parse_known(self.form, column)
        codes = special.copy()
        scalars = np.full((len(values), len(self.blocks) - 1), np.nan, np.float32)
        is_spike = np.isin(values, self.spikes)
        at = np.searchsorted(self.spikes, values[is_spike])
        codes[is_spike] = len(self.form.specials) + at
        rest = ~is_spike & (special < 0)
        if rest.any() and not len(self.mixture.means):
            off = np.abs(values[rest, None] - self.spikes)  # all that was learnt
            codes[rest] = len(self.form.specials) + off.argmin(axis=1)
        elif rest.any():
            component, place = self._assign(np.clip(values[rest], *self.bounds), rng)
            codes[rest] = self.detailed_from + component
            scalars[rest, 0] = place
        return Encoded(codes[:, None], scalars)

    def _assign(self, values: Values, rng: np.random.Generator) -> tuple[NDArray[np.int64], Values]:
        """A component drawn from its responsibility for each value, and the place in it."""
        cumulative = np.cumsum(self.mixture.responsibilities(values), axis=1)
        component = (cumulative < rng.random((len(values), 1))).sum(axis=1)
        component = component.clip(max=len(self.mixture.means) - 1)
        offset = values - self.mixture.means[component]
        place = offset / (WIDTH * self.mixture.stds[component])
        return component, place.clip(-_INSIDE, _INSIDE)

    def decode(self, encoded: Encoded, draw: Draw, view: View) -> pa.Array:
        codes = encoded.codes[:, 0]
        n_special, first = len(self.form.specials), self.detailed_from
        if len(self.mixture.means):
            component = np.maximum(codes - first, 0)
            spread = WIDTH * self.mixture.stds[component] * encoded.scalars[:, 0]
            values = np.clip(self.mixture.means[component] + spread, *self.bounds)
        else:
            values = np.zeros(len(codes))
        if len(self.spikes):
            at = np.clip(codes - n_special, 0, len(self.spikes) - 1)
            values = np.where(codes < first, self.spikes[at], values)
        return self.form.render(values, np.where(codes < n_special, codes, -1), view)

    def allow(self, wanted: ValueSet) -> Allowed:
        states = np.concatenate([wanted.forms, wanted.holds(*plain(self.form.snap(self.spikes)))])
        if not len(self.mixture.means):
            return Allowed((states,))
        drawn = drawn_from(wanted.spans, self.form.grid, *self.bounds)
        spread = WIDTH * self.mixture.stds
        places = [
            (drawn - mean) / wide for mean, wide in zip(self.mixture.means, spread, strict=True)
        ]
        within = np.full(len(places), len(drawn) > 0)
        each = [EVERYWHERE] * self.detailed_from
        return Allowed((np.concatenate([states, within]),), by_class([*each, *places]))

    def describe(self) -> Mapping[str, Any]:
        return {
            **self.form.describe(),
            "bounds": list(self.bounds),
            "spikes": self.spikes.tolist(),
            "means": self.mixture.means.tolist(),
            "standard_deviations": self.mixture.stds.tolist(),
            "weights": self.mixture.weights.tolist(),
        }

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "name": self.name,
            "form": self.form.to_json(),
            "bounds": list(self.bounds),
            "spikes": self.spikes.tolist(),
            "means": self.mixture.means.tolist(),
            "stds": self.mixture.stds.tolist(),
            "weights": self.mixture.weights.tolist(),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any], form: Form) -> ModesCodec:
        low, high = data["bounds"]
        mixture = Mixture(*(np.array(data[k], np.float64) for k in ("weights", "means", "stds")))
        return ModesCodec(
            data["name"], form, np.array(data["spikes"], np.float64), mixture, (low, high)
        )


def fit_modes(columns: Sequence[Numeric]) -> list[ModesCodec]:
    """A codec per column; the mixtures of all columns are fitted at once."""
    spiky = [column.spikes(SPIKE_SHARE) for column in columns]
    bounds = [column.bounds for column in columns]
    rest = [
        np.clip(c.without(s).values, *b) for c, s, b in zip(columns, spiky, bounds, strict=True)
    ]
    mixtures = iter(fit_mixtures([values for values in rest if len(values)]))
    none = Mixture(*np.empty((3, 0)))
    return [
        ModesCodec(c.name, c.form, s, next(mixtures) if len(r) else none, b)
        for c, s, b, r in zip(columns, spiky, bounds, rest, strict=True)
    ]
