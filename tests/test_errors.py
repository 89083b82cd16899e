"""The tree of errors, and messages that say all that is wrong at once."""

import re
from pathlib import Path

import pytest

from synthvae import errors
from synthvae.errors import Problems, SchemaError, SynthvaeError, hint


def kinds() -> list[type[SynthvaeError]]:
    return [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, SynthvaeError)
    ]


@pytest.mark.parametrize("kind", kinds())
def test_every_error_stands_in_the_drawn_tree_with_its_exit_code(kind: type[SynthvaeError]) -> None:
    drawn = re.search(rf"^ *{kind.__name__} +(?:exit code )?(\d+)", errors.__doc__ or "", re.M)
    assert drawn is not None
    assert int(drawn[1]) == kind.exit_code


def test_exit_codes_tell_gate_usage_and_data_apart() -> None:
    assert {kind.exit_code for kind in kinds()} == {1, 2, 3, 70}


def test_problems_are_raised_all_at_once() -> None:
    problems = Problems()
    problems.add("first")
    problems.add("second")
    with pytest.raises(SchemaError) as caught:
        problems.raise_as(SchemaError)
    assert caught.value.reasons == ("first", "second")
    assert str(caught.value) == "first\nsecond"


def test_no_problems_raise_nothing() -> None:
    Problems().raise_as(SchemaError)


@pytest.mark.parametrize(
    ("word", "words"),
    [("numericall", "did you mean 'numerical'?"), ("xyz", "known: categorical, numerical")],
)
def test_hints_name_a_close_word_or_all(word: str, words: str) -> None:
    assert hint(word, ["numerical", "categorical"]) == words


def test_no_error_is_raised_that_the_tree_does_not_know() -> None:
    """A user meets words, so no file of the lower half raises a bare built-in error on purpose."""
    folder = Path(errors.__file__).parent
    lower = "files layout storage table reading writing written metadata schema detect conditions"
    for name in lower.split():
        text = (folder / f"{name}.py").read_text(encoding="utf-8")
        assert not re.findall(r"raise (ValueError|TypeError|KeyError|RuntimeError)", text), name
