"""Forms of identifiers: a shuffled walk through all texts of a form."""

import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from synthvae.codecs.pattern import Pattern, from_regex, infer


@pytest.mark.parametrize(
    "pattern",
    [
        Pattern(("0123456789",)),
        Pattern(("ab", "-", "xyz", "01")),
        Pattern(("x",)),
        from_regex(r"[a-c]{2}\d")[0][0],
    ],
)
def test_the_walk_meets_every_text_once_before_it_repeats(pattern: Pattern) -> None:
    space = pattern.space
    first = pattern.texts(np.arange(space), np.random.default_rng(0))
    second = pattern.texts(np.arange(space, 2 * space), np.random.default_rng(0))
    assert len(set(first)) == space
    assert (first == second).all()


def test_another_stream_walks_in_another_order() -> None:
    pattern = Pattern(("0123456789",) * 6)
    one, two = (pattern.texts(np.arange(50), np.random.default_rng(seed)) for seed in (0, 1))
    assert (one != two).any()


def test_forms_larger_than_64_bits_stay_unique_and_use_all_places() -> None:
    pattern = Pattern(("0123456789abcdef",) * 40)
    texts = pattern.texts(np.arange(5000), np.random.default_rng(0))
    assert pattern.space == 16**40
    assert len(set(texts)) == 5000
    assert all(len({text[i] for text in texts}) > 8 for i in range(40))


def test_forms_are_inferred_with_their_shares() -> None:
    texts = [f"K-{i:04d}" for i in range(30)] + [f"{i}x" for i in range(10)]
    inferred = infer(texts)
    assert [share for _, share in inferred] == [0.75, 0.25]
    (first, second) = (pattern for pattern, _ in inferred)
    digits = "0123456789"
    # 30 texts share the letter, and their zeros give room; 10 texts are too few to share anything.
    assert first.alphabets == ("K", "-", digits, digits, digits, digits)
    assert second.alphabets == (digits, "abcdefghijklmnopqrstuvwxyz")


def test_a_form_of_few_texts_or_of_marks_alone_is_left_out() -> None:
    common = [f"K{i:05d}" for i in range(300)]
    for rare in (["#-?-!"], ["a-b/c"] * 4):
        ((pattern, share),) = infer([*common, *rare], 5)
        assert (len(pattern.alphabets), share) == (6, 1.0)
    assert infer(["#-?-!"]) == infer(["a-b/c"], 5) == [(Pattern(("0123456789",) * 5), 1.0)]
    assert infer([]) == []


def test_zeros_stay_where_there_is_room_without_them() -> None:
    texts = [f"00{i * 7_919_003 % 9_999_991:07d}" for i in range(300)]
    ((pattern, _),) = infer(texts)
    assert pattern.alphabets[:2] == ("0", "0")
    assert pattern.space == 10**7


@pytest.mark.parametrize(
    ("expression", "alphabets"),
    [
        ("C-[0-2]", ("C", "-", "012")),
        (r"^a\.{2}$", ("a", ".", ".")),
        ("(x[yz]){2}", ("x", "yz", "x", "yz")),
        ("[aab]", ("ab",)),
    ],
)
def test_regular_expressions_are_forms(expression: str, alphabets: tuple[str, ...]) -> None:
    ((pattern, share),) = from_regex(expression)
    assert pattern.alphabets == alphabets
    assert share == 1.0


piece = st.sampled_from(["[A-C]", r"\d", "x", "-", "[0-9a-f]", "(AB|CD)", r"\w"])
repeat = st.sampled_from(["", "", "{2}", "{1,3}", "?", "+"])


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(piece, repeat).map("".join), min_size=1, max_size=4).map("".join),
    st.lists(st.integers(0, 400), max_size=60),
)
def test_texts_of_a_regex_match_it_and_come_once(expression: str, known: list[int]) -> None:
    try:
        forms = from_regex(expression)
    except ValueError as error:
        assume("same text" not in str(error) and "forms" not in str(error))
        assume("no text" not in str(error))
        raise
    rng = np.random.default_rng(0)
    seen: set[str] = set()
    for pattern, _ in forms:
        rows = np.arange(min(pattern.space, 500))
        texts = pattern.texts(rows, np.random.default_rng(0)).tolist()
        avoid = [texts[i % len(texts)] for i in known] + ["of no form at all"]
        assert all(re.fullmatch(expression, text) for text in texts)
        assert len(set(texts)) == len(texts)
        assert not seen & set(texts)
        seen |= set(texts)
        taken = pattern.taken(avoid)
        room = pattern.room(taken)
        assert room <= pattern.space - len(set(avoid)) + 1
        others = pattern.texts(np.arange(min(room, 500)), rng, taken).tolist()
        assert len(set(others)) == len(others)
        assert not set(others) & set(avoid)
        assert all(re.fullmatch(expression, text) for text in others)


@pytest.mark.parametrize("expression", ["(AB|[A-C]B)", "(", "a{99}", r"(?=a)a", "", "[0-9]*"])
def test_what_is_no_form_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"(?s).+"):
        from_regex(expression)
