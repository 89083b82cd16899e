"""New rows with as many of each value of a column as are asked for.

A model that is conditioned on the column is told the value. Of any other model rows are drawn until
there are enough of each value: exact, and the rest of a row follows the value as it does in the
model, but a rare value takes many rows, so there is a limit.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from itertools import count
from typing import Any

import numpy as np
import pyarrow as pa

from synthvae.codecs.bindings import Bindings
from synthvae.codecs.categorical import CategoricalCodec
from synthvae.distinct import Known, distinct, numbered
from synthvae.errors import Problems, UsageError, hint
from synthvae.model.compute import in_order
from synthvae.obeying import Obeyed, obeyed
from synthvae.sampling import Fixed, Sampler
from synthvae.storage import View

PER_ROW = 200  # rows drawn for each that is asked for, at most
FEWEST = 100_000  # rows drawn at most, if few are asked for


def equal_counts(sampler: Sampler, column: str, rows: int) -> dict[str, int]:
    """`rows` shared among the values of `column`; the first get one more if it does not go up."""
    codec = _categorical(sampler, column)
    known = [text for text, gone in zip(codec.levels, codec.missing, strict=True) if not gone]
    each, more = divmod(rows, len(known))
    return {text: each + (i < more) for i, text in enumerate(known)}


def balanced(
    sampler: Sampler,
    column: str,
    counts: Mapping[str, int],
    seed: int,
    view: View,
    given: Mapping[str, str] | None = None,
    threads: int | None = None,
) -> Iterator[pa.Table]:
    """Arrow tables with exactly `counts` rows of each value of `column` in all; memory does not
    grow with their number. UsageError for values that the column does not have, or that the model
    writes too rarely."""
    codec = _categorical(sampler, column)
    problems = Problems()
    for text, rows in counts.items():
        if text not in codec.levels:
            problems.add(f"column '{column}' has no value '{text}'; {hint(text, codec.levels)}")
        if rows < 0:
            problems.add(f"a count is 0 or more, but '{text}' has {rows}; correct it")
    if column in (given or {}):
        problems.add(f"column '{column}' is balanced, but given too; leave one out")
    problems.raise_as(UsageError)
    ask = _told if column in sampler.codec.given else _picked
    found = ask(sampler, column, counts, seed, view, given or {}, threads)
    return numbered(found, sampler.codec, seed, view)


def _told(
    sampler: Sampler,
    column: str,
    counts: Mapping[str, int],
    seed: int,
    view: View,
    given: Mapping[str, str],
    threads: int | None,
) -> Iterator[Obeyed]:
    """One value after the other."""
    size, known, drawn = sampler.block_rows, Known(sampler.codec.bindings), 0
    for text, rows in counts.items():
        fixed = sampler.fixed({**given, column: text})
        end = None if sampler.codec.bindings.unique else drawn + rows
        with closing(_blocks(sampler, drawn, end, seed, view, fixed, threads)) as blocks:
            for found in distinct(blocks, known, rows):
                drawn += size
                yield found


def _picked(
    sampler: Sampler,
    column: str,
    counts: Mapping[str, int],
    seed: int,
    view: View,
    given: Mapping[str, str],
    threads: int | None,
) -> Iterator[Obeyed]:
    """Rows in the order in which they are drawn, while their value is still wanted."""
    fixed, codec = sampler.fixed(given), _categorical(sampler, column)
    (at,) = sampler.codec.layout.of_column(column).codes
    left = np.zeros(len(codec.levels), np.int64)
    for text, wanted in counts.items():
        left[codec.levels.index(text)] = wanted
    limit, known = max(PER_ROW * int(left.sum()), FEWEST), Known(sampler.codec.bindings)
    drawn = _blocks(sampler.candidates(), 0, limit, seed, view, fixed, threads)
    with closing(drawn) as blocks:
        while left.any():
            found = next(blocks, None)
            if found is None:
                raise UsageError(
                    _too_rare(column, sampler.codec.bindings, codec, counts, left, limit)
                )
            codes, keys = found.encoded.codes[:, at], known.keys(found.table)
            rows = known.new(keys, np.flatnonzero(left[codes]))
            rows = rows[_wanted(codes[rows], left)]
            known.take(keys, rows)
            left -= np.bincount(codes[rows], minlength=len(left))
            yield found.take(rows)


def _blocks(
    sampler: Sampler,
    start: int,
    end: int | None,
    seed: int,
    view: View,
    fixed: Fixed,
    threads: int | None,
) -> Generator[Obeyed]:
    """Blocks of rows from row `start` on, up to `end`, if there is one."""

    def block(at: int) -> Obeyed:
        return obeyed(sampler, at, seed, view, fixed)

    size = sampler.block_rows
    starts = count(start, size) if end is None else range(start, end, size)
    with closing(in_order(block, starts, threads)) as blocks:
        for found in blocks:
            yield sampler.tries.counted(found)


def _wanted(codes: np.ndarray[Any, Any], left: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The rows [n] whose class is among the first `left` [classes] of it."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    rank = np.arange(len(codes)) - np.searchsorted(ordered, ordered)
    return np.sort(order[rank < left[ordered]])


def _too_rare(
    column: str,
    bindings: Bindings,
    codec: CategoricalCodec,
    counts: Mapping[str, int],
    left: np.ndarray[Any, Any],
    limit: int,
) -> str:
    rare = ", ".join(
        f"'{text}' came {counts[text] - left[i]:,} times of {counts[text]:,}"
        for i, text in enumerate(codec.levels)
        if left[i]
    )
    alike = "".join(f" ({rule.words})" for rule in bindings.unique)
    return (
        f"a value is picked from rows that the model draws, {limit:,} at most{alike}, but in "
        f"column '{column}' {rare}; ask for fewer, or fit with --condition-on {column}"
    )


def _categorical(sampler: Sampler, column: str) -> CategoricalCodec:
    names = [codec.name for codec in sampler.codec.codecs]
    if column not in names:
        raise UsageError(
            f"a column to balance is one of the model's, but '{column}' is none; "
            f"{hint(column, names)}"
        )
    codec = sampler.codec[column]
    if not isinstance(codec, CategoricalCodec):
        raise UsageError(
            f"a column to balance holds categories, but '{column}' does not; balance another"
        )
    return codec
