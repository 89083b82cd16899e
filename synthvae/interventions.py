"""Columns that are set, whatever the model says: do(column = value) (Pearl 2009).

In the order in which a model writes columns, those before the set one keep their distribution, and
those after it are drawn as if it had been written: given it, the latent and the columns before. So
it is a what-if question to the model's own order, which need not be that of causes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from synthvae.codecs.categorical import CategoricalCodec
from synthvae.codecs.parts import Codec
from synthvae.errors import Problems, SchemaError, UsageError, hint
from synthvae.matching import in_its_form
from synthvae.sampling import Sampler
from synthvae.table import Column
from synthvae.where import columns
from synthvae.where.expression import Operand


@dataclass(frozen=True)
class Intervention:
    """`column` is set to what it writes as `text`: `codes` and `scalars` of its modelled blocks, by
    their positions in `Rows`."""

    column: str
    text: str
    codes: Mapping[int, int]
    scalars: Mapping[int, float]


def interventions(sampler: Sampler, values: Mapping[str, str]) -> tuple[Intervention, ...]:
    """UsageError with every reason why a column can't be set to a value: it is none, it is given,
    made up, or never holds the value."""
    problems = Problems()
    made: list[Intervention] = []
    for name, text in values.items():
        try:
            made.append(_intervention(sampler, name, text))
        except SchemaError as error:
            problems.reasons.extend(error.reasons)
    problems.raise_as(UsageError)
    return tuple(made)


def _intervention(sampler: Sampler, name: str, text: str) -> Intervention:
    bindings = sampler.codec.bindings
    if name in bindings.learnt_for:
        raise SchemaError(
            f"a column that is set is written by the model, but '{name}' follows from others by a "
            "constraint; set those"
        )
    names = [codec.name for codec in sampler.codec.codecs]
    if name not in names:
        raise SchemaError(f"a column is set, but there is no '{name}'; {hint(name, names)}")
    if name in sampler.codec.given:
        raise SchemaError(
            f"a column that is set is written by the model, but '{name}' is given; use --given"
        )
    codec = sampler.codec[name]
    check_possible(codec, text)
    column = written(codec, text)
    encoded = codec.encode(column, np.random.default_rng(0))
    part = sampler.model.modelled.layout.of_column(name)
    codes = dict(zip(part.codes, encoded.codes[0].tolist(), strict=True))
    return Intervention(
        name,
        column.texts[0],
        codes,
        dict(zip(part.scalars, encoded.scalars[0].tolist(), strict=True)),
    )


def written(codec: Codec, text: str) -> Column:
    """One row of a value that somebody typed."""
    column = Column(codec.name, np.zeros(1, np.int32), pa.array([text]))
    if isinstance(codec, CategoricalCodec) and text not in codec.levels:
        state = columns.set_of(codec, "==", Operand(text, "text", 0)).forms
        return Column(codec.name, column.codes, pa.array([codec.levels[int(state.argmax())]]))
    return in_its_form(column, codec)


def check_possible(codec: Codec, text: str) -> None:
    """SchemaError if the model never writes what is written `text` in this column."""
    wanted = columns.set_of(codec, "==", Operand(text, "text", 0))
    if not codec.allow(wanted).possible:
        raise SchemaError(
            f"column '{codec.name}': a value is one that the model can write, but '{text}' is "
            f"not{columns.reach(codec)}; choose another"
        )
