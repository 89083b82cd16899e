"""All codecs side by side: a table comes back with its order, its types and its missing values."""

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthvae.codecs.parts import Draw
from synthvae.codecs.table_codec import NUMERIC, TableCodec, fit_table_codec
from synthvae.detect import detect
from synthvae.layout import Encoded
from synthvae.schema import resolve
from synthvae.storage import View
from synthvae.table import Column, Table, from_frame

MakeColumn = Callable[..., Column]
VIEWS: tuple[View, View] = ("text", "typed")


def fitted(table: Table, numeric: Any = "cells", given: tuple[str, ...] = ()) -> TableCodec:
    return fit_table_codec(resolve(detect(table), table), table, numeric, given)


def text_table(make: MakeColumn, columns: Mapping[str, list[str]]) -> Table:
    return Table(tuple(make(texts, name=name) for name, texts in columns.items()))


def everything(rows: int = 900) -> dict[str, list[str]]:
    rng = np.random.default_rng(0)
    some = rng.random(rows) < 0.1
    days = np.datetime64("2014-01-01") + rng.integers(0, 900, rows)
    return {
        "id": [f"K-{i:05d}" for i in rng.permutation(rows)],
        "sex": rng.choice(["f", "m", ""], rows).tolist(),
        "zip": rng.choice(["02139", "10001"], rows).tolist(),
        "member": rng.choice(["TRUE", "FALSE"], rows).tolist(),
        "pay": np.where(some, "NA", [f"{v:.2f}" for v in rng.lognormal(5, 1, rows)]).tolist(),
        "kids": rng.choice(["0", "1", "2", "3+"], rows, p=[0.4, 0.3, 0.2, 0.1]).tolist(),
        "score": [repr(v) for v in rng.normal(size=rows).tolist()],
        "since": [str(day) for day in days],
        "mail": [f"user{i}@example.com" for i in range(rows)],
        "note": [f"some words number {i}" for i in range(rows)],
    }


def frame(rows: int = 120) -> pd.DataFrame:
    """Few values a column, so that all of them are exact."""
    pick = np.arange(rows)
    stamps = pd.to_datetime(["2014-01-01 00:00:00", "2014-07-02 10:30:00", "2262-01-01 00:00:00"])

    def column(values: list[Any], dtype: Any = None) -> pd.Series:
        return pd.Series([values[i % len(values)] for i in pick], dtype=dtype)

    return pd.DataFrame(
        {
            "int64": column([1, 2**40, -3]),
            "Int64": column([1, None, 3], "Int64"),
            "int8": column([-128, 127], "int8"),
            "uint64": column([2**64 - 1, 0], "uint64"),
            "float32": column([0.1, np.nan, 2.5], "float32"),
            "float64": column([0.1, 3.0, 1e-7, 1e20, np.nan]),
            "bool": column([True, False]),
            "boolean": column([True, None, False], "boolean"),
            "category": column(["b", None, "a"], "category"),
            "datetime": column([*stamps, None], "datetime64[ns]"),
            "micro": column(
                [pd.Timestamp("2014-01-01 00:00:00.123456"), stamps[0]], "datetime64[us]"
            ),
            "zoned": column([*stamps[:2], None], "datetime64[ns]").dt.tz_localize("Europe/Berlin"),
            "string": column(["x", None, "y"], "string"),
            "object": column(["x", "NA", "None", ""], object),
            "codes": column(["3.50", "007", "N", "2.25"] * 3 + ["1.00"], object),
            "dates": column([dt.date(2014, 1, 5), dt.date(9999, 12, 31)], object),
            "decimal": column([Decimal("3.50"), Decimal("12.25")], object),
            'order, "now"\nor': column([5, 6]),
        }
    )


@pytest.mark.parametrize("numeric", list(NUMERIC))
def test_a_frame_of_any_dtypes_comes_back(numeric: str) -> None:
    original = frame()
    table = from_frame(original)
    codec = fitted(table, numeric)
    out = codec.decode(codec.encode(table, 0), Draw(0, 0), "typed")
    back = out.to_pandas(integer_object_nulls=False)
    others = {n: d for n, d in table.frame_dtypes.items() if str(back[n].dtype) != d}
    assert set(others) <= {"Int64", "boolean", "object", "codes", "string"}
    pd.testing.assert_frame_equal(back.astype(others), original)


@pytest.mark.parametrize("numeric", list(NUMERIC))
@pytest.mark.parametrize("view", VIEWS)
def test_decoded_tables_have_the_schema_that_is_promised(
    numeric: str, view: View, column: MakeColumn
) -> None:
    for table in (text_table(column, everything()), from_frame(frame())):
        codec = fitted(table, numeric)
        encoded = codec.encode(table, 0)
        for rows in (np.arange(len(table)), np.array([5, 3]), np.array([], int)):
            out = codec.decode(encoded.rows(rows), Draw(0, 0), view)
            assert out.schema == codec.arrow_schema(view)
            assert out.column_names == list(table.names)
            assert len(out) == len(rows)
            out.validate(full=True)


@pytest.mark.parametrize("numeric", list(NUMERIC))
@pytest.mark.parametrize("view", VIEWS)
def test_json_decodes_the_same_arrays(numeric: str, view: View, column: MakeColumn) -> None:
    for table in (text_table(column, everything()), from_frame(frame())):
        codec = fitted(table, numeric, given=(table.names[1],))
        text = json.dumps(codec.to_json(), allow_nan=False)
        again = TableCodec.from_json(json.loads(text))
        assert json.dumps(again.to_json()) == text
        assert again.layout == codec.layout
        encoded, encoded_again = (c.encode(table, 3) for c in (codec, again))
        np.testing.assert_array_equal(encoded.codes, encoded_again.codes)
        np.testing.assert_array_equal(encoded.scalars, encoded_again.scalars)
        out, out_again = (c.decode(encoded, Draw(5, 0), view) for c in (codec, again))
        assert out.equals(out_again)


def test_every_kind_of_column_keeps_its_missing_and_its_form(column: MakeColumn) -> None:
    texts = everything()
    table = text_table(column, texts)
    codec = fitted(table)
    kinds = {
        name: entry["kind"] for name, entry in zip(texts, codec.to_json()["codecs"], strict=True)
    }
    assert kinds == {
        "id": "identifier", "sex": "categorical", "zip": "categorical", "member": "categorical",
        "pay": "cells", "kids": "cells", "score": "cells", "since": "cells", "mail": "personal",
        "note": "personal",
    }  # fmt: skip
    out = codec.decode(codec.encode(table, 0), Draw(0, 0), "text").to_pydict()
    for name in ("sex", "zip", "member", "kids"):
        assert out[name] == texts[name]
    assert [t == "NA" for t in out["pay"]] == [t == "NA" for t in texts["pay"]]
    for name in ("id", "mail", "note"):
        assert not set(out[name]) & set(texts[name][:5])
    assert json.dumps(codec.to_json()).find("example.com") == -1


def test_given_numbers_are_cells_so_that_conditions_are_codes(column: MakeColumn) -> None:
    table = text_table(column, everything())
    codec = fitted(table, "modes", given=("pay", "sex"))
    given = codec.layout.part(given=True)
    assert {block.kind for block in given.layout.blocks} == {"categorical"}
    assert {block.column for block in given.layout.blocks} == {"pay", "sex"}
    assert codec.layout.part(given=False).layout.of_column("score").scalars == (0,)


@pytest.mark.parametrize("numeric", list(NUMERIC))
def test_a_column_is_encoded_the_same_whatever_stands_beside_it(
    numeric: str, column: MakeColumn
) -> None:
    texts = everything()
    both = text_table(column, texts)
    alone = text_table(column, {"pay": texts["pay"]})
    part = fitted(both, numeric)
    encoded = part.layout.of_column("pay").take(part.encode(both, 0))
    lone = fitted(alone, numeric).encode(alone, 0)
    np.testing.assert_array_equal(encoded.codes, lone.codes)
    np.testing.assert_array_equal(encoded.scalars, lone.scalars)


@pytest.mark.parametrize("numeric", list(NUMERIC))
def test_names_of_any_kind_do_not_run_together(numeric: str, column: MakeColumn) -> None:
    rng = np.random.default_rng(0)
    numbers = [f"{v:.3f}" for v in rng.normal(size=400)]
    names = ["a", "a:mode", "a:scalar", "a:coarse", "a:fine", "", " ", 'x,"y"\nz', "表"]
    texts = {name: numbers if i % 2 == 0 else ["u", "v"] * 200 for i, name in enumerate(names)}
    table = text_table(column, texts)
    codec = fitted(table, numeric)
    out = codec.decode(codec.encode(table, 0), Draw(0, 0), "text")
    assert out.column_names == names
    for i, name in enumerate(names):
        if i % 2:
            assert out.column(name).to_pylist() == texts[name]
        else:
            moved = np.array(out.column(name).to_pylist(), float) - np.array(numbers, float)
            assert np.abs(moved).mean() < 0.2


@pytest.mark.parametrize("numeric", list(NUMERIC))
def test_three_hundred_columns(numeric: str, column: MakeColumn) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(300, 20)).round(2)
    texts = {f"n{i}": [str(v) for v in row] for i, row in enumerate(values)}
    table = text_table(column, texts)
    codec = fitted(table, numeric)
    out = codec.decode(codec.encode(table, 0), Draw(0, 0), "text")
    assert out.column_names == list(texts)
    assert len(out) == 20


@pytest.mark.parametrize("numeric", list(NUMERIC))
@pytest.mark.parametrize(
    "text", ["5", "3.50", "1e-05", "2014-01-05", "007", "a", "TRUE", "1/5/2014"]
)
def test_a_table_of_one_row_comes_back(numeric: str, text: str, column: MakeColumn) -> None:
    table = text_table(column, {"a": [text]})
    codec = fitted(table, numeric)
    out = codec.decode(codec.encode(table, 0), Draw(0, 0), "text")
    assert out.column("a").to_pylist() == [text]


@pytest.mark.parametrize("numeric", list(NUMERIC))
def test_a_single_column_keeps_its_missing_values(numeric: str, column: MakeColumn) -> None:
    texts = ["1", "", "2", "NA"] * 30
    table = text_table(column, {"a": texts})
    codec = fitted(table, numeric)
    out = codec.decode(codec.encode(table, 0), Draw(0, 0), "text")
    assert out.column("a").to_pylist() == texts
    typed = codec.decode(codec.encode(table, 0), Draw(0, 0), "typed")
    assert typed.column("a").to_pylist() == [1, None, 2, None] * 30
    assert typed.schema.field("a").type == pa.int64()


def test_any_row_of_codes_can_be_decoded(column: MakeColumn) -> None:
    """A model may draw what no row was encoded as: every code within its block has a meaning."""
    table = text_table(column, everything())
    for numeric in NUMERIC:
        codec = fitted(table, numeric)
        rng = np.random.default_rng(1)
        codes = np.stack([rng.integers(0, size, 3000) for size in codec.layout.sizes], axis=1)
        scalars = rng.normal(0, 2, (3000, codec.layout.n_scalars)).astype(np.float32)
        encoded = Encoded(codes.astype(np.int32), scalars)
        for view in VIEWS:
            out = codec.decode(encoded, Draw(0, 0), view)
            out.validate(full=True)
            if view == "text":
                pay = out.column("pay").to_pylist()
                assert all(re.fullmatch(r"NA|\d+\.\d\d", text) for text in pay)
                assert set(out.column("kids").to_pylist()) == {"0", "1", "2", "3+"}


def test_draws_are_streams_by_column_seed_and_start() -> None:
    def first(draw: Draw, name: str) -> float:
        return float(draw.stream(name).random())

    one = first(Draw(1, 0), "a")
    assert first(Draw(1, 0), "a") == one
    assert len({one, first(Draw(2, 0), "a"), first(Draw(1, 8), "a"), first(Draw(1, 0), "b")}) == 4


@pytest.mark.parametrize("numeric", list(NUMERIC))
def test_a_codec_knows_nothing_of_rows_that_were_left_out(numeric: str, column: MakeColumn) -> None:
    """Rows taken from a table keep all of its levels, also those of the others."""
    texts = everything()
    left_out = {name: ["0.123456789", "SECRET-1", "1850-01-01"] * 7 for name in texts}
    more = text_table(column, {name: texts[name] + left_out[name] for name in texts})
    alone = text_table(column, texts)
    schema = resolve(detect(alone), alone)
    part = fit_table_codec(schema, more.rows(slice(0, len(alone))), numeric)  # type: ignore[arg-type]
    assert part.to_json() == fit_table_codec(schema, alone, numeric).to_json()  # type: ignore[arg-type]
