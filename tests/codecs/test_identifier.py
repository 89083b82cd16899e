"""Identifiers: of the same form, unique, and never one of the table."""

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthvae.codecs.identifier import IdentifierCodec
from synthvae.codecs.parts import Draw
from synthvae.codecs.pattern import Pattern
from synthvae.errors import SchemaError
from synthvae.schema import MISSING
from synthvae.table import Column

MakeColumn = Callable[..., Column]
ROWS = 100_000


def drawn(codec: IdentifierCodec, rows: int, chunk: int, view: Any = "text") -> list[Any]:
    """`rows` identifiers without any missing, `chunk` at a time."""
    out: list[Any] = []
    one = Column("c", np.zeros(1, np.int32), pa.array(["some"]), codec.presence.storage)
    present = codec.encode(one, np.random.default_rng(0))
    for start in range(0, rows, chunk):
        index = np.zeros(min(chunk, rows - start), int)
        out += codec.decode(present.rows(index), Draw(7, start), view).to_pylist()
    return out


def hexadecimals(count: int) -> list[str]:
    rng = np.random.default_rng(0)
    return [str(uuid.UUID(bytes=rng.bytes(16), version=4)) for _ in range(count)]


def mixed(count: int) -> list[str]:
    rng = np.random.default_rng(0)
    return [f"{rng.choice(['C', ''])}{n}" for n in rng.integers(100_000, 999_999, count)]


SPARSE = [
    (hexadecimals(300), r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"),
    (
        [f"{'ABCDEFG'[i % 7]}X-{i * 7_919_003 % 9_999_991:07d}-é" for i in range(300)],
        r"[A-Z]X-\d{7}-é",
    ),
    ([f"{i * 2_147_483_647 % 10**12:012d}" for i in range(300)], r"\d{12}"),
    ([f"user{i * 7919 % 99_991:06d}@x.org" for i in range(300)], r"user\d{6}@x\.org"),
    ([f"ЖЩ{i * 7919 % 99_991:08d}" for i in range(300)], r"ЖЩ\d{8}"),
]


@pytest.mark.parametrize(("texts", "form"), SPARSE)
def test_identifiers_keep_their_form_and_are_unique_across_chunks(
    texts: list[str], form: str, column: MakeColumn
) -> None:
    codec = IdentifierCodec.fit(column(texts), MISSING, None)
    out = drawn(codec, ROWS, 8192)
    assert len(set(out)) == ROWS
    assert all(re.fullmatch(form, text) for text in out)
    assert all(re.fullmatch(form, text) for text in texts)


@pytest.mark.parametrize(("texts", "form"), SPARSE[:3])
def test_identifiers_of_the_table_are_not_repeated(
    texts: list[str], form: str, column: MakeColumn
) -> None:
    out = drawn(IdentifierCodec.fit(column(texts), MISSING, None), ROWS, ROWS)
    # By chance: 100,000 draws meet 300 texts among at least 2.6 * 10^8 about 0.1 times.
    assert len(set(out) & set(texts)) <= 5


def test_hexadecimals_vary_at_every_place(column: MakeColumn) -> None:
    out = drawn(IdentifierCodec.fit(column(hexadecimals(300)), MISSING, None), 3000, 3000)
    for place in (i for i in range(36) if i not in (8, 13, 14, 18, 23)):
        assert len({text[place] for text in out}) > 8, place


@pytest.mark.parametrize(
    "texts",
    [
        [str(i) for i in range(1, 1001)],
        ["a1", "b2", "c3"],
        ["7"],
        [f"N{i}AB" for i in range(100, 400)],
        mixed(500),
        ["-", "x"],
    ],
)
@pytest.mark.parametrize("chunk", [8192, ROWS])
def test_a_form_that_is_too_narrow_goes_on_with_longer_texts(
    texts: list[str], chunk: int, column: MakeColumn
) -> None:
    codec = IdentifierCodec.fit(column(texts), MISSING, None)
    out = drawn(codec, ROWS, chunk)
    assert len(set(out)) == ROWS
    longest = max(map(len, texts))
    assert all(len(text) <= longest for text in out[: min(p.space for p in codec.patterns)])


def test_leading_zeros_give_room_and_a_first_digit_is_not_zero(column: MakeColumn) -> None:
    texts = [f"CUST-{i:06d}" for i in range(300)]
    out = drawn(IdentifierCodec.fit(column(texts), MISSING, None), ROWS, 8192)
    assert all(re.fullmatch(r"CUST-\d{6}", text) for text in out)
    numbers = drawn(IdentifierCodec.fit(column(mixed(500)), MISSING, None), 1000, 1000)
    assert not any(text.startswith("0") for text in numbers)


def test_forms_come_as_often_as_in_the_table(column: MakeColumn) -> None:
    texts = [f"{i:05d}" for i in range(900)] + [f"C{i:06d}" for i in range(100)]
    out = drawn(IdentifierCodec.fit(column(texts), MISSING, None), 20_000, 8192)
    share = sum(text.startswith("C") for text in out) / len(out)
    assert abs(share - 0.1) < 0.01


SECRET = [
    "jane.smith@secret.example",
    "Öztürk-Großmann",
    "山田太郎",
    "secret phrase of mine",
    "Zoë",
]


@pytest.mark.parametrize("others", [0, 10, 500])
def test_a_codec_holds_no_identifier_of_the_table(others: int, column: MakeColumn) -> None:
    """Also not one of a form that no other has."""
    texts = [*SECRET, *(f"K-{i * 7919 % 99_991:05d}" for i in range(others))]
    codec = IdentifierCodec.fit(column(texts), MISSING, None)
    held = json.dumps([codec.to_json(), codec.describe()], ensure_ascii=False)
    joined = ["".join(pattern.alphabets) for pattern in codec.patterns]
    out = drawn(codec, 20_000, 20_000)
    for secret in SECRET:
        words = [word for word in re.split(r"\W+", secret) if len(word) > 1]
        assert not any(word in text for word in words for text in [held, *joined])
        assert secret not in out


@pytest.mark.parametrize(
    ("storage", "low", "high", "rows"),
    [
        ("int64", 10**18, 2**63 - 1, ROWS),
        ("int64", 1, 99, ROWS),
        ("int32", 10**9, 2**31 - 1, ROWS),
        ("uint64", 10**19, 2**64 - 1, ROWS),
        ("int16", 10_000, 2**15 - 1, 20_000),
        ("decimal128(10, 0)", 10**9, 10**10 - 1, ROWS),
    ],
)
def test_identifiers_that_are_numbers_fit_their_type(
    storage: str, low: int, high: int, rows: int, column: MakeColumn
) -> None:
    rng = np.random.default_rng(0)
    kind = np.uint64 if storage == "uint64" else np.int64
    texts = [str(n) for n in rng.integers(low, high, 500, dtype=kind, endpoint=True)]
    out = drawn(IdentifierCodec.fit(column(texts, storage), MISSING, None), rows, 8192, "typed")
    assert len(set(out)) == rows
    assert all(0 < number <= 2**64 - 1 for number in out)


def codec_of(numbers: Any, storage: str, column: MakeColumn) -> IdentifierCodec:
    return IdentifierCodec.fit(column([str(n) for n in numbers], storage), MISSING, None)


@pytest.mark.parametrize(
    ("numbers", "storage", "rows"),
    [
        (range(1, 128), "int8", 90),
        (range(-128, 128), "int8", 90),
        ([*range(123_456_000, 123_457_000), *range(2_000_000_000, 2_000_001_000)], "int32", 5000),
        (range(-99, 100), "int64", 150),
    ],
)
def test_no_number_comes_twice_however_it_is_written(
    numbers: Any, storage: str, rows: int, column: MakeColumn
) -> None:
    codec = codec_of(numbers, storage, column)
    assert sum(codec.shares) == pytest.approx(1)
    out = drawn(codec, rows, 64, "typed")
    assert len(set(out)) == rows
    if storage == "int8":
        with pytest.raises(SchemaError, match="91 of its form do not fit int8"):
            codec.short_of(91)
    assert codec.short_of(90) is None
    low, high = {"int8": (-128, 127), "int32": (-(2**31), 2**31 - 1)}.get(storage, (-999, 999))
    assert low <= min(out) <= max(out) <= high


def test_what_is_to_be_avoided_is_looked_through_once(
    column: MakeColumn, monkeypatch: pytest.MonkeyPatch
) -> None:
    codec = replace(codec_of(range(10_000, 20_000), "string", column), avoid=("12345", "678"))
    calls = []
    monkeypatch.setattr(Pattern, "taken", lambda *a: calls.append(a) or np.zeros(0, np.int64))
    assert len(drawn(codec, 1000, 10)) == 1000
    assert len(calls) == len(codec.patterns)


def test_a_declared_form_is_kept(column: MakeColumn) -> None:
    codec = IdentifierCodec.fit(column(["whatever"]), MISSING, r"^C-[0-9]{3}[A-F\d](xy){2}\w\.$")
    out = drawn(codec, ROWS, 8192)
    assert len(set(out)) == ROWS
    assert all(re.fullmatch(r"C-[0-9]{3}[A-F\d](xy){2}\w\.", text) for text in out)


@pytest.mark.parametrize("expression", ["[^a]", ".", "a*", "(", r"\s", "", "^$"])
def test_a_form_that_cannot_be_drawn_is_refused(expression: str, column: MakeColumn) -> None:
    with pytest.raises(SchemaError, match="a regex_format is made of literals, classes, repeats"):
        IdentifierCodec.fit(column(["a"]), MISSING, expression)


def test_missing_is_exact_and_json_decodes_the_same(column: MakeColumn) -> None:
    it = column(["K-1", "", "K-2", "NA", "K-3"] * 20)
    codec = IdentifierCodec.fit(it, MISSING, None)
    encoded = codec.encode(it, np.random.default_rng(0))
    out = codec.decode(encoded, Draw(3, 0), "text").to_pylist()
    assert [t if t in ("", "NA") else "K" for t in out] == ["K", "", "K", "NA", "K"] * 20
    assert codec.decode(encoded, Draw(3, 0), "typed").null_count == 40
    again = IdentifierCodec.from_json(json.loads(json.dumps(codec.to_json())))
    assert again.decode(encoded, Draw(3, 0), "text").to_pylist() == out
    assert codec.decode(encoded, Draw(4, 0), "text").to_pylist() != out


def test_without_missing_there_is_nothing_to_learn(column: MakeColumn) -> None:
    codec = IdentifierCodec.fit(column(["K-1", "K-2"]), MISSING, None)
    assert codec.blocks == ()
