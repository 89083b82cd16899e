"""How rows within limits are best drawn from a model: a plan, made from a trial run.

If rows that meet the limits are not rare, plain rejection is cheap and exact: all bounds are 1.
Else the trial says how large weights become, and each gate's bound is put where hardly any of them
lies above it; and classes that precede what is allowed are drawn more often (`Limits.tilt`), by
as much as brings the frequencies of rows that are drawn to those of rows that are wanted
(cross-entropy method, Rubinstein & Kroese 2004: the step that minimises the Kullback-Leibler
divergence of the proposal from the target in one block is the shift of its logits that equates
both).

The last bound cuts weights above it off. What is cut is a share of the rows' mass, at most `CUT` in
the trial, and the distance (total variation) of what is drawn from what the model says is below it
or as large; sampling goes on measuring it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from synthvae.model.limits import Bounds, Guidance, Limits, Survivors
from synthvae.model.vae import Vae
from synthvae.model.values import Rows
from synthvae.seeds import stream

EXACT = 0.05  # limits that this share of the rows meets are met by plain rejection
CUT = 0.005
_EARLY = 0.05  # share of the mass that may lie above an earlier bound: it is not cut off
_TRIAL = 16_384
_ROUNDS = 3
_ENOUGH = 0.25  # acceptance at which another trial costs more than it saves
_CLOSER = 8  # steps towards equal frequencies
_LIKE = 2048  # rows of equal weight that frequencies are counted in
_MOST_TILT = 8.0

Given = Callable[[np.random.Generator, int], Rows]


@dataclass(frozen=True)
class Plan:
    """`limits`, steered or not; `bounds`: logs, one a gate; `accepted`: the share of rows that pass
    all gates; `probable`: the log share of the model's rows that lie within the limits."""

    limits: Limits
    bounds: tuple[float, ...]
    accepted: float
    probable: float

    @property
    def exact(self) -> bool:
        """Whether no weight can lie above the last bound."""
        return self.limits.tilt is None and all(bound >= 0 for bound in self.bounds)


class _Trial:
    """A gate that chooses each bound when it is asked. At the last one rows are taken by their
    weights, some of them more than once: it is these that frequencies are counted in."""

    def __init__(self, gates: int) -> None:
        self.bounds: list[float] = []
        self.gates = gates
        self.weight = torch.empty(0)

    def __call__(self, stage: int, log_weight: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        last = stage == self.gates - 1
        self.bounds.append(_bound(log_weight, CUT if last else _EARLY))
        if not last:
            return Bounds(self.bounds)(stage, log_weight, level)
        self.weight = log_weight
        taken = _by_weight(log_weight)
        return taken, torch.zeros(len(taken), dtype=torch.double)


def _by_weight(log_weight: Tensor) -> Tensor:
    """Positions of `_LIKE` rows, at even steps of the summed weights; none if there is no row."""
    if not len(log_weight):
        return torch.empty(0, dtype=torch.long)
    steps = (torch.arange(_LIKE, dtype=torch.double) + 0.5) / _LIKE
    share = torch.softmax(log_weight, dim=0).cumsum(dim=0)
    return torch.searchsorted(share, steps).clamp(max=len(log_weight) - 1)


@torch.no_grad()
def planned(model: Vae, limits: Limits, given: Given, seed: int) -> Plan:
    """A plan for rows of `model` within `limits`. It depends on nothing but these and the seed;
    `given` draws given rows."""
    gates = model.decoder.gates(limits)
    if not gates:
        return Plan(limits, (), 1.0, 0.0)
    trial = _Run(model, limits, gates, given, seed, 0)
    best = trial.plan
    if math.exp(trial.plan.probable) >= EXACT:
        return replace(best, bounds=(0.0,) * gates, accepted=math.exp(best.probable))
    for number in range(1, _ROUNDS + 1):
        if best.accepted >= _ENOUGH or (tilt := trial.tilt()) is None:
            break
        trial = _Run(model, replace(limits, tilt=tilt), gates, given, seed, number)
        best = max(best, trial.plan, key=lambda plan: plan.accepted)
    return best


class _Run:
    """One trial of `limits`."""

    def __init__(
        self, model: Vae, limits: Limits, gates: int, given: Given, seed: int, number: int
    ) -> None:
        rng = stream(seed, "plan", number)
        self.model, self.limits = model, limits
        gate = _Trial(gates)
        self.noise, self.given = model.noise(rng, _TRIAL), given(rng, _TRIAL)
        task = Guidance(model.heads, limits, gate, levels(rng, _TRIAL, gates))
        self.drawn: Survivors = model.within(self.given, self.noise, task)
        self.weight = gate.weight
        total = torch.logsumexp(self.weight, dim=0).item() if len(self.weight) else -math.inf
        above = _excess(self.weight, gate.bounds[-1]) if len(self.weight) else 0.0
        shared = math.exp(total - gate.bounds[-1]) - above if len(self.weight) else 0.0
        self.plan = Plan(limits, tuple(gate.bounds), shared / _TRIAL, total - math.log(_TRIAL))

    def tilt(self) -> Tensor | None:
        """Nats [O] to add to every class, from rows taken by their weights; None if no rows are
        left or nothing is drawn before the limited blocks."""
        steerable = self.model.decoder.steerable(self.limits)
        if not len(self.weight) or steerable is None:
            return None
        share = torch.softmax(self.weight, dim=0)
        index, model = self.drawn.index, self.model
        rows, given = self.drawn.rows.part(model.modelled), self.given.at(index)
        z = model.latent.embed(model.prior.sample(self.noise.at(index)))
        outputs = model.decoder(z, rows, given) + self.limits.never
        effective = 1 / float((share**2).sum())
        few = 2 + _LIKE / effective  # counts below are chance
        tilt = torch.zeros_like(outputs[0])
        for _ in range(_CLOSER):
            found, expected = model.heads.counts(outputs + tilt, rows)
            tilt = (tilt + torch.log((found + few) / (expected + few))) * steerable
        return tilt.clamp(-_MOST_TILT, _MOST_TILT)


def levels(rng: np.random.Generator, rows: int, gates: int) -> Tensor:
    """`Guidance.level` [rows, 1 + gates]."""
    return torch.from_numpy(rng.random((rows, 1 + gates)))


def _bound(log_weight: Tensor, cut: float) -> float:
    """The lowest log bound above which at most `cut` of the mass lies, none of it above 0's."""
    if not len(log_weight):
        return 0.0
    weight = torch.sort(log_weight, descending=True).values
    scaled = torch.exp(weight - weight[0])
    total, rank = scaled.sum(), torch.arange(len(scaled))
    above = scaled.cumsum(0) - scaled - rank * scaled  # mass over each weight if it were the bound
    return float(weight[int(torch.nonzero(above <= cut * total)[-1])])


def _excess(log_weight: Tensor, bound: float) -> float:
    """The mass above a bound, in units of the bound."""
    return float((torch.exp(log_weight - bound) - 1).clamp(min=0).sum())


def cut_share(log_weight: Tensor, bound: float) -> tuple[float, float]:
    """The mass [n] above the bound, and all of it, both in units of the bound."""
    return _excess(log_weight, bound), float(torch.exp(log_weight - bound).sum())
