"""The text form of real tables survives their codecs."""

import re
from collections.abc import Collection
from pathlib import Path

import pytest

from synthvae.codecs.categorical import CategoricalCodec
from synthvae.codecs.identifier import IdentifierCodec
from synthvae.codecs.parts import Draw
from synthvae.codecs.personal import PersonalCodec
from synthvae.codecs.table_codec import fit_table_codec
from synthvae.detect import detect
from synthvae.reading import read_table
from synthvae.schema import MISSING, resolve
from synthvae.table import Table

SHARED = Path(__file__).parent.parent.parent.parent / "shared" / "data"
NAMES = [
    "adult",
    "beijing",
    "default",
    "kc_house",
    "magic",
    "nycflights13",
    "onlineretail",
    "shoppers",
]
ROWS = 8_000


NUMBER = re.compile(r"(-?)\d+(?:\.(\d+))?")
POINT_ZERO = re.compile(r"-?\d+\.0").fullmatch


def form_of(texts: Collection[str]) -> re.Pattern[str]:
    """The regular expression of a column. Numbers: whether there are signs, and how many places at
    least and at most. Other texts, such as dates: the places of their digits."""
    others = [text for text in texts if not NUMBER.fullmatch(text)]
    forms = {re.sub(r"\d", r"\\d", re.escape(t)) for t in others if "e" not in t.lower()}
    # Numbers with exponents: by the letter alone, their digits are as many as it takes.
    forms |= {rf"-?\d(\.\d+)?{e}[-+]\d+" for e in "eE" if any(e in text for text in others)}
    if numbers := [found for text in texts if (found := NUMBER.fullmatch(text))]:
        places = [len(found[2] or "") for found in numbers]
        # Where places differ they are as few as it takes: none for a whole number, if not '12.0'.
        bare = not min(places) or (min(places) < max(places) and not any(map(POINT_ZERO, texts)))
        low, high = 1 if bare else min(places), max(places)
        decimals = rf"(\.\d{{{low},{high}}}){'?' if bare else ''}" if high else ""
        forms.add(("-?" if any(found[1] for found in numbers) else "") + r"\d+" + decimals)
    return re.compile("|".join(forms))


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the real tables are not here")
@pytest.mark.parametrize("numeric", ["cells", "modes"])
@pytest.mark.parametrize("name", NAMES)
def test_the_text_form_of_a_real_table_survives(name: str, numeric: str) -> None:
    whole = read_table(str(SHARED / name / "train.csv.gz"))
    rows = whole.rows(slice(0, ROWS))
    table = Table(tuple(column.compact() for column in rows.columns))
    codec = fit_table_codec(resolve(detect(table), table), table, numeric)  # type: ignore[arg-type]
    out = codec.decode(codec.encode(table, 0), Draw(0, 0), "text")
    assert out.column_names == list(table.names)
    for column in table.columns:
        levels, new = column.texts, out.column(column.name).to_pylist()
        old = [levels[code] for code in column.codes]
        assert [text if text in MISSING else "x" for text in new] == [
            text if text in MISSING else "x" for text in old
        ], column.name
        kind = codec[column.name]
        if isinstance(kind, CategoricalCodec):
            assert new == old, column.name
        elif not isinstance(kind, IdentifierCodec | PersonalCodec):
            form = form_of(column.texts)
            assert all(form.fullmatch(text) for text in column.texts)
            strange = [text for text in new if not form.fullmatch(text)]
            assert not strange, (column.name, form.pattern)
