"""An output, proved against its manifest and, with the model, by drawing its rows again.

Everything that differs is told in words, and nothing is taken from the manifest on trust that the
files can show: hashes, sizes, rows, columns, what Parquet and Arrow files say of themselves.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.manifest import KEY
from synthvae.outputs.formats import FORMATS, Format
from synthvae.outputs.record import Written
from synthvae.outputs.stored import Lines, Range, Stored, column_of, open_stored

AT_ONCE = 1 << 15
Drawn = Callable[[Sequence[Range]], Iterator[pa.Table]]
"""The rows of each of some ascending ranges, drawn anew."""


@dataclass
class Findings:
    """`differences`: one line each; `files` and `rows` that were looked at, and `redrawn` rows."""

    differences: list[str] = field(default_factory=list)
    files: int = 0
    rows: int = 0
    redrawn: int = 0

    def add(self, difference: str) -> None:
        self.differences.append(difference)


def files_of(noted: Mapping[str, Any], output: Path) -> list[tuple[Path, Written]]:
    """The files that a manifest notes, where they should stand."""
    entries = [Written(**entry) for entry in noted["output"]["files"]]
    if noted["output"]["kind"] == "parts":
        return [(output / entry.name, entry) for entry in entries]
    return [(output, entry) for entry in entries]


def check_files(noted: Mapping[str, Any], output: Path, found: Findings) -> None:
    """Hashes, sizes, rows and columns of all files."""
    form = FORMATS[noted["output"]["format"]]
    files = files_of(noted, output)
    for path, entry in files:
        if not path.is_file():
            found.add(f"'{path}' is noted in the manifest, but it is not there")
            continue
        found.files += 1
        written = Written.of(path, entry.rows)
        if written.sha256 != entry.sha256:
            found.add(
                f"'{path}' is not the file that was written: its sha256 is {written.sha256[:12]}, "
                f"noted is {entry.sha256[:12]} ({written.bytes:,} bytes, noted {entry.bytes:,})"
            )
        try:
            _check_content(path, form, entry, noted, found)
        except (pa.ArrowException, OSError, EOFError) as error:
            found.add(f"'{path}' can't be read as {form.name}: {str(error).splitlines()[0]}")
    if noted["output"]["kind"] == "parts" and output.is_dir():
        known = {path.name for path, _ in files}
        for path in sorted(output.iterdir()):
            if path.name not in known:
                found.add(f"'{path}' is not noted in the manifest")
    total = sum(entry.rows for _, entry in files)
    if total != noted["rows"]:
        found.add(f"{noted['rows']:,} rows are noted, but its files have {total:,}")
    _check_unique(noted, files, form, found)


def _check_content(
    path: Path, form: Format, entry: Written, noted: Mapping[str, Any], found: Findings
) -> None:
    stored = open_stored(path, form)
    rows = stored.rows()
    found.rows += rows
    if rows != entry.rows:
        found.add(f"'{path}' has {rows:,} rows, noted are {entry.rows:,}")
    expected = [(column["name"], _stored(column["type"])) for column in noted["schema"]]
    if stored.schema is not None:
        columns = [(one.name, _stored(str(_plain_type(one.type)))) for one in stored.schema]
        if columns != expected:
            wrong = next((c for c, e in zip(columns, expected, strict=False) if c != e), None)
            found.add(f"'{path}' has other columns or types than noted, first {wrong}")
        _check_statement(path, stored.schema.metadata or {}, noted, found)
    elif isinstance(stored, Lines) and not stored.has_header([name for name, _ in expected]):
        found.add(f"'{path}' has another header than the columns that are noted")


def _stored(kind: str) -> str:
    """The type as files have it: Parquet knows no whole seconds."""
    return kind.replace("timestamp[s", "timestamp[ms")


def _plain_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _check_statement(
    path: Path, metadata: Mapping[bytes, bytes], noted: Mapping[str, Any], found: Findings
) -> None:
    """What the file says of itself is what the manifest says."""
    try:
        inside = json.loads(metadata.get(KEY.encode(), b"null"))
    except ValueError:
        inside = None
    if not isinstance(inside, dict):
        found.add(f"'{path}' does not say what made it: it has no metadata '{KEY}'")
        return
    wrong = sorted(key for key, value in inside.items() if noted.get(key) != value)
    if wrong:
        found.add(f"'{path}' says otherwise than its manifest on {', '.join(wrong)}")


def check_claims(
    noted: Mapping[str, Any], stated: Mapping[str, Any], model: str, found: Findings
) -> None:
    """What the manifest says of its rows, privacy above all, is what `model` states of them.
    Which synthvae drew them, when, and the hash of one of several equal models, it can't know."""
    own = {"output", "created", "synthvae"}
    claims, known = (
        {
            **{key: value for key, value in json.loads(json.dumps(of)).items() if key not in own},
            "model": {k: v for k, v in of["model"].items() if k not in ("sha256", "sampler_of")},
        }
        for of in (noted, stated)
    )
    if wrong := sorted(k for k in claims | known if claims.get(k) != known.get(k)):
        found.add(f"the manifest says otherwise than '{model}' on {', '.join(wrong)}")


def _check_unique(
    noted: Mapping[str, Any], files: list[tuple[Path, Written]], form: Format, found: Findings
) -> None:
    """No value of an identifier comes twice, in all files together."""
    present = [path for path, _ in files if path.is_file()]
    for name in (column["name"] for column in noted["schema"] if column["unique"]):
        try:
            parts = [column_of(path, form, name).cast(pa.string()) for path in present]
        except (pa.ArrowException, KeyError):
            return  # columns that can't be read have been told of
        values = pa.chunked_array([c for p in parts for c in p.chunks], pa.string()).drop_null()
        again = len(values) - pc.count_distinct(values).as_py()
        if again:
            found.add(f"column '{name}': no value comes twice, but {again:,} came again")


def ranges_of(rows: int, most: int | None, ordered: bool, seed: int) -> list[Range]:
    """The rows to draw anew: all, or blocks of about `most` rows in all; the first ones if rows
    can't be drawn without those before them (`ordered`)."""
    whole = [(start, min(start + AT_ONCE, rows)) for start in range(0, rows, AT_ONCE)]
    if most is None or most >= rows:
        return whole
    if ordered:
        return [(a, min(b, most)) for a, b in whole if a < most]
    size = 1 << 13
    blocks = -(-rows // size)
    chosen = np.random.default_rng(seed).choice(blocks, -(-most // size), replace=False)
    return [(int(i) * size, min((int(i) + 1) * size, rows)) for i in np.sort(chosen)]


def check_rows(
    noted: Mapping[str, Any],
    output: Path,
    drawn: Drawn,
    ranges: Sequence[Range],
    found: Findings,
    watch: Callable[[int], None] = lambda _: None,
) -> None:
    """Draw the rows of `ranges` anew and compare; stops at the first that differs."""
    form = FORMATS[noted["output"]["format"]]
    pieces: list[tuple[Path, int, Range]] = []
    first = 0
    for path, entry in files_of(noted, output):
        last = first + entry.rows
        inside = [(max(a, first), min(b, last)) for a, b in ranges if a < last and b > first]
        pieces += [(path, first, piece) for piece in inside]
        first = last
    tables = drawn([piece for _, _, piece in pieces])
    for path, group in _by_file(pieces):
        if not path.is_file():
            return
        try:
            stored = open_stored(path, form)
            slices = stored.slices([(a - start, b - start) for start, (a, b) in group])
            for (start, (a, b)), there in zip(group, slices, strict=True):
                table = next(tables)
                if (wrong := _differs(stored, there, table)) is not None:
                    found.add(f"'{path}': row {a - start + wrong[0] + 1:,} {wrong[1]}")
                    return
                found.redrawn += b - a
                watch(found.redrawn)
        except (pa.ArrowException, OSError, EOFError):
            return  # a file that can't be read has been told of


def _by_file(
    pieces: Sequence[tuple[Path, int, Range]],
) -> Iterator[tuple[Path, list[tuple[int, Range]]]]:
    for path in dict.fromkeys(path for path, _, _ in pieces):
        yield path, [(start, piece) for at, start, piece in pieces if at == path]


def _differs(stored: Stored, there: Any, table: pa.Table) -> tuple[int, str] | None:
    """The first row of `table` that is not `there`, and how it differs."""
    expected = stored.rendered(table)
    if isinstance(there, bytes):
        return None if there == expected else _lines_differ(there, expected)
    columns, drawn = ([(e.name, _stored(str(e.type))) for e in t.schema] for t in (there, expected))
    if columns != drawn:
        return 0, "has other columns than the model draws"
    expected = expected.cast(there.schema)
    if there.equals(expected):
        return None
    pairs = zip(there.to_pylist(), expected.to_pylist(), strict=False)
    for row, (one, other) in enumerate(pairs):
        if wrong := [name for name in other if one[name] != other[name]]:
            name = wrong[0]
            return row, (
                f"differs from what the model draws in {', '.join(wrong)}: "
                f"{one[name]!r} in place of {other[name]!r}"
            )
    return min(len(there), len(expected)), "is missing, or is one too many"


def _lines_differ(there: bytes, expected: bytes) -> tuple[int, str]:
    pairs = zip(there.splitlines(), expected.splitlines(), strict=False)
    for row, (one, other) in enumerate(pairs):
        if one != other:
            return row, (
                f"differs from what the model draws: '{one.decode(errors='replace')[:80]}' in "
                f"place of '{other.decode()[:80]}'"
            )
    return min(there.count(b"\n"), expected.count(b"\n")), "is missing, or is one too many"
