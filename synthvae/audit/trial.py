"""An attack on trial: direction and thresholds from one half of the rows, the numbers from the
other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from synthvae.audit import one_run
from synthvae.audit.records import Access, Attack, Rate, Who
from synthvae.audit.roc import (
    DELTA,
    auc,
    auc_interval,
    epsilon_bound,
    permutation_p,
    rates,
    telling_threshold,
    threshold,
)
from synthvae.audit.shares import holm
from synthvae.evaluation.stats import Bools, Floats
from synthvae.seeds import stream

FPRS = {"1%": 0.01, "0.1%": 0.001}
CHOOSING = "1%"
LEAST = 10


@dataclass(frozen=True)
class Candidate:
    """Scores [n] of the rows of a pool; NaN for rows that are not attacked."""

    name: str
    access: Access
    who: Who
    scores: Floats


@dataclass(frozen=True)
class Halves:
    """Scores of members and of others in the first and in the second half."""

    members: Floats
    others: Floats
    tested_members: Floats
    tested_others: Floats

    @property
    def least(self) -> int:
        """Rows of the smallest of the four."""
        return min(
            len(part)
            for part in (self.members, self.others, self.tested_members, self.tested_others)
        )


def tried(
    candidates: Sequence[Candidate],
    member: Bools,
    second: Bools,
    *,
    seed: int,
    deals: int = 1,
    delta: float = DELTA,
) -> tuple[list[Attack], dict[str, float]]:
    """An `Attack` for each candidate that has enough rows, and its threshold at 1 % false alarms.

    Bounds on epsilon are at `delta`, and at 97.5 % for all candidates together; p-values come
    from `deals` permutations and are corrected likewise.
    """
    confidence = 1 - 0.025 / max(len(candidates), 1)
    found, thresholds, labels = [], {}, []
    for candidate in candidates:
        halves = _halves(candidate.scores, member, second)
        if halves.least < LEAST:
            continue
        sign = 1.0 if auc(halves.members, halves.others)[0] >= 0.5 else -1.0
        halves = _halves(sign * candidate.scores, member, second)
        found.append(_attack(candidate, halves, delta, confidence, seed))
        cut = threshold(halves.others, FPRS[CHOOSING])
        if cut is not None:
            thresholds[f"{candidate.name}, {candidate.access}, {candidate.who}"] = sign * cut
        labels.append((sign * candidate.scores)[second])
    p_values = _p_values(labels, member[second], deals, seed)
    adjusted = holm(p_values)
    attacks = [
        replace(attack, p_value=float(p), p_holm=float(q))
        for attack, p, q in zip(found, p_values, adjusted, strict=True)
    ]
    return attacks, thresholds


def _halves(scores: Floats, member: Bools, second: Bools) -> Halves:
    known = np.isfinite(scores)
    return Halves(
        *(
            scores[known & (second == half) & (member == inside)]
            for half in (False, True)
            for inside in (True, False)
        )
    )


def _attack(
    candidate: Candidate, halves: Halves, delta: float, confidence: float, seed: int
) -> Attack:
    members, others = halves.tested_members, halves.tested_others
    value, error = auc(members, others)
    least = min(len(members), len(others))
    tpr, fpr = _rates_at(halves)
    telling = telling_threshold(halves.members, halves.others)
    bound = epsilon_bound(*rates(members, others, telling), delta, confidence)
    cut = threshold(halves.others, FPRS[CHOOSING])
    first = auc(halves.members, halves.others)[0]
    return Attack(
        name=candidate.name,
        access=candidate.access,
        who=candidate.who,
        auc=value,
        interval=auc_interval(value, error, least),
        error=error,
        tpr=tpr,
        fpr=fpr,
        delta=delta,
        epsilon=bound,
        epsilon_one_run=_one_run(halves, candidate.name, delta, seed),
        p_value=1.0,
        p_holm=1.0,
        first_half_auc=first,
        first_half_tpr=float("nan") if cut is None else float((halves.members > cut).mean()),
        members=len(members),
        others=len(others),
        seed=seed,
    )


def _rates_at(halves: Halves) -> tuple[dict[str, Rate], dict[str, Rate]]:
    tpr, fpr = {}, {}
    for name, aim in FPRS.items():
        cut = threshold(halves.others, aim)
        if cut is not None:
            tpr[name], fpr[name] = rates(halves.tested_members, halves.tested_others, cut)
    return tpr, fpr


def _one_run(halves: Halves, name: str, delta: float, seed: int) -> float:
    """As many members as others, drawn at random, stand in for canaries of a fair coin.

    The number of guesses is chosen on the first half.
    """
    rng = stream(seed, "audit", "one run", name)
    first, second = (
        _even(*pair, rng)
        for pair in (
            (halves.members, halves.others),
            (halves.tested_members, halves.tested_others),
        )
    )
    share = len(second[0]) / len(first[0])
    top, low = (round(each * share) for each in one_run.best_way(*first))
    correct = one_run.right_guesses(*second, top, low)
    return one_run.epsilon(len(second[0]), top + low, correct, delta)


def _even(members: Floats, others: Floats, rng: np.random.Generator) -> tuple[Floats, Bools]:
    """As many scores of each, in random order, and which are members'."""
    n = min(len(members), len(others))
    scores = np.concatenate([rng.permutation(members)[:n], rng.permutation(others)[:n]])
    order = rng.permutation(2 * n)
    return scores[order], np.repeat([True, False], n)[order]


def _p_values(scores: Sequence[Floats], member: Bools, deals: int, seed: int) -> Floats:
    """One permutation test for all attacks on the same rows."""
    p_values = np.ones(len(scores))
    known = [np.isfinite(each) for each in scores]
    groups: dict[bytes, list[int]] = {}
    for at, mask in enumerate(known):
        groups.setdefault(mask.tobytes(), []).append(at)
    for key, places in groups.items():
        mask = np.frombuffer(key, bool)
        rng = stream(seed, "audit", "permutations", int(mask.sum()))
        stacked = np.stack([scores[at][mask] for at in places])
        p_values[places] = permutation_p(stacked, member[mask], deals, rng)
    return p_values


def strongest(attacks: Sequence[Attack], by: str) -> Attack | None:
    """The one that did best on the first half, by "auc" or "tpr"; None if none can tell."""
    measure = {"auc": "first_half_auc", "tpr": "first_half_tpr"}[by]
    able = [each for each in attacks if np.isfinite(getattr(each, measure))]
    if by == "tpr":
        able = [each for each in able if CHOOSING in each.tpr]
    return max(able, key=lambda each: float(getattr(each, measure)), default=None)
