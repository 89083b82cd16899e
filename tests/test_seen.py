"""What was seen is found again, and none of it is merged often."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from synthvae.seen import Seen


@given(st.lists(st.lists(st.integers(0, 60), max_size=20), max_size=30))
def test_as_a_set(chunks: list[list[int]]) -> None:
    seen, known = Seen(), set[int]()
    for chunk in chunks:
        keys = np.array(chunk, np.uint64)
        assert seen.holds(keys).tolist() == [key in known for key in chunk]
        seen.add(keys)
        known |= set(chunk)
    assert sum(map(len, seen.runs)) >= len(known)


def test_few_runs_and_few_merges(monkeypatch) -> None:
    merged = []
    union = np.union1d
    monkeypatch.setattr(np, "union1d", lambda a, b: merged.append(len(a) + len(b)) or union(a, b))
    seen = Seen()
    for chunk in range(1000):
        seen.add(np.arange(chunk * 10, chunk * 10 + 10, dtype=np.uint64))
        assert len(seen.runs) <= 10
    assert sum(merged) < 10_000 * 20  # sorting all at every chunk takes 5,000,000
