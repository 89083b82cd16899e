"""Is a synthetic table good: metrics with intervals and floors. Takes tables, knows no model."""

from synthvae.evaluation.detector import detector
from synthvae.evaluation.extremes import coverage, worst_column
from synthvae.evaluation.fidelity import pair, shape
from synthvae.evaluation.records import Evaluation, Interval, Metric
from synthvae.evaluation.sdm import sdmetrics_records
from synthvae.evaluation.suite import evaluate
from synthvae.evaluation.utility import default_target, utility

__all__ = [
    "Evaluation",
    "Interval",
    "Metric",
    "coverage",
    "default_target",
    "detector",
    "evaluate",
    "pair",
    "sdmetrics_records",
    "shape",
    "utility",
    "worst_column",
]
