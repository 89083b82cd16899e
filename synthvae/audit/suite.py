"""The whole audit of one released table in one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from synthvae.audit.policy import Policy
from synthvae.audit.records import Audit, Claim, EpsilonBound, RowScores

STEPS = 6  # preparing, neighbours, attacks, disclosure, copies, controls


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
    progress: Callable[[str], None] | None = None,
) -> Audit:
    """What `synthetic` tells about the rows of `real` that it does not tell about `holdout`.

    `real` is what the generator learnt from, `holdout` rows drawn like them that it never saw
    (also not for early stopping), `synthetic` the rows that are released, `more` the most that
    will ever be released, ten times as many for instance. Frames as `evaluation.evaluate` takes
    them: numbers (NaN = missing) or text (None or NaN = missing); `evaluation.frames.frame`
    makes them of a Table and the columns of its Schema.
    `sdtypes` says what each column is (`Schema`'s words: numerical, categorical, boolean,
    datetime, id, text, unknown, or a kind of personal data such as email); without it, numbers
    are numerical and nearly unique text is an id. `scores`: by name, of attackers who have the
    model. `bounds`: of canaries that were put in on purpose, see `one_run`. `claim`: the epsilon
    promised, if any. `unit`: whose presence is at stake, in words. `progress` hears the name of
    each of `STEPS` steps before it begins.

    Raises TableError with every reason for tables that don't fit each other.
    """
    raise NotImplementedError
