"""What a model takes from the number of rows: the one place where such rules stand.

- Hidden units a block of an autoregressive decoder: `UNITS` times the root of the number of rows,
  within 8 to 32. What more units learn of a small table is its rows (docs/log.md).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from synthvae.model.decoders.autoregressive import MOST_UNITS, AutoregressiveSpec
from synthvae.model.spec import ModelSpec

UNITS = 0.14
FEWEST_UNITS = 8


def sized(spec: ModelSpec, rows: int) -> ModelSpec:
    """`spec` for a table of `rows` rows, with all that it left to the rules."""
    decoder = spec.decoder
    if not isinstance(decoder, AutoregressiveSpec) or decoder.units is not None:
        return spec
    units = int(np.clip(round(UNITS * rows**0.5), FEWEST_UNITS, MOST_UNITS))
    return dataclasses.replace(spec, decoder=dataclasses.replace(decoder, units=units))
