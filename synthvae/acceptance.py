"""What becomes of candidates for rows that meet a condition: counts, bounds, and patience."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass

import torch

from synthvae.errors import UsageError
from synthvae.model.limits import Bounds
from synthvae.steering import cut_share

PATIENCE = 600.0  # seconds
SLOW = 0.25  # share of candidates below which it is said how more would be accepted
_FAIR = 3.0  # seconds until it is foreseen how long the rest takes


@dataclass
class Tally:
    """What became of candidates: `accepted` of them meet the condition; of the `mass` of their
    weights, `cut` lay above the last bound. `declare`: columns at whose categories candidates are
    lost, which a model that is conditioned on them is told."""

    candidates: int = 0
    accepted: int = 0
    mass: float = 0.0
    cut: float = 0.0
    declare: tuple[str, ...] = ()

    def add(self, other: Tally) -> None:
        self.candidates += other.candidates
        self.accepted += other.accepted
        self.mass += other.mass
        self.cut += other.cut

    @property
    def acceptance(self) -> float:
        """The share of candidates that meet the condition, and keep the rules of single rows."""
        return self.accepted / max(self.candidates, 1)

    @property
    def slow(self) -> bool:
        """Whether few candidates are accepted."""
        return self.acceptance < SLOW

    @property
    def advice(self) -> str:
        """How none would be lost, if that can be said; or ""."""
        options = " ".join(f"--condition-on {shlex.quote(name)}" for name in self.declare)
        return f"fit with {options} for full speed" if options else ""

    @property
    def distance(self) -> float:
        """An estimate of how far rows are, at most, from what the model says, as total variation;
        0 for plain rejection."""
        return self.cut / self.mass if self.mass else 0.0


@dataclass(frozen=True)
class Measured:
    """A gate that counts what its last bound cuts off."""

    bounds: Bounds
    tally: Tally

    def __call__(
        self, stage: int, log_weight: torch.Tensor, level: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if stage == len(self.bounds.logs) - 1:
            cut, mass = cut_share(log_weight, self.bounds.logs[stage])
            self.tally.cut += cut
            self.tally.mass += mass
        return self.bounds(stage, log_weight, level)


@dataclass(frozen=True)
class Patience:
    """How long rows may take: `seconds` from `started`, on the clock of `time.monotonic`; `advice`:
    how they would take less, or ""."""

    seconds: float
    started: float
    advice: str = ""

    @staticmethod
    def of(seconds: float, advice: str = "") -> Patience:
        return Patience(seconds, time.monotonic(), advice)

    @property
    def _more(self) -> str:
        rest = f", or {self.advice}" if self.advice else ""
        return f"allow more with --max-seconds{rest}"

    def check_plan(self) -> None:
        """UsageError if all of it went by before any row was drawn."""
        took = time.monotonic() - self.started
        if took >= max(self.seconds, _FAIR):
            raise UsageError(
                f"rows are drawn for {self.seconds:,.0f} s at most, but {took:,.0f} s went by in "
                f"finding out how they are best drawn; widen the condition, or {self._more}"
            )

    def check(self, done: int, rows: int, candidates: int, met: str = "met it") -> None:
        """UsageError if it is foreseen that `rows` take longer, where `done` of them were found
        among so many `candidates`; what these did is that they `met` it."""
        took = time.monotonic() - self.started
        rest = took * (rows - done) / max(done, 1)
        if took < _FAIR or took + rest < self.seconds:
            return
        found = f"{done:,} of {candidates:,} candidates"
        left = f"{rows:,} rows would take about {_duration(took + rest)}"
        if not done:
            found, left = f"none of {candidates:,} candidates", "it may be none ever does"
        raise UsageError(
            f"rows are drawn until enough meet the condition, for {self.seconds:,.0f} s at most, "
            f"but {found} {met} in {took:,.0f} s, and {left}; "
            f"ask for fewer, widen the condition, or {self._more}"
        )


def _duration(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:,.0f} seconds"
