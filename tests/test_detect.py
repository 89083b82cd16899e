"""Metadata from a table: what each column seems to be, and never a value of it."""

import re
import uuid
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthvae.detect import detect, to_declare
from synthvae.metadata import parse, write
from synthvae.schema import resolve
from synthvae.table import Column, Table, from_frame

Texts = list[str]


def column(name: str, texts: Texts) -> Column:
    encoded = pa.array(texts, pa.string()).dictionary_encode()
    return Column(name, encoded.indices.to_numpy(zero_copy_only=False), encoded.dictionary)


def sdtype(texts: Texts, name: str = "c") -> str:
    return detect(Table((column(name, texts),))).columns[name].sdtype


def unique(count: int, form: str) -> Texts:
    return [form.format(i * 7919 % 100_003) for i in range(count)]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1", "2", "3"], "numerical"),
        (["1", "", "NA"], "numerical"),
        (["1.5", "-2e-05", "1e300"], "numerical"),
        (["1", "2", "3", "N", "?", "<5"] * 2, "numerical"),
        ([str(2**60 + i) for i in range(50)], "numerical"),
        (["007", "010", "123"] * 9, "categorical"),
        (["02139", "10001", "94105"] * 9, "categorical"),
        (["true", "false", ""], "boolean"),
        (["Yes", "No"], "boolean"),
        (["TRUE"], "categorical"),
        (["a", "b", "c"] * 9, "categorical"),
        (["1/5/2014", "12/31/2014"], "datetime"),
        (["20141009T000000", "20150101T000000"], "datetime"),
        (["2013-12-13T19:00:00Z", "2013-12-13T20:00:00Z"], "datetime"),
        (["2014-01-05 10:00:00.123", ""], "datetime"),
        (["2014-01-05", "9999-12-31"], "datetime"),
        (unique(300, "K-{:05d}"), "id"),
        ([str(uuid.UUID(int=i * 2**96 + 7)) for i in range(1, 90)], "id"),
        (unique(300, "person{}@example.com"), "email"),
        (unique(300, "some words {} and some more"), "unknown"),
        (["", "NA"], "categorical"),
    ],
)
def test_columns_are_what_they_seem(texts: Texts, expected: str) -> None:
    assert sdtype(texts) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("customer_id", "id"), ("customerId", "id"), ("id", "id"), ("paid", "numerical")],
)
def test_numbers_are_identifiers_if_their_name_says_so(name: str, expected: str) -> None:
    assert sdtype(unique(300, "{}"), name) == expected


def test_a_number_that_repeats_is_no_identifier() -> None:
    assert sdtype([str(i % 30) for i in range(300)], "shop_id") == "numerical"


@pytest.mark.parametrize("name", ["Name", "last_name", "Full Name"])
def test_names_of_people_are_personal(name: str) -> None:
    found = detect(Table((column(name, unique(300, "Ann {} Smith")),))).columns[name]
    assert found.options == {"pii": True}
    assert "name" in found.sdtype


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pd.Series([True, False]), "boolean"),
        (pd.Series([True, None], dtype="boolean"), "boolean"),
        (pd.Series([0.5, np.nan]), "numerical"),
        (pd.Series(pd.to_datetime(["2014-01-05", None])), "datetime"),
        (pd.Series(["a", None], dtype="category"), "categorical"),
        (pd.Series([None, None]), "categorical"),
    ],
)
def test_types_of_a_frame_are_seen(values: pd.Series, expected: str) -> None:
    frame = pd.concat([values] * 20, ignore_index=True).to_frame("c")
    assert detect(from_frame(frame)).columns["c"].sdtype == expected


def test_the_key_is_unique_and_never_missing() -> None:
    ids = unique(50, "K-{:05d}")
    table = Table((column("a", [*ids[:49], ids[0]]), column("b", ids), column("c", ids)))
    assert detect(table).keys == {"primary_key": "b"}
    assert detect(Table((column("a", [*ids[:49], ids[0]]),))).keys == {}


# Every value of every kind of column holds or is one of these.
SECRET = ("zanzibar", "8675309", "31415", "1987")


def secrets() -> Table:
    rng = np.random.default_rng(0)
    some = [f"zanzibar{i}" for i in range(4)]
    return Table(
        (
            column("category", [some[i % 4] for i in range(400)]),
            column("number", [f"8675309{i}" for i in range(400)]),
            column("decimal", [f"31415.{i}" for i in range(400)]),
            column("order_id", [f"8675309{i}" for i in rng.permutation(400)]),
            column("code", [f"ZANZIBAR-31415-{i:03d}" for i in range(400)]),
            column("mail", [f"zanzibar{i}@31415.org" for i in range(400)]),
            column("name", [f"Zanzibar Smith {i}" for i in range(400)]),
            column("note", [f"zanzibar is {i} words away" for i in range(400)]),
            column("date", [f"1987-03-{1 + i % 28:02d}" for i in range(400)]),
            column("stamp", [f"1987-03-05 10:{i % 60:02d}:00.123" for i in range(400)]),
            column("mixed", ["31415", "zanz8675309"] * 200),
            column("flag", ["zanzibar", "31415"] * 200),
            column("constant", ["8675309"] * 400),
        )
    )


@pytest.mark.parametrize("name", ["a.yaml", "a.json"])
def test_detected_metadata_holds_no_value_of_the_table(name: str) -> None:
    table = secrets()
    text = write(detect(table), name).decode().lower()
    assert all(secret not in text for secret in SECRET)
    values = {t for c in table.columns for t in c.texts}
    assert not values & set(re.findall(r"[\w@.:-]+", text))


def test_ranges_are_published_where_asked_for() -> None:
    found = detect(secrets(), publish_ranges=True)
    options = {name: column.options for name, column in found.columns.items()}
    assert options["category"]["range_values"] == [f"zanzibar{i}" for i in range(4)]
    assert options["number"]["range_min"] == 86753090
    assert options["number"]["range_max"] == 8675309399
    assert options["date"]["range_min"] == "1987-03-01"
    assert options["date"]["range_max"] == "1987-03-28"
    assert options["number"]["range_is_nullable"] is False
    for name in ("order_id", "code", "mail", "name", "note"):
        assert not [key for key in options[name] if key.startswith("range")], name


@pytest.mark.parametrize(
    "texts", [["5", ""], ["a", "", "b"], ["2014-01-01", "NA"], ["yes", "no", ""]]
)
def test_published_ranges_say_whether_values_are_missing(texts: Texts) -> None:
    found = detect(Table((column("c", texts),)), publish_ranges=True)
    assert found.columns["c"].options["range_is_nullable"] is True


@pytest.mark.parametrize("publish", [False, True])
def test_detected_metadata_is_valid_and_fits_its_table(publish: bool) -> None:
    table = secrets()
    found = detect(table, publish)
    content: dict[str, Any] = found.to_sdv("V2" if publish else "V1")
    again = parse(content, "'it'")
    assert again == found
    assert len(resolve(again, table).columns) == len(table.columns)


def test_numbers_that_belong_to_persons_are_no_numbers() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "phone": rng.integers(2_000_000_000, 10**10, 500),
            "account_number": rng.integers(10**7, 10**8, 500),
            "account": rng.integers(1, 10**8, 500),
            "ssn": rng.integers(0, 9, 500),
        }
    )
    found = {name: column.sdtype for name, column in detect(from_frame(frame)).columns.items()}
    assert found == {
        "phone": "id",
        "account_number": "id",
        "account": "numerical",
        "ssn": "numerical",
    }


def test_a_draft_asks_for_all_that_is_public_and_holds_no_value() -> None:
    table = secrets()
    draft = to_declare(detect(table))
    for name, column in draft.columns.items():
        if column.sdtype in ("numerical", "datetime", "categorical", "boolean"):
            assert column.options["range_is_nullable"] == "TODO", name
    filled = {
        name: {k: v for k, v in column.options.items() if v != "TODO"}
        for name, column in draft.columns.items()
    }
    assert filled == {n: {**c.options} for n, c in detect(table).columns.items()}
