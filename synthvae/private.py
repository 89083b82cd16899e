"""A fit under differential privacy: the rows are counted, once and with noise; what is learnt is a
table drawn from those counts.

table + metadata -> at most so many rows a unit -> noisy counts -> new rows -> the plain fit

Everything after the counts is free: any preset, early stop, priors and scores see drawn rows alone.
Engines other than `marginals` save a part of the budget for private steps on the rows themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from synthvae import __version__, pipeline
from synthvae.artifact import Artifact
from synthvae.constraints.declared import rules_of
from synthvae.errors import UsageError
from synthvae.journal import Journal
from synthvae.marginals.domain import discovers
from synthvae.marginals.engine import Drawn, Met, Spending, draw_private, meet
from synthvae.marginals.units import bounded
from synthvae.metadata import Metadata
from synthvae.model.size import sized
from synthvae.privacy.budget import Budget
from synthvae.privacy.certificate import certificate
from synthvae.privacy.ledger import Ledger
from synthvae.privacy.noise import Noise
from synthvae.private_checks import check_training, described_for
from synthvae.private_rules import private_rules
from synthvae.refining import Stage, planned, refine
from synthvae.schema import OTHER
from synthvae.settings import PrivacySpec, Settings
from synthvae.suppression import Rare
from synthvae.table import Table
from synthvae.training.device import device_of
from synthvae.training.loop import Watch
from synthvae.training.poisson import Secret
from synthvae.training.private_plan import GENTLE, LEARNING_RATE

if TYPE_CHECKING:
    from synthvae.training.private import PrivateSpec

# What the budget is spent on. What is left after the counts trains on the rows.
ENGINES: Mapping[str, Spending] = {
    "marginals": Spending(),
    "warm": Spending(discovery=0.05, columns=0.1, scores=0.05, pairs=0.2),
    "dpsgd": Spending(discovery=0.05, columns=0.1, scores=0.0, pairs=0.0),
}
ROWS = 100_000  # drawn to be learnt: of more than most tables have, the draw itself adds little
KEY_DELTA = 0.1  # the share of delta that the discovery of categories may spend
_MADE_BY = ("torch", "numpy", "opacus", "opendp", "dp-accounting")


def fit(
    table: Table,
    metadata: Metadata | None,
    settings: Settings,
    watch: Watch = lambda *_: None,
    journal: Journal | None = None,
    threads: int | None = None,
    paid: Callable[[Ledger], None] = lambda _: None,
    told: Callable[[Stage, float], None] = lambda *_: None,
    noise: Noise | None = None,
    device: str = "auto",
) -> Artifact:
    """Learn `table` at the cost of `settings.privacy`; the certificate is part of the artifact.
    What is learnt from drawn rows is computed on `device`.

    `paid` is told of the ledger before anything that was paid for is used, `told` of the share of
    a stage that is done. PrivacyError where the budget can't be kept, SchemaError with every
    declaration that is missing.
    """
    device_of(device, settings.training)  # before anything is paid
    budget = budget_of(settings.privacy)
    metadata = described_for(settings, metadata, table.names)
    missing, given = settings.missing_values, settings.condition
    known = rules_of(settings.constraints, metadata)
    rules = private_rules(known, metadata, table.names, missing, given)
    engine = "marginals" if settings.privacy.engine == "auto" else settings.privacy.engine
    if engine != "marginals":
        check_training(engine, settings, budget, bool(rules))
    counted, described = bounded(table, budget, missing), metadata
    if rules:
        counted, described = rules.counted(counted)
    met = meet(counted, described, missing)
    ledger = Ledger(budget, noise, KEY_DELTA if discovers(described) else 0.0)
    try:
        drawn, steps = _paid_for(met, ledger, engine, settings, partial(told, "counts"))
    finally:  # what was paid for has been spent, whatever becomes of it
        ledger.close()
        if ledger.lines:
            paid(ledger)
    if rules:
        drawn = rules.obeyed(drawn)
    plain = replace(settings, privacy=PrivacySpec(), rare=Rare(rows=0))
    artifact = pipeline.fit(
        drawn.table, metadata, plain, watch, journal, threads=threads, device=device
    )
    if steps is not None:
        artifact = refine(artifact, drawn, met.table, settings, steps, threads, told)
    return _claimed(artifact, settings, ledger, drawn, steps, met.missing)


def _paid_for(
    met: Met, ledger: Ledger, engine: str, settings: Settings, told: Callable[[float], None]
) -> tuple[Drawn, PrivateSpec | None]:
    """Rows drawn from noisy counts, and the private steps that the rest of the budget buys."""
    drawn = draw_private(met, ledger, ROWS, settings.seed, told, ENGINES[engine])
    if engine == "marginals":
        return drawn, None
    pace = GENTLE if ENGINES[engine].pairs > 0 else LEARNING_RATE
    return drawn, planned(ledger, settings, pace)


def budget_of(spec: PrivacySpec) -> Budget:
    """The budget of a private fit. UsageError if its numbers are none."""
    if spec.epsilon is None:
        raise UsageError("a private fit has a budget, but no epsilon is given; add --epsilon 3")
    try:
        return Budget(spec.epsilon, spec.delta, spec.unit, spec.contributions)
    except ValueError as error:
        raise UsageError(f"privacy: {error}") from error


def _claimed(
    artifact: Artifact,
    settings: Settings,
    ledger: Ledger,
    drawn: Drawn,
    steps: PrivateSpec | None,
    nulls: Collection[str],
) -> Artifact:
    """`artifact` with its certificate, the settings that it was made by, and the texts that were
    counted as no value."""
    # The model as it was built: what rules left open follows from the rows that were drawn.
    built = replace(settings, model=sized(settings.model, len(drawn.table)))
    content = {
        "settings": built.to_json(),
        "codec": {**artifact.content["codec"], "nulls": sorted(nulls)},
        "training": {**artifact.content["training"], "hollow": _hollow(drawn.table, nulls)},
        "privacy": _claim(ledger, drawn, steps),
    }
    return replace(artifact, content={**artifact.content, **content})


def _hollow(table: Table, nulls: Collection[str]) -> list[str]:
    """Columns of which hardly a drawn row has a value: one in a thousand, or the one that each
    column gets."""
    nothing = {*nulls, OTHER}
    there = {
        column.name: sum(
            count
            for text, count in zip(column.texts, column.counts.tolist(), strict=True)
            if text not in nothing
        )
        for column in table.columns
    }
    return [name for name, rows in there.items() if rows <= max(len(table) // 1000, 1)]


def _claim(ledger: Ledger, drawn: Drawn, steps: PrivateSpec | None) -> dict[str, Any]:
    made_by = {"synthvae": __version__}
    for package in _MADE_BY:
        try:
            made_by[package] = version(package)
        except PackageNotFoundError:
            made_by[package] = "not installed"
    training = Secret.source if steps else None
    claim = certificate(ledger, drawn.provenance, {}, made_by, training)
    return {**claim, "rows": round(drawn.rows)}
