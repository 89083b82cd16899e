"""Real tables come out of a tiny fit with the form of every column intact, and no key of theirs."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pytest

from synthvae import opening, pipeline
from synthvae.keys import avoiding
from synthvae.reading import read_table
from synthvae.settings import parse
from synthvae.table import Table, from_arrow

SHARED = Path(__file__).parent.parent.parent / "shared" / "data"
ROWS = {"kc_house": 4000, "nycflights13": 4000, "onlineretail": 6000}
NUMBER = re.compile(r"-?\d+(\.\d+)?")

EXPONENT = re.compile(r"-?\d(\.\d+)?[eE][-+]\d+")


def form(text: str) -> str:
    """What a text looks like: digits and letters by their class; a plain number by sign and places,
    however many digits stand before the point."""
    if EXPONENT.fullmatch(text):
        return "number with an exponent"
    if NUMBER.fullmatch(text):
        places = len(text.partition(".")[2])
        return f"number of {places} places" if not re.match(r"-?0\d", text) else "code"
    return re.sub("[a-z]+", "a", re.sub("[A-Z]+", "A", re.sub(r"\d+", "9", text)))


def forms(table: Table, name: str) -> set[str]:
    column = table[name]
    texts = [column.texts[i] for i in set(column.codes.tolist()) if i >= 0]
    return {form(text) for text in texts} | ({""} if column.n_null else set())


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the real tables are not here")
@pytest.mark.parametrize("name", ROWS)
def test_forms_of_columns_stay(name: str) -> None:
    whole = read_table(str(SHARED / name / "train.csv.gz"))
    step = max(len(whole) // ROWS[name], 1)
    table = whole.rows(slice(0, step * ROWS[name], step))
    table = Table(tuple(column.compact() for column in table.columns))
    settings = {"preset": "tvae", "training": {"epochs": 1, "batch": 500}}
    artifact = pipeline.fit(table, None, parse(settings))
    sampler = opening.sampler(artifact)
    sampler.codec = avoiding(sampler.codec, table)
    chunks = list(sampler.chunks(4000, 0, "text", threads=1))
    rows = from_arrow(pa.concat_tables(chunks).unify_dictionaries(), "the drawn rows")
    kinds = {entry["name"]: entry["kind"] for entry in artifact.content["codec"]["codecs"]}
    for column in table.columns:
        if kinds[column.name] == "personal":
            continue  # sentences and names have no form of their own
        real, drawn = forms(table, column.name), forms(rows, column.name)
        assert drawn - {""} <= real | coarser(real), (column.name, drawn - real)
        absent = column.n_null + sum(
            n for text, n in zip(column.texts, column.counts, strict=True) if text == ""
        )
        assert not drawn & {""} or absent, column.name
        assert absent < 0.02 * len(table) or "" in drawn, column.name
        if kinds[column.name] == "identifier":
            assert not set(rows[column.name].texts) & (set(column.texts) - {""}), column.name


def coarser(real: set[str]) -> set[str]:
    """Numbers with fewer places than the finest: of mixed precision."""
    places = [int(f.split()[2]) for f in real if f.startswith("number of")]
    return {f"number of {n} places" for n in range(max(places, default=-1) + 1) if len(places) > 1}
