"""How far a work of several stages is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Told = Callable[[float, str], None]


@dataclass(frozen=True)
class Stages:
    """`weights`: what share of the time each stage takes about, in their order. `told` hears the
    share of the whole that is done, from 0 to 1, and what is being done."""

    told: Told
    weights: Mapping[str, float]

    def at(self, stage: str, share: float, words: str) -> None:
        """`share` of `stage` is done."""
        before = 0.0
        for name, weight in self.weights.items():
            if name == stage:
                break
            before += weight
        done = before + share * self.weights[stage]
        self.told(done / sum(self.weights.values()), words)
