"""Metadata against the table: what each column is, or every reason why not."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthvae.errors import SchemaError
from synthvae.metadata import ColumnMetadata, Metadata
from synthvae.schema import ColumnSchema, resolve
from synthvae.table import Column, Table, from_frame

Texts = list[str | None]


def column(name: str, texts: Texts) -> Column:
    encoded = pa.array(texts, pa.string()).dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return Column(name, codes.astype(np.int32), encoded.dictionary)


def resolved(
    texts: Texts, sdtype: str, missing: tuple[str, ...] = (), **options: Any
) -> ColumnSchema:
    metadata = Metadata({"c": ColumnMetadata(sdtype, options)})
    return resolve(metadata, Table((column("c", texts),)), missing)["c"]


def refused(texts: Texts, sdtype: str, missing: tuple[str, ...] = (), **options: Any) -> str:
    with pytest.raises(SchemaError) as caught:
        resolved(texts, sdtype, missing, **options)
    (reason,) = caught.value.reasons
    return reason


def test_columns_keep_the_order_of_the_table() -> None:
    metadata = Metadata({"b": ColumnMetadata("categorical"), "a": ColumnMetadata("numerical")})
    schema = resolve(metadata, Table((column("a", ["1"]), column("b", ["x"]))))
    assert [(c.name, c.sdtype) for c in schema.columns] == [
        ("a", "numerical"),
        ("b", "categorical"),
    ]


def test_all_that_does_not_fit_is_said_at_once() -> None:
    metadata = Metadata(
        {
            "agee": ColumnMetadata("numerical"),
            "word": ColumnMetadata("numerical"),
            "void": ColumnMetadata("categorical"),
            "three": ColumnMetadata("boolean"),
            "kind": ColumnMetadata("numeric"),
        }
    )
    table = Table(
        (
            column("age", ["1", "2", "3"]),
            column("word", ["1", "too long to be a code", "3"]),
            column("void", ["", "NA", None]),
            column("three", ["a", "b", "c"]),
            column("kind", ["1", "2", "3"]),
        )
    )
    with pytest.raises(SchemaError) as caught:
        resolve(metadata, table)
    assert caught.value.reasons[:4] == (
        "metadata describes the columns of the table, but the table has no column 'agee'; "
        "did you mean 'age'?",
        "column 'word': declared numerical, but 1 of 3 values are text, first 'too long to be a "
        "code' in row 2; declare it categorical, or list what means 'no value' under "
        "missing_values",
        "column 'void': a column has values, but all 3 are missing; leave the column out",
        "column 'three': a boolean has two values, but it holds 3; declare it categorical",
    )
    assert caught.value.reasons[4].endswith("but it is 'numeric'; did you mean 'numerical'?")


def test_a_column_that_is_not_described_and_metadata_of_another_table() -> None:
    table = Table((column("age", ["1", "2", "3"]), column("pay", ["4", "5", "6"])))
    with pytest.raises(SchemaError) as caught:
        resolve(Metadata({"age": ColumnMetadata("numerical")}), table)
    assert caught.value.reasons == (
        "every column is described, but column 'pay' is not in the metadata; add it, or leave the "
        "column out of the table",
    )
    with pytest.raises(SchemaError, match="none of its 2 columns is among the 2 of the table"):
        resolve(Metadata({n: ColumnMetadata("numerical") for n in ("a", "p")}), table)


@pytest.mark.parametrize(
    "texts",
    [
        ["N", "?", "<5", "1", "2", "3"],
        ["1", "", "NA", "nan", None, "n/a"],
        ["007", "10", "12"],
        ["-1.5e-300", "1e300", " 3 ", "+5", "-0.0"],
        ["5"],
    ],
)
def test_numbers_may_stand_among_a_few_short_codes(texts: Texts) -> None:
    assert resolved(texts, "numerical").sdtype == "numerical"


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["1", "2", "3", *(f"code {i}" for i in range(11)), *"4567890123"], "11 of 24"),
        (["1", "2", "a", "b", "a"], "3 of 5 values are text, first 'a' in row 3"),
        (["1", "2", "3", "seventeen letters"], "1 of 4 values are text, first 'seventeen"),
        (["", "x", "1", "y"], "2 of 4 values are text, first 'x' in row 2"),
        (["007", "008", "9"], "2 of 3 values are text, first '007' in row 1"),
        (["1,5", "2,5"], "2 of 2 values are text, first '1,5' in row 1"),
    ],
)
def test_text_in_a_declared_number_is_refused(texts: Texts, words: str) -> None:
    assert words in refused(texts, "numerical")


@pytest.mark.parametrize("infinite", ["inf", "-inf", "Infinity", "1e400"])
def test_infinities_are_refused_with_their_row(infinite: str) -> None:
    reason = refused(["1", "2", infinite, infinite], "numerical")
    assert reason == (
        f"column 'c': numbers are finite, but 2 of 4 are infinite, first '{infinite}' in row 3; "
        "replace them, or list the text under missing_values"
    )


@pytest.mark.parametrize("text", ["inf", "-999", "not available at all"])
def test_what_is_listed_as_missing_is_no_value(text: str) -> None:
    assert text in resolved(["1", "2", text], "numerical", missing=(text,)).missing
    assert "all 1 are missing" in refused([text], "numerical", missing=(text,))


def test_a_datetime_without_a_format_gets_the_one_that_fits() -> None:
    assert resolved(["1/5/2014", "12/31/2014", ""], "datetime").datetime_format == "%m/%d/%Y"
    assert (
        resolved(["1/5/2014"], "datetime", datetime_format="%d/%m/%Y").datetime_format == "%d/%m/%Y"
    )


@pytest.mark.parametrize(
    ("texts", "format", "words"),
    [
        (["x", "y"], "", "none is declared and its values fit none that is known; declare one"),
        (["5.1.2014"], "%Y-%m-%d", "declared datetime '%Y-%m-%d', but 1 of 1 values are of anoth"),
        (["5.1.2014"], "%-d.%-m.%Y", "made of strptime's codes, but '%-d.%-m.%Y' is not"),
        (["5.1.2014"], "%Q", "made of strptime's codes, but '%Q' is not"),
        (["5.1.2014"], "%Y%Y", "made of strptime's codes, but '%Y%Y' is not"),
        (["5.1.2014"], "%", "made of strptime's codes, but '%' is not"),
    ],
)
def test_a_format_that_does_not_fit_is_refused(texts: Texts, format: str, words: str) -> None:
    assert words in refused(texts, "datetime", datetime_format=format)


def test_a_sentinel_far_away_is_a_moment_like_others() -> None:
    texts: Texts = ["2014-01-05 00:00:00", "9999-12-31 00:00:00", "0001-01-01 00:00:00"]
    assert resolved(texts, "datetime").datetime_format == "%Y-%m-%d %H:%M:%S"


@pytest.mark.parametrize(
    ("sdtype", "values", "fine"),
    [
        ("id", [10, 20], True),
        ("id", [1.0, np.nan], True),
        ("id", [1.5, 2.5], False),
        ("id", [True, False], False),
        ("id", list(pd.to_datetime(["2014-01-01", "2014-01-02"])), False),
        ("phone_number", [5551234, 5551235], False),
        ("phone_number", ["5551234", "5551235"], True),
        ("text", [1, 2], False),
        ("unknown", ["a", "b"], True),
    ],
)
def test_what_is_made_up_as_text_must_fit_the_type_of_the_column(
    sdtype: str, values: list[Any], fine: bool
) -> None:
    table = from_frame(pd.DataFrame({"c": values}))
    metadata = Metadata({"c": ColumnMetadata(sdtype)})
    if fine:
        assert resolve(metadata, table)["c"].sdtype == sdtype
    else:
        with pytest.raises(SchemaError, match=f"an sdtype '{sdtype}' is made up as text, but the"):
            resolve(metadata, table)


@pytest.mark.parametrize("sdtype", ["email", "first_name", "iban", "latitude", "postcode"])
def test_fakers_providers_are_sdtypes(sdtype: str) -> None:
    assert resolved(["x"], sdtype).sdtype == sdtype


@pytest.mark.parametrize("sdtype", ["emial", "seed", "format", "__class__", "profile", "locales"])
def test_what_makes_no_single_value_is_no_sdtype(sdtype: str) -> None:
    assert f"the name of a Faker provider, but it is '{sdtype}'" in refused(["x"], sdtype)
