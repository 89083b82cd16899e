"""JSON lines: what Python's json reads is what the table held."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from synthvae.outputs.jsonl import write_jsonl


def lines(table: pa.Table, at: int = 1) -> list[dict[str, object]]:
    out = io.BytesIO()
    write_jsonl(out, [table.slice(0, at), table.slice(at)], table.schema)
    return [json.loads(line) for line in out.getvalue().decode().split("\n")[:-1]]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.none() | st.text(max_size=8),
            st.none() | st.integers(-(2**63), 2**63 - 1),
            st.none() | st.floats(allow_nan=False, allow_infinity=False),
            st.none() | st.booleans(),
        ),
        min_size=1,
        max_size=6,
    ),
    st.text(min_size=1, max_size=5),
)
def test_any_row_is_read_back_the_same(rows: list[tuple[object, ...]], name: str) -> None:
    kinds = [pa.string(), pa.int64(), pa.float64(), pa.bool_()]
    names = [name, name + "i", name + "f", name + "b"]
    columns = [pa.array([row[i] for row in rows], kind) for i, kind in enumerate(kinds)]
    table = pa.table([*columns, columns[0].dictionary_encode()], [*names, name + "d"])
    expected = [dict(zip([*names, name + "d"], [*row, row[0]], strict=True)) for row in rows]
    assert lines(table) == expected


def test_moments_and_decimals_are_written_as_others_read_them() -> None:
    moment = datetime(2020, 1, 2, 3, 4, 5)
    table = pa.table(
        {
            "day": pa.array([date(9999, 12, 31), None]),
            "at": pa.array([moment, None], pa.timestamp("s")),
            "zoned": pa.array([moment.replace(tzinfo=UTC), None], pa.timestamp("s", "UTC")),
            "price": pa.array([Decimal("12.50"), None]),
            "none": pa.nulls(2),
        }
    )
    first, second = lines(table)
    assert first == {
        "day": "9999-12-31",
        "at": "2020-01-02T03:04:05",
        "zoned": "2020-01-02T03:04:05Z",
        "price": 12.5,
        "none": None,
    }
    assert set(second.values()) == {None}


def test_moments_with_a_zone_are_told_in_utc() -> None:
    moment = datetime(2020, 9, 22, 21, 35, 20, tzinfo=UTC)
    kinds = ["America/New_York", "Europe/Berlin", "+02:00", "UTC"]
    columns = [pa.array([moment, None], pa.timestamp("s", zone)) for zone in kinds]
    found = lines(pa.Table.from_arrays(columns, kinds))
    assert set(found[0].values()) == {"2020-09-22T21:35:20Z"}
