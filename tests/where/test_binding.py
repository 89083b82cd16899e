"""Conditions held against a table: the rows that meet them, what they ask of blocks, and errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthvae.codecs.allowed import ValueSet
from synthvae.codecs.parts import Draw
from synthvae.codecs.table_codec import NUMERIC, TableCodec, fit_table_codec
from synthvae.detect import detect
from synthvae.errors import UsageError
from synthvae.schema import resolve
from synthvae.table import from_frame
from synthvae.where.binding import Condition

KINDS = pytest.mark.parametrize("kind", list(NUMERIC))
CONDITIONS = [
    ("group == 'rare'", lambda f: f.group == "rare"),
    ("group != 'rare'", lambda f: f.group != "rare"),
    ("group in ['rare', 'low']", lambda f: f.group.isin(["rare", "low"])),
    ("visits >= 4", lambda f: f.visits >= 4),
    ("2 < visits <= 4 or visits == 7", lambda f: f.visits.isin([3, 4, 7])),
    ("score > 4.5", lambda f: f.score > 4.5),
    ("score != 0.5", lambda f: f.score.notna() & (f.score != 0.5)),
    ("score is missing", lambda f: f.score.isna()),
    ("not score > 4.5", lambda f: f.score <= 4.5),  # as in SQL, missing is neither
    ("spend == 0", lambda f: f.spend == 0),
    ("spend between 10.5 and 60.25", lambda f: f.spend.between(10.5, 60.25)),
    ("since < '2021-06-01'", lambda f: f.since < "2021-06-01"),
    ("active == true", lambda f: f.active),
    ("visits > score", lambda f: f.visits > f.score),
    ("group == 'high' and (score is missing or visits > 9)",
     lambda f: (f.group == "high") & (f.score.isna() | (f.visits > 9))),
    ("customer_id is not missing", lambda f: f.visits >= 0),
]  # fmt: skip


@pytest.fixture(scope="module")
def codecs(frame: pd.DataFrame) -> dict[str, TableCodec]:
    table = from_frame(frame)
    schema = resolve(detect(table), table, frozenset())
    return {kind: fit_table_codec(schema, table, kind) for kind in NUMERIC}


@KINDS
@pytest.mark.parametrize(("text", "expected"), CONDITIONS)
def test_rows_that_meet_it_are_those_of_pandas(
    kind: str, text: str, expected, codecs: dict[str, TableCodec], frame: pd.DataFrame
) -> None:
    codec = codecs[kind]
    encoded = codec.encode(from_frame(frame), 0)
    decoded = codec.decode(encoded, Draw(3, 0), "typed").to_pandas()
    condition = Condition.of(text, codec)
    met = condition.meets(encoded, Draw(3, 0))
    assert np.array_equal(met, expected(decoded).to_numpy(bool))
    for at, mask in condition.restriction.classes.items():
        codes = encoded.codes[met, at]
        assert mask[codes[codes >= 0]].all()
    blocks = codec.layout.of_kind("categorical")
    for at, spans in condition.restriction.spans.items():
        column = codec.layout.of_kind("scalar")[at].column
        own = [i for i, block in enumerate(blocks) if block.column == column]
        values = encoded.scalars[met, at]
        rows = spans[encoded.codes[met, own[0]] if own else np.zeros(len(values), int)]
        inside = (values[:, None] >= rows[:, :, 0] - 1e-5) & (
            values[:, None] <= rows[:, :, 1] + 1e-5
        )
        assert inside.any(axis=1)[~np.isnan(values)].all()


def test_single_columns_are_asked_of_blocks_and_the_rest_is_not(
    codecs: dict[str, TableCodec],
) -> None:
    codec = codecs["quantiles"]

    def limited(text: str) -> set[str]:
        own = Condition.of(text, codec).restriction
        names = [block.column for block in codec.layout.of_kind("categorical")]
        scalars = [block.column for block in codec.layout.of_kind("scalar")]
        return {names[at] for at in own.classes} | {scalars[at] for at in own.spans}

    assert limited("group == 'rare' and visits > 3") == {"group", "visits"}
    assert limited("group == 'rare' or visits > 3") == set()
    shared = "(group == 'rare' and visits > 3) or (group == 'low' and active == true)"
    assert limited(shared) == {"group"}
    assert limited("visits > score and visits > 3") == {"visits"}
    assert limited("group == 'rare' or visits > 1000") == {"group"}  # the other never is


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("grup == 'low'", "did you mean 'group'"),
        ("group == low", "'low' is none"),
        ("group == 'lwo'", "did you mean 'low'"),
        ("group == ' low'", "did you mean 'low', with its spaces"),
        ("group < 'low'", "holds categories"),
        ("visits > 'many'", "holds numbers"),
        ("since > '2021-13-01'", "holds dates"),
        ("since > 2021", "quoted"),
        ("visits > 1000", "it writes 0 to"),
        ("visits > 3 and visits < 2", "'visits'"),
        ("group is missing", "'group'"),
        ("customer_id == 'K-00001'", "made up"),
        ("visits > group", "'visits' holds numbers and 'group' categories"),
        ("group < active", "no order"),
    ],
)
def test_what_can_not_be_is_an_error(text: str, words: str, codecs: dict[str, TableCodec]) -> None:
    with pytest.raises(UsageError) as caught:
        Condition.of(text, codecs["quantiles"])
    assert words in str(caught.value)


def test_all_reasons_come_at_once(codecs: dict[str, TableCodec]) -> None:
    with pytest.raises(UsageError) as caught:
        Condition.of("grup == 'a' and group in ['x', 'y'] and visits > 'z'", codecs["cells"])
    assert len(caught.value.reasons) == 4


def test_sets_of_values() -> None:
    none = np.zeros(2, bool)
    a = ValueSet(none, np.array([[0.0, 2.0], [5.0, 6.0]]))
    b = ValueSet(~none, np.array([[1.0, 5.5]]))
    assert (a & b).spans.tolist() == [[1.0, 2.0], [5.0, 5.5]]
    assert (a | b).spans.tolist() == [[0.0, 6.0]]
    assert (a | b).forms.all()
    assert not (a & b).forms.any()
    held = a.holds(np.array([2.0, 3.0, np.nan, 0.0]), np.array([-1, -1, 1, -1], np.int32))
    assert held.tolist() == [True, False, False, True]


@KINDS
@pytest.mark.parametrize("text", ["visits > visits", "group != group", "since < since"])
def test_a_column_that_differs_from_itself_is_refused_at_once(
    kind: str, text: str, codecs: dict[str, TableCodec]
) -> None:
    name = text.split()[0]
    with pytest.raises(UsageError, match=f"no value of column '{name}' does"):
        Condition.of(text, codecs[kind])
    assert Condition.of(f"{text} or visits == 3", codecs[kind]).restriction.classes
