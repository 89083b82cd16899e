"""The whole audit of one released table in one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from synthvae.audit import controls as checks
from synthvae.audit.battery import candidates_of
from synthvae.audit.copies import copies as copies_of
from synthvae.audit.disclosure import risks as risks_of
from synthvae.audit.membership import ground_of
from synthvae.audit.policy import Policy
from synthvae.audit.promises import epsilon_audited
from synthvae.audit.records import (
    Audit,
    Claim,
    EpsilonBound,
    Restricted,
    RowScores,
    Sizes,
)
from synthvae.audit.roc import DELTA
from synthvae.audit.sides import Effort, Pool, Tables, pool_of, tables_of
from synthvae.audit.trial import tried
from synthvae.audit.verdict import verdict_of
from synthvae.errors import Problems, TableError, UsageError

STEPS = 6  # rows, attacks, disclosure, copies, controls, verdict


def audit(
    real: pd.DataFrame,
    holdout: pd.DataFrame,
    synthetic: pd.DataFrame,
    sdtypes: Mapping[str, str] | None = None,
    *,
    more: pd.DataFrame | None = None,
    scores: Mapping[str, RowScores] | None = None,
    bounds: Sequence[EpsilonBound] = (),
    claim: Claim | None = None,
    policy: Policy | None = None,
    unit: str = "one row",
    seed: int = 0,
    effort: Effort | None = None,
    progress: Callable[[str], None] | None = None,
) -> Audit:
    """What `synthetic` tells about the rows of `real` that it does not tell about `holdout`.

    `real` is what the generator learnt from, `holdout` rows drawn like them that it never saw
    (also not for early stopping), `synthetic` the rows that are released, `more` the most that
    will ever be released, ten times as many for instance. Frames as `evaluation.evaluate` takes
    them: numbers (NaN = missing) or text (None or NaN = missing); `evaluation.frames.frame`
    makes them of a Table and the columns of its Schema. `sdtypes` says what each column is
    (`Schema`'s words: numerical, categorical, boolean, datetime, id, text, unknown, or a kind of
    personal data such as email); without it, numbers are numerical and nearly unique text is an
    id. `scores`: by name, of attackers who have the model. `bounds`: of canaries that were put in
    on purpose, see `one_run`. `claim`: the epsilon promised, if any. `unit`: whose presence is at
    stake, in words. `effort`: how many rows are looked at. `progress` hears the name of each of
    `STEPS` steps before it begins.

    Raises TableError with every reason for tables that don't fit each other, UsageError for a bound
    at a smaller delta than the promise.
    """
    step = progress or (lambda _: None)
    effort, policy = effort or Effort(), policy or Policy()
    step("rows")
    tables = tables_of(real, holdout, synthetic, more, sdtypes)
    given = dict(scores or {})
    _check_scores(tables, given)
    _check_bounds(bounds, claim)
    pool = pool_of(tables, given, effort, seed)
    step("attacks")
    ground = ground_of(tables, pool, effort, seed)
    candidates, found = candidates_of(tables, ground, pool, given, effort, seed)
    attacks, thresholds = tried(
        candidates,
        pool.member,
        pool.second,
        seed=seed,
        deals=effort.deals,
        delta=DELTA if claim is None else claim.delta,
    )
    step("disclosure")
    risks = risks_of(ground, pool, effort, seed)
    step("copies")
    copies = copies_of(tables, pool, seed)
    step("controls")
    controls = (
        checks.null_control(candidates, pool, seed),
        checks.drift_control(ground, pool, effort, seed),
        checks.positive_control(ground, pool, found, policy.auc, seed),
        checks.positive_copies(tables, pool, seed),
    )
    step("verdict")
    sizes = _sizes(tables, pool)
    records = (*copies.compared, *copies.reused)
    accesses = {each.access for each in candidates}
    judged = (attacks, risks, records, controls, bounds, claim, policy, sizes, accesses)
    return Audit(
        verdict=verdict_of(*judged),
        attacks=tuple(attacks),
        risks=risks,
        copies=records,
        controls=controls,
        bounds=tuple(bounds),
        epsilon_audited=epsilon_audited(attacks, bounds),
        claim=claim,
        unit=unit,
        policy=vars(policy),
        sizes=sizes,
        left_out={name: f"not compared ({kind})" for name, kind in tables.made_up.items()},
        notes=(*_notes(tables, pool, effort), *copies.notes),
        seed=seed,
        restricted=Restricted(copies.shown, thresholds),
    )


def _check_scores(tables: Tables, scores: Mapping[str, RowScores]) -> None:
    problems = Problems()
    for name, given in scores.items():
        for label, rows, values in (
            ("real", len(tables.real), given.real),
            ("holdout", len(tables.holdout), given.holdout),
        ):
            if len(values) != rows:
                problems.add(
                    f"scores have one entry a row, but '{name}' has {len(values):,} for the "
                    f"{rows:,} rows of the {label} table; put NaN where a row was not scored"
                )
    problems.raise_as(TableError)


def _check_bounds(bounds: Sequence[EpsilonBound], claim: Claim | None) -> None:
    for bound in bounds:
        if claim is not None and bound.delta < claim.delta:
            raise UsageError(
                "a bound contradicts a promise only at the promise's delta or a larger one, but "
                f"'{bound.name}' is at {bound.delta:g} and the promise at {claim.delta:g}; compute "
                "it at that"
            )


def _sizes(tables: Tables, pool: Pool) -> Sizes:
    return Sizes(
        real=len(tables.real),
        holdout=len(tables.holdout),
        synthetic=len(tables.synthetic),
        more=0 if tables.more is None else len(tables.more),
        repeated_real=int((~pool.once["real"]).sum()),
        repeated_holdout=int((~pool.once["holdout"]).sum()),
        in_both=pool.in_both,
        members=int(pool.member.sum()),
        others=int((~pool.member).sum()),
    )


def _notes(tables: Tables, pool: Pool, effort: Effort) -> list[str]:
    """What was not looked at."""
    notes = []
    sizes = _sizes(tables, pool)
    repeated = sizes.repeated_real + sizes.repeated_holdout
    if repeated:
        notes.append(
            f"{sizes.repeated_real:,} real and {sizes.repeated_holdout:,} holdout rows were not "
            f"attacked, since their values stand more than once; {sizes.in_both:,} holdout rows "
            "stand in the real table too"
        )
    for label, looked, total in (
        ("real", sizes.members, sizes.real - sizes.repeated_real),
        ("holdout", sizes.others, sizes.holdout - sizes.repeated_holdout),
        ("synthetic", min(sizes.synthetic, effort.released), sizes.synthetic),
        ("larger synthetic", min(sizes.more, effort.more), sizes.more),
    ):
        if looked < total:
            notes.append(f"attacks look at {looked:,} of {total:,} {label} rows, drawn at random")
    return notes
