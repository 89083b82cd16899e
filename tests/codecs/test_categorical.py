"""Categories: every written form comes back exactly."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthvae.errors import SchemaError

Fit = Callable[..., Any]
TEXT = st.text(max_size=5) | st.sampled_from(["", "NA", "007", "TRUE", 'a,"b"\n', "é表"])


@settings(deadline=None)
@given(texts=st.lists(TEXT, min_size=1, max_size=20), present=st.text("x", min_size=1))
def test_every_written_form_is_restored_and_its_code_stable(
    texts: list[str], present: str, fit: Fit
) -> None:
    rows = [*texts, present]
    fitted = fit(rows, "categorical")
    encoded = fitted.encode()
    assert fitted.sizes == (len(set(rows)),)
    assert fitted.decode(encoded) == rows
    again = fitted.encode(fitted.decode(encoded))
    assert (again.codes == encoded.codes).all()
    assert fitted.again().round_trip() == rows
    assert fitted.again().round_trip("typed") == fitted.round_trip("typed")


def test_levels_stand_in_alphabetical_order_so_that_order_tells_nothing(fit: Fit) -> None:
    one, two = fit(["b", "a", "c", "b"], "categorical"), fit(["c", "b", "b", "a"], "categorical")
    assert one.codec == two.codec
    assert one.one.describe() == {"categories": ["a", "b", "c"]}


@pytest.mark.parametrize(
    ("texts", "storage", "typed"),
    [
        (["TRUE", "FALSE", "NA"], "text", [True, False, None]),
        (["Yes", "No", ""], "text", ["Yes", "No", None]),
        (["a", None, "b"], "string", ["a", None, "b"]),
        (["None", "NA", None, "x"], "string", ["None", "NA", None, "x"]),
        (["", "a", "b"], "string", ["", "a", "b"]),
        (["3", "1", None], "int64", [3, 1, None]),
        (["0.5", "2"], "double", [0.5, 2.0]),
        (["true", None, "false"], "bool", [True, None, False]),
    ],
)
def test_the_typed_view_has_the_type_of_the_table(
    texts: list[str | None], storage: str, typed: list[object], fit: Fit
) -> None:
    fitted = fit(texts, "categorical", storage=storage)
    assert fitted.round_trip("typed") == typed


def test_a_missing_category_is_none_in_pandas(fit: Fit) -> None:
    """pandas refuses a dictionary that holds a null."""
    from synthvae.codecs.parts import Draw

    fitted = fit(["b", None, "a", None], "categorical", storage="string")
    frame = fitted.codec.decode(fitted.encode(), Draw(0, 0), "typed").to_pandas()
    assert frame["c"].isna().tolist() == [False, True, False, True]
    assert frame["c"].cat.categories.tolist() == ["a", "b"]


def test_a_category_that_was_never_seen_is_refused_with_its_row(fit: Fit) -> None:
    fitted = fit(["a", "b"], "categorical")
    with pytest.raises(SchemaError, match=r"2 rows hold others, first 'x' in row 2; check"):
        fitted.encode(["a", "x", "x"])


def test_missing_that_was_never_seen_is_refused(fit: Fit) -> None:
    fitted = fit(["a", "b"], "categorical")
    with pytest.raises(SchemaError, match=r"1 rows hold others, first '' in row 2"):
        fitted.encode(["a", None])


def test_text_is_a_dictionary_of_all_categories(fit: Fit) -> None:
    assert fit(["a", "b"], "categorical").one.arrow_type() == pa.dictionary(pa.int32(), pa.string())
