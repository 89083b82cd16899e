"""What released rows tell about those they were learnt from. Takes tables and scores of rows;
knows no model, so any generator's output can be audited."""

from synthvae.audit.policy import Policy
from synthvae.audit.records import (
    Attack,
    Audit,
    Claim,
    Control,
    Criterion,
    EpsilonBound,
    Excess,
    Rate,
    Restricted,
    RowScores,
    Sizes,
    Verdict,
)
from synthvae.audit.sides import Effort
from synthvae.audit.suite import STEPS, audit
from synthvae.audit.words import markdown

__all__ = [
    "STEPS",
    "Attack",
    "Audit",
    "Claim",
    "Control",
    "Criterion",
    "Effort",
    "EpsilonBound",
    "Excess",
    "Policy",
    "Rate",
    "Restricted",
    "RowScores",
    "Sizes",
    "Verdict",
    "audit",
    "markdown",
]
