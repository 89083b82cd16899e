"""Forms of identifiers: a shuffled walk through all texts of a form."""

import numpy as np
import pytest

from synthvae.codecs.pattern import Pattern, from_regex, infer


@pytest.mark.parametrize(
    "pattern",
    [
        Pattern(("0123456789",)),
        Pattern(("ab", "-", "xyz", "01")),
        Pattern(("x",)),
        from_regex(r"[a-c]{2}\d"),
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
        ("a?b", ("a", "b")),
        ("[aab]", ("ab",)),
    ],
)
def test_regular_expressions_are_forms(expression: str, alphabets: tuple[str, ...]) -> None:
    assert from_regex(expression).alphabets == alphabets
