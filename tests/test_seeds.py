"""Streams are found by name: the same name gives the same numbers, in any order."""

import numpy as np
import pytest

from synthvae.seeds import derive, stream


def draws(seed: int, *names: str | int) -> np.ndarray:
    return stream(seed, *names).random(1000)


def test_the_same_name_is_the_same_stream_whatever_was_drawn_before() -> None:
    first = draws(3, "rows", 8192)
    draws(3, "other")
    assert (draws(3, "rows", 8192) == first).all()


@pytest.mark.parametrize(
    "other",
    [(4, "rows", 0), (3, "rows", 1), (3, "row", 0), (3, "rows"), (3, "rows0"), (30, "rows")],
)
def test_another_seed_or_name_is_another_independent_stream(other: tuple[int, str, int]) -> None:
    one, two = draws(3, "rows", 0), draws(*other)
    assert not np.isin(one, two).any()
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.15  # 4.7 standard errors of 1,000 pairs


def test_names_are_not_run_together() -> None:
    names = [("ab", "c"), ("a", "bc"), ("abc",), (1, 11), (11, 1), (111,), ("a", 1), ("a1",)]
    assert len({derive(0, *name) for name in names}) == len(names)


def test_derived_seeds_fit_63_bits_and_use_them() -> None:
    seeds = [derive(0, "weights", i) for i in range(200)]
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert max(seeds) > 2**62
    assert len(set(seeds)) == 200


def test_streams_do_not_depend_on_the_version_of_this_code() -> None:
    """The same model and seed give the same rows in every release, so these numbers stay."""
    assert derive(7, "decode", "age", 0) == 561954275417906985
    assert stream(7, "decode", "age", 0).integers(0, 1000, 4).tolist() == [659, 745, 953, 198]
