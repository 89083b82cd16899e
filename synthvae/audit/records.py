"""What an audit hands back: no number without its interval, its control and its number of rows.

`Audit.to_json` is the public result: shares, intervals, sizes and words, nothing that stands in a
row. `Restricted` holds what shows real rows (values, thresholds, places) and goes into a file of
its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from synthvae.audit.figures import Unit
from synthvae.evaluation.records import Interval

Access = Literal["released table", "larger table", "model", "shadow models"]
Who = Literal["all rows", "exposed rows"]
Outcome = Literal["PASS", "FAIL", "INCONCLUSIVE"]
EXIT_CODES: Mapping[str, int] = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 4}


@dataclass(frozen=True)
class RowScores:
    """What somebody who has more than tables says of each row: a guess at membership.

    `real` [n] or [n, K] and `holdout` [m] or [m, K] stand in the order of the tables that the
    audit is given; NaN where a row was not scored. Which direction speaks for membership is
    found out, and so is a combination of K terms (nats of each column, rate).
    """

    real: npt.NDArray[np.float64]
    holdout: npt.NDArray[np.float64]
    access: Access = "model"


@dataclass(frozen=True)
class Rate:
    """`hits` of `n` rows, with the 95 % interval of Clopper & Pearson (1934)."""

    hits: int
    n: int
    value: float
    interval: Interval


@dataclass(frozen=True)
class Attack:
    """One guess at who was in the training table, tested on rows it was not chosen on.

    `auc` is the ROC AUC of members against others, `error` its standard error by DeLong, both on
    the second half of the rows; direction and thresholds come from the first. `tpr` and `fpr` go
    by the false positive rate that was aimed at, such as "1%"; a rate that so few rows can't
    show is left out. `epsilon` is the lower bound from one threshold's rates, at 97.5 % for
    all attacks of the audit together, `epsilon_one_run` that of Steinke et al. (2023), at 95 % for
    itself, both at `delta`: no promise of a smaller epsilon agrees with what was seen.
    `first_half_auc` is what it was chosen by.
    """

    name: str
    access: Access
    who: Who
    auc: float
    interval: Interval
    error: float
    tpr: Mapping[str, Rate]
    fpr: Mapping[str, Rate]
    delta: float
    epsilon: float
    epsilon_one_run: float
    p_value: float
    p_holm: float
    first_half_auc: float
    first_half_tpr: float
    members: int
    others: int
    seed: int


@dataclass(frozen=True)
class Excess:
    """How much more often something happens to training rows than to rows never seen.

    What also happens to `control` rows is chance, or knowledge about people in general; only the
    difference is disclosure. `value` = training - control and `interval` is its 95 % interval
    (Newcombe 1998). `subject`: the columns concerned.
    """

    name: str
    training: Rate
    control: Rate
    value: float
    interval: Interval
    subject: tuple[str, ...]
    seed: int


@dataclass(frozen=True)
class Control:
    """A check of the audit itself. `passed` None: it could not be made; `note` says why."""

    name: str
    passed: bool | None
    value: float
    interval: Interval
    members: int
    others: int
    note: str
    seed: int


@dataclass(frozen=True)
class EpsilonBound:
    """A lower bound on epsilon at `delta`, from `correct` of `guesses` about `canaries` rows.

    Each canary was put in or left out by a fair coin. `theorem` names the paper.
    """

    name: str
    theorem: str
    epsilon: float
    delta: float
    confidence: float
    canaries: int
    guesses: int
    correct: int


@dataclass(frozen=True)
class Claim:
    """The promise that the bounds are held against. `unit`: whose presence it hides."""

    epsilon: float
    delta: float
    unit: str = "one row"


@dataclass(frozen=True)
class Criterion:
    """One limit of the policy, and what was seen.

    `interval` is at 95 %, `strict` at 95 % for all criteria together (Bonferroni). FAIL goes by
    the lower end of `strict`, PASS by the upper end of `interval`. `rows` is the number of rows
    on each side that would decide, None if no number of rows that can be told would. `unit`: of
    value, interval and limit.
    """

    name: str
    section: str
    value: float
    interval: Interval
    strict: Interval
    limit: float
    outcome: Outcome
    rows: int | None
    reason: str
    unit: Unit = "share"


@dataclass(frozen=True)
class Verdict:
    """The outcome over all criteria, the sentence to quote, and what it does not say. `advice`:
    what can be done about criteria that are open."""

    outcome: Outcome
    sentence: str
    reasons: tuple[str, ...]
    criteria: tuple[Criterion, ...]
    advice: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 pass, 1 fail, 4 inconclusive."""
        return EXIT_CODES[self.outcome]


@dataclass(frozen=True)
class Sizes:
    """Rows given, rows left out because their values occur more than once, rows looked at."""

    real: int
    holdout: int
    synthetic: int
    more: int
    repeated_real: int
    repeated_holdout: int
    in_both: int
    members: int
    others: int


@dataclass(frozen=True)
class Restricted:
    """What shows real rows. Handle it like the real table.

    `rows`: for each kind of finding, real rows as mappings of column to value, with `row`, their
    place in the real table (from 0). `thresholds`: by attack, in units of its score.
    """

    rows: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types; NaN and infinity become None."""
        return {"restricted": True, **_plain_fields(self)}


@dataclass(frozen=True)
class Audit:
    """Everything one audit found. `restricted` is not part of `to_json`.

    `judged`: hashes of what was attacked and is public, the `synthetic` rows and the `model` file,
    as far as there were files. `epsilon_audited`: the largest lower bound on epsilon, at 95 % for
    all attacks and bounds together; None if there are none.
    """

    verdict: Verdict
    attacks: tuple[Attack, ...]
    risks: tuple[Excess, ...]
    copies: tuple[Excess, ...]
    controls: tuple[Control, ...]
    bounds: tuple[EpsilonBound, ...]
    epsilon_audited: float | None
    claim: Claim | None
    unit: str
    policy: Mapping[str, float]
    sizes: Sizes
    left_out: Mapping[str, str]
    notes: tuple[str, ...]
    seed: int
    restricted: Restricted
    judged: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The public result as plain JSON types; NaN and infinity become None."""
        content = _plain_fields(self)
        del content["restricted"]
        return content


def _plain_fields(record: Any) -> dict[str, Any]:
    return {name: _plain(value) for name, value in vars(record).items()}


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(part) for name, part in asdict(value).items()}
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
