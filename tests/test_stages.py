"""How far a work is: the share of all stages, in their order."""

from __future__ import annotations

import pytest

from synthvae.stages import Stages


def test_stages_add_up_to_one() -> None:
    heard: list[tuple[float, str]] = []
    stages = Stages(lambda done, words: heard.append((done, words)), {"a": 1.0, "b": 3.0})
    stages.at("a", 0.0, "one")
    stages.at("a", 0.5, "one")
    stages.at("b", 0.0, "two")
    stages.at("b", 1.0, "two")
    assert [done for done, _ in heard] == pytest.approx([0, 0.125, 0.25, 1])
    assert heard[-1][1] == "two"
