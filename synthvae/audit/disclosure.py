"""Singling out, linkability and inference, as what happens to training rows beyond strangers.

The three criteria are those of the Article 29 Working Party (2014, WP216), the attacks in the
manner of Giomi et al. (2023), Anonymeter. What an attacker learns of people who were never in the
table is knowledge about people, and no disclosure; so each attack is made on training rows and on
holdout rows, and only the difference counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthvae.audit.cells import cell_hashes, summed
from synthvae.audit.hashing import counts_of
from synthvae.audit.membership import Ground
from synthvae.audit.neighbours import nearest
from synthvae.audit.records import Excess
from synthvae.audit.shares import excess, rate
from synthvae.audit.sides import Effort, Pool
from synthvae.evaluation.stats import Bools, Floats, is_number
from synthvae.seeds import stream

PREDICATES = 10
SPLITS = 3
LINKED = 5
SECRETS = 8
_BINS = 20
_CLOSE = 0.025
_BOTH = (False, True)


@dataclass(frozen=True)
class Targets:
    """Members and others: their rows, which are members, which are of the second half."""

    rows: pd.DataFrame
    member: Bools
    second: Bools
    released: pd.DataFrame
    ground: Ground
    seed: int

    @property
    def names(self) -> list[str]:
        return [str(name) for name in self.rows]


def risks(ground: Ground, pool: Pool, effort: Effort, seed: int) -> tuple[Excess, ...]:
    """The three criteria; linkability and inference only of tables with two columns."""
    targets = _targets(ground, pool, effort, seed)
    found = [_record("singling out", targets, singled_out(targets), tuple(targets.names))]
    if len(targets.names) > 1:
        found.append(_record("linkability", targets, linked(targets), tuple(targets.names)))
        found.append(inference(targets))
    return tuple(found)


def _targets(ground: Ground, pool: Pool, effort: Effort, seed: int) -> Targets:
    """At most `effort.targets` of each side, half of them in each half."""
    parts = [(pool.second == half) & (pool.member == s) for half in _BOTH for s in _BOTH]
    at = np.concatenate([np.flatnonzero(part)[: effort.targets // 2] for part in parts])
    rows = ground.rows.iloc[at].reset_index(drop=True)
    return Targets(rows, pool.member[at], pool.second[at], ground.released, ground, seed)


def _record(
    name: str,
    targets: Targets,
    success: Bools,
    subject: tuple[str, ...],
    among: Bools | None = None,
) -> Excess:
    among = np.ones(len(success), bool) if among is None else among
    training, control = (
        rate(int(success[among & side].sum()), int((among & side).sum()))
        for side in (targets.member, ~targets.member)
    )
    return excess(name, training, control, subject, targets.seed)


def singled_out(targets: Targets) -> Bools:
    """Rows [n] that meet a description which fits one released row and no other real one here.

    A description is the cells of two thirds of the columns; each row meets PREDICATES of them.
    """
    rng = stream(targets.seed, "audit", "singling out")
    names = targets.names
    fake, real = (
        cell_hashes(targets.released, each, _BINS) for each in (targets.released, targets.rows)
    )
    success = np.zeros(len(targets.rows), bool)
    for _ in range(PREDICATES):
        known = [str(name) for name in rng.permutation(names)[: (2 * len(names) + 2) // 3]]
        ours, theirs = summed(real, known), summed(fake, known)
        success |= (counts_of(ours, theirs) == 1) & (counts_of(ours, ours) == 1)
    return success


def linked(targets: Targets) -> Bools:
    """Rows [n] of which two halves of the columns lead to the same released row.

    The LINKED nearest by each half are looked at, for SPLITS ways of halving.
    """
    rng = stream(targets.seed, "audit", "linkability")
    space, names = targets.ground.space, targets.names
    success = np.zeros(len(targets.rows), bool)
    for _ in range(SPLITS):
        order = [str(name) for name in rng.permutation(names)]
        places = [
            nearest(
                space.points(targets.rows, part), space.points(targets.released, part), LINKED
            ).places
            for part in (order[: len(order) // 2], order[len(order) // 2 :])
        ]
        success |= (places[0][:, :, None] == places[1][:, None, :]).any(axis=(1, 2))
    return success


def inference(targets: Targets) -> Excess:
    """The column whose value the most similar released row tells best, beyond strangers' rows.

    At most SECRETS columns are tried. The column is chosen on the first half and the record rests
    on the second.
    """
    rng = stream(targets.seed, "audit", "inference")
    secrets = [str(name) for name in rng.permutation(targets.names)[:SECRETS]]
    guesses = {secret: _guessed(targets, secret) for secret in secrets}
    first = [
        _record("inference", targets, guesses[secret], (secret,), ~targets.second)
        for secret in secrets
    ]
    best = max(first, key=lambda each: each.value).subject
    return _record("inference", targets, guesses[best[0]], best, targets.second)


def _guessed(targets: Targets, secret: str) -> Bools:
    """Whether the nearest released row, by all other columns, has the row's value."""
    known = [name for name in targets.names if name != secret]
    space = targets.ground.space
    found = nearest(space.points(targets.rows, known), space.points(targets.released, known), 1)
    guess = targets.released[secret].iloc[found.places[:, 0]].reset_index(drop=True)
    truth = targets.rows[secret]
    return _same(targets.released[secret])(guess, truth)


def _same(released: pd.Series) -> Callable[[pd.Series, pd.Series], Bools]:
    """Equal, or for numbers of many values within 2.5 % of the released rows of each other."""
    if not is_number(released) or released.nunique() <= LINKED * 10:
        return lambda guess, truth: np.asarray(
            (guess == truth) | (guess.isna() & truth.isna()), dtype=bool
        )
    ordered = np.sort(released.dropna().to_numpy(np.float64))

    def place(values: pd.Series) -> Floats:
        numbers = values.to_numpy(np.float64)
        middle = np.searchsorted(ordered, numbers, "left") + np.searchsorted(
            ordered, numbers, "right"
        )
        return np.where(np.isnan(numbers), np.inf, middle / (2 * len(ordered)))

    def close(guess: pd.Series, truth: pd.Series) -> Bools:
        with np.errstate(invalid="ignore"):
            near = np.abs(place(guess) - place(truth)) <= _CLOSE
        return np.asarray(near | (guess.isna() & truth.isna()).to_numpy(), dtype=bool)

    return close
