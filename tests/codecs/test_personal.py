"""Personal data and free text: made up, never copied; only whether it is missing is learnt."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from synthvae.codecs.parts import Draw
from synthvae.codecs.personal import PersonalCodec
from synthvae.errors import SchemaError
from synthvae.schema import MISSING
from synthvae.table import Column

MakeColumn = Callable[..., Column]
Fit = Callable[..., Any]
PROVIDERS = ["email", "first_name", "phone_number", "iban", "sentence"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_nothing_of_the_table_is_held_or_written(provider: str, column: MakeColumn) -> None:
    secrets = [f"zanzibar {i}" for i in range(200)]
    it = column([*secrets, "", "NA"])
    codec = PersonalCodec.fit(it, MISSING, provider)
    out = codec.decode(codec.encode(it, np.random.default_rng(0)), Draw(0, 0), "text").to_pylist()
    assert not set(out) & set(secrets)
    assert "zanzibar" not in json.dumps([codec.to_json(), dict(codec.describe())])
    assert out[-2:] == ["", "NA"]
    assert all(out[:-2])


def test_emails_look_like_emails(fit: Fit) -> None:
    out = fit([f"user{i}@example.com" for i in range(100)]).round_trip()
    assert all("@" in text and " " not in text for text in out)
    assert len(set(out)) > 80


@pytest.mark.parametrize("sdtype", ["text", "unknown"])
def test_free_text_is_made_up_of_words(sdtype: str, fit: Fit) -> None:
    out = fit(["some words"] * 50, sdtype).round_trip()
    assert all(text.endswith(".") and " " in text for text in out)


def test_draws_follow_the_seed_and_the_chunk(column: MakeColumn) -> None:
    it = column(["a"] * 100)
    codec = PersonalCodec.fit(it, MISSING, "name")
    encoded = codec.encode(it, np.random.default_rng(0))
    first = codec.decode(encoded, Draw(1, 0), "text").to_pylist()
    again = PersonalCodec.from_json(json.loads(json.dumps(codec.to_json())))
    assert again.decode(encoded, Draw(1, 0), "text").to_pylist() == first
    assert codec.decode(encoded, Draw(2, 0), "text").to_pylist() != first
    assert codec.decode(encoded, Draw(1, 100), "text").to_pylist() != first


@pytest.mark.parametrize("provider", [*PROVIDERS, "last_name", "name", "user_name"])
def test_a_row_does_not_depend_on_how_many_are_drawn_with_it(
    provider: str, column: MakeColumn
) -> None:
    it = column(["a", ""] * 50)
    codec = PersonalCodec.fit(it, MISSING, provider)
    encoded = codec.encode(it, np.random.default_rng(0))
    many = codec.decode(encoded, Draw(1, 0), "text").to_pylist()
    for n in (1, 37):
        few = codec.decode(encoded.rows(slice(0, n)), Draw(1, 0), "text").to_pylist()
        assert few == many[:n]


def test_every_seed_makes_up_others(column: MakeColumn) -> None:
    it = column(["a"] * 2000)
    codec = PersonalCodec.fit(it, MISSING, "iban")
    encoded = codec.encode(it, np.random.default_rng(0))
    one, two = (set(codec.decode(encoded, Draw(s, 0), "text").to_pylist()) for s in (1, 2))
    assert not one & two


def test_missing_is_null_in_the_typed_view(column: MakeColumn) -> None:
    it = column(["a", None, "b", None], "string")
    codec = PersonalCodec.fit(it, MISSING, "name")
    out = codec.decode(codec.encode(it, np.random.default_rng(0)), Draw(1, 0), "typed")
    assert out.is_null().to_pylist() == [False, True, False, True]
    assert out.type == codec.arrow_type()


def test_a_row_is_of_one_person_and_no_address_comes_twice(column: MakeColumn) -> None:
    rows = 30_000
    it = column(["a"] * rows)
    encoded = PersonalCodec.fit(it, MISSING, "name").encode(it, np.random.default_rng(0))
    first, last, name, email = (
        PersonalCodec.fit(Column(kind, it.codes, it.levels), MISSING, kind, "de_DE")
        .decode(encoded, Draw(3, 100), "text")
        .to_pylist()
        for kind in ("first_name", "last_name", "name", "email")
    )
    assert name == [f"{a} {b}" for a, b in zip(first, last, strict=True)]
    assert len(set(email)) == rows
    assert len(set(name)) > rows / 3
    plain = [i for i in range(rows) if (first[i] + last[i]).isascii() and last[i].isalpha()]
    assert len(plain) > 1000
    assert all(email[i].startswith(f"{first[i]}.".lower().replace("-", "")) for i in plain
               if first[i].isalpha())  # fmt: skip
    assert all(last[i].lower() in email[i] for i in plain)
    assert all("@example." in text for text in email)


def test_a_locale_is_one_that_faker_has(column: MakeColumn) -> None:
    it = column(["a"] * 10)
    with pytest.raises(SchemaError, match="'xx_YY' is none"):
        PersonalCodec.fit(it, MISSING, "name", "xx_YY")
    with pytest.raises(SchemaError, match="locale en_US has none"):
        PersonalCodec.fit(it, MISSING, "kana_name", "en_US")
