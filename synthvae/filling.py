"""Cells filled so that constraints hold in the whole row: drawn again where they don't.

What is drawn agrees with itself, but observed cells stay as they are: a state may be drawn with a
city of its own while another city is observed. So rows are looked at as they come out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synthvae.codecs.bindings import Seen
from synthvae.codecs.parts import Draw
from synthvae.codecs.relations import Combined, column_of
from synthvae.codecs.table_codec import TableCodec
from synthvae.constraints.reading import Mask
from synthvae.layout import Encoded
from synthvae.obeying import renumbered
from synthvae.seeds import derive
from synthvae.storage import View
from synthvae.table import Table

ATTEMPTS = 20  # at most, for all rows of a block


def seen_of(rows: Table, holes: Mapping[str, Mask], at: NDArray[np.int64]) -> dict[str, Seen]:
    """What is known of `rows`, which stand `at` those of the table that has `holes`."""
    texts = {
        c.name: c.levels.take(pa.array(c.codes, mask=c.codes < 0)).fill_null("")
        for c in rows.columns
    }
    return {name: Seen(texts[name], mask[at]) for name, mask in holes.items()}


def completed(
    codec: TableCodec,
    drawn: Callable[[int], Encoded],
    draw: Draw,
    seen: Mapping[str, Seen],
    view: View,
) -> tuple[pa.Table, int]:
    """Rows [n] to fill the holes of what is `seen` from: of each row the first of several attempts
    that keeps all constraints, else the first. With them, how many rows keep none. `draw` decodes
    the first attempt, and all that is made up."""

    def good_ones(attempt: int) -> tuple[Encoded, pa.Table, Mask]:
        encoded = drawn(attempt)
        own = replace(draw, seed=derive(draw.seed, "again", attempt)) if attempt else draw
        table = codec.decode(encoded, own, view, seen)
        if not codec.bindings.rules:
            return encoded, table, np.ones(len(encoded), bool)
        texts = table if view == "text" else codec.decode(encoded, own, "text", seen)
        return encoded, table, _good(codec, texts, seen)

    whole, first, good = good_ones(0)
    parts, place = [first], np.arange(len(good))
    for attempt in range(1, ATTEMPTS):
        if good.all():
            break
        other, table, fits = good_ones(attempt)
        fits &= ~good
        if fits.any():
            place[fits] = len(good) * len(parts) + np.flatnonzero(fits)
            whole.codes[fits], whole.scalars[fits] = other.codes[fits], other.scalars[fits]
            parts.append(table)
            good |= fits
    if len(parts) == 1:
        return first, int((~good).sum())
    joined = pa.concat_tables(parts).unify_dictionaries().take(pa.array(place))
    return renumbered(codec, whole, joined, draw, view), int((~good).sum())


def _good(codec: TableCodec, texts: pa.Table, seen: Mapping[str, Seen]) -> Mask:
    """Which rows [n] keep all constraints, once what is seen is put in."""
    bindings = codec.bindings
    plain = {name: texts[name].cast(pa.string()).combine_chunks() for name in texts.column_names}
    joined = {name: seen[name].over(text) for name, text in plain.items()}
    table = Table(tuple(column_of(name, text) for name, text in joined.items()))
    good = bindings.kept(pa.table(joined))
    for relation in bindings.relations:
        if isinstance(relation, Combined):
            (column,) = relation.forward(table)
            levels: Any = codec[relation.name]
            known = {_written(text) for text in levels.levels if text}
            good &= np.array([text in known for text in column.texts])[column.codes]
    return good


def _written(combination: str) -> str:
    """A combination as it is met in rows of which nothing is null."""
    return json.dumps([text or "" for text in json.loads(combination)], ensure_ascii=False)
