"""Tables in memory: from Arrow and pandas, with the types they came in."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthvae.errors import TableError
from synthvae.storage import is_supported, parse, restore, type_of
from synthvae.table import Column, Table, checked, from_arrow, from_frame


def texts(column: Column) -> list[str | None]:
    levels = [*column.texts, None]
    return [levels[code] for code in column.codes]


def one(values: pd.Series) -> Column:
    return from_frame(pd.DataFrame({"c": values})).columns[0]


@pytest.mark.parametrize(
    ("values", "written", "storage"),
    [
        (pd.Series([1, 2]), ["1", "2"], "int64"),
        (pd.Series([1, None], dtype="Int64"), ["1", None], "int64"),
        (pd.Series([2**64 - 1], dtype="uint64"), ["18446744073709551615"], "uint64"),
        (pd.Series([0.1, np.nan, 2.5]), ["0.1", None, "2.5"], "double"),
        (pd.Series([13_104_301_300.0, np.nan]), ["13104301300", None], "double"),
        (pd.Series([1e20, 3.0]), ["1e+20", "3"], "double"),
        (pd.Series([0.1], dtype="float32"), ["0.1"], "float"),
        (pd.Series([0.5, np.nan], dtype="float16"), ["0.5", None], "halffloat"),
        (pd.Series([True, False]), ["true", "false"], "bool"),
        (pd.Series([True, None], dtype="boolean"), ["true", None], "bool"),
        (pd.Series(["b", None, "b"], dtype="category"), ["b", None, "b"], "string"),
        (pd.Series([3, 1], dtype="category"), ["3", "1"], "int64"),
        (pd.Series(["x", None, ""]), ["x", None, ""], "string"),
        (pd.Series(["x", pd.NA], dtype="string"), ["x", None], "string"),
        (pd.Series([1, None, 3], dtype=object), ["1", None, "3"], "int64"),
        (pd.Series([1, 2.5], dtype=object), ["1", "2.5"], "double"),
        (pd.Series([1, "N", 2.5, None, True], dtype=object), ["1", "N", "2.5", None, "True"], ""),
        (pd.Series([np.int32(1), "a"], dtype=object), ["1", "a"], "string"),
        (pd.Series([Decimal("3.50"), None]), ["3.50", None], "decimal128(3, 2)"),
        (pd.Series([dt.date(9999, 12, 31), None]), ["9999-12-31", None], "date32[day]"),
        (pd.Series(pd.to_datetime(["2014-01-02"])), ["2014-01-02 00:00:00"], "timestamp[ns]"),
        (
            pd.Series(pd.to_datetime(["2014-07-02"])).dt.tz_localize("Europe/Berlin"),
            ["2014-07-01 22:00:00"],
            "timestamp[ns, tz=Europe/Berlin]",
        ),
        (
            pd.Series(pd.to_datetime(["2014-01-02 10:00:00.120"])),
            ["2014-01-02 10:00:00.120"],
            "timestamp[ns]",
        ),
    ],
)
def test_frames_of_any_dtype_are_met_as_texts(
    values: pd.Series, written: list[str | None], storage: str
) -> None:
    column = one(values)
    assert texts(column) == written
    assert column.storage == (storage or "string")


def test_a_frame_keeps_its_dtypes_its_order_and_not_its_index() -> None:
    frame = pd.DataFrame({"z": [1.5], "a": ["x"]}, index=["row"]).astype({"a": "category"})
    table = from_frame(frame)
    assert table.names == ("z", "a")
    assert table.frame_dtypes == {"z": "float64", "a": "category"}


def test_columns_that_hold_no_single_values_are_all_named() -> None:
    frame = pd.DataFrame(
        {
            "ok": [1, 2],
            "list": [[1], [2]],
            "complex": [1j, 2j],
            "wait": pd.to_timedelta([1, 2], unit="s"),
            "mixed": [pd.Timestamp("2014-01-01"), "x"],
            "huge": [2**70, 1],
            "bytes": [b"x", b"y"],
        }
    )
    with pytest.raises(TableError) as caught:
        from_frame(frame)
    named = [reason.split("'")[1] for reason in caught.value.reasons]
    assert named == ["list", "complex", "wait", "mixed", "huge", "bytes"]


@pytest.mark.parametrize("names", [["a", "b", "a"], [1, "b", "1"]])
def test_duplicate_columns_of_a_frame_are_refused(names: list[object]) -> None:
    frame = pd.DataFrame([[1, 2, 3]], columns=names)
    with pytest.raises(TableError, match=r"the frame has these twice: \['[a1]'\]; rename them"):
        from_frame(frame)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (pd.DataFrame({"a": []}), "a table has rows, but the frame has a header only"),
        (pd.DataFrame(index=[0, 1]), "a table has columns, but the frame has none"),
    ],
)
def test_an_empty_frame_is_refused(frame: pd.DataFrame, words: str) -> None:
    with pytest.raises(TableError, match=words):
        from_frame(frame)


def test_arrow_columns_in_several_chunks_share_their_levels() -> None:
    chunks = pa.chunked_array([["b", "a"], [None, "b"], ["c"]])
    packed = pa.chunked_array([pa.array(c).dictionary_encode() for c in (["x"], ["y", "x"], ["z"])])
    table = from_arrow(pa.table({"a": chunks}), "it")
    assert texts(table["a"]) == ["b", "a", None, "b", "c"]
    assert len(set(table["a"].texts)) == 3
    packed_table = from_arrow(
        pa.table({"p": pa.chunked_array([*packed.chunks, packed.chunks[1]])}), "it"
    )
    assert texts(packed_table["p"]) == ["x", "y", "x", "z", "y", "x"]


def test_counts_nulls_and_first_rows() -> None:
    column = Column("c", np.array([1, -1, 0, 1, 1], np.int32), pa.array(["a", "b", "unused"]))
    assert column.counts.tolist() == [1, 3, 0]
    assert column.n_null == 1
    assert [column.first_row(level) for level in (0, 1)] == [3, 1]


def test_rows_keep_what_codes_mean() -> None:
    table = from_frame(pd.DataFrame({"a": ["x", "y", "z"], "b": [1, 2, 3]}))
    part = table.rows([2, 0])
    assert len(part) == 2
    assert texts(part["a"]) == ["z", "x"]
    assert texts(part["b"]) == ["3", "1"]
    assert part.frame_dtypes == table.frame_dtypes


def test_a_compact_column_has_no_level_without_rows() -> None:
    table = from_frame(pd.DataFrame({"a": ["x", "y", None, "z", "x"]}))
    part = table.rows([3, 2, 0])["a"].compact()
    assert texts(part) == ["z", None, "x"]
    assert sorted(part.texts) == ["x", "z"]
    assert texts(table["a"].compact()) == ["x", "y", None, "z", "x"]


def test_a_fingerprint_tells_values_order_and_types_apart() -> None:
    frame = pd.DataFrame({"a": ["1", "2", "1"], "b": ["x", "y", "y"]})
    same = from_frame(frame.copy()).fingerprint()
    others = [
        frame.iloc[::-1],
        frame[["b", "a"]],
        frame.rename(columns={"a": "c"}),
        frame.assign(a=[1, 2, 1]),
        frame.assign(b=["x", "y", "x"]),
        frame.iloc[:2],
    ]
    assert from_frame(frame).fingerprint() == same
    prints = {same, *(from_frame(other).fingerprint() for other in others)}
    assert len(prints) == len(others) + 1


def test_a_table_without_columns_has_no_rows() -> None:
    assert len(Table(())) == 0
    with pytest.raises(TableError, match="a table has columns, but it has none"):
        checked(Table(()), "it")


@pytest.mark.parametrize(
    "kind",
    [
        pa.int8(),
        pa.uint64(),
        pa.float16(),
        pa.float32(),
        pa.float64(),
        pa.bool_(),
        pa.date32(),
        pa.date64(),
        pa.timestamp("ns"),
        pa.timestamp("ms", "Europe/Berlin"),
        pa.timestamp("us", "+01:00"),
        pa.decimal128(38, 0),
        pa.decimal128(10, 4),
    ],
)
def test_types_are_found_again_by_name(kind: pa.DataType) -> None:
    assert is_supported(kind)
    assert type_of(str(kind)) == kind


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.null()])
def test_all_text_is_one_type(kind: pa.DataType) -> None:
    assert is_supported(kind)
    assert type_of(str(kind)) == type_of("text") == pa.string()


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        (pa.int8(), [200.0, -200.0, 5.0], [127, -128, 5]),
        (pa.int32(), [2147483647.0, 3e9, -3e9], [2**31 - 1, 2**31 - 1, -(2**31)]),
        (
            pa.int64(),
            [2.0**63, -(2.0**63), 1e300, 2.0**60],
            [2**63 - 1, -(2**63), 2**63 - 1, 2**60],
        ),
        (pa.uint64(), [2.0**64, 2.0**63, -1.0], [2**64 - 1, 2**63, 0]),
        (pa.float32(), [0.5, 2.0], [0.5, 2.0]),
        (
            pa.decimal128(5, 2),
            [3.5, 0.1, 999.99],
            [Decimal("3.50"), Decimal("0.10"), Decimal("999.99")],
        ),
    ],
)
def test_numbers_out_of_range_stop_at_the_ends_of_their_type(
    kind: pa.DataType, values: list[float], expected: list[object]
) -> None:
    restored = restore(np.array(values), kind)
    assert restored.type == kind
    assert restored.to_pylist() == expected


def test_whole_numbers_are_restored_exactly() -> None:
    ticks = np.array([2**61 + 1, -(2**61) - 1, 0])
    assert restore(ticks, pa.int64()).to_pylist() == ticks.tolist()


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (pa.int64(), "9" * 25, 2**63 - 1),
        (pa.int16(), "-99999", -(2**15)),
        (pa.decimal128(3, 0), "12345", Decimal(999)),
        (pa.bool_(), "true", True),
        (pa.date32(), "2014-01-02", dt.date(2014, 1, 2)),
        (pa.string(), "007", "007"),
    ],
)
def test_texts_are_parsed_into_the_range_of_their_type(
    kind: pa.DataType, text: str, value: object
) -> None:
    parsed = parse(pa.array([text, None]), kind)
    assert parsed.type == kind
    assert parsed.to_pylist() == [value, None]


def test_moments_with_a_zone_are_parsed_from_utc() -> None:
    parsed = parse(pa.array(["2014-07-01 22:00:00"]), pa.timestamp("ns", "Europe/Berlin"))
    assert parsed.to_pandas()[0] == pd.Timestamp("2014-07-02", tz="Europe/Berlin")
