"""A fit under differential privacy: the rows are counted, once and with noise; what is learnt is a
table drawn from those counts.

table + metadata -> at most so many rows a unit -> noisy counts -> new rows -> the plain fit

Everything after the counts is free: any preset, early stop, priors and scores see drawn rows alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

from synthvae import __version__, pipeline
from synthvae.artifact import Artifact
from synthvae.constraints.declared import rules_of
from synthvae.errors import SchemaError, UsageError
from synthvae.journal import Journal
from synthvae.marginals.domain import discovers
from synthvae.marginals.engine import Drawn, Spending, draw_private, meet
from synthvae.marginals.units import bounded
from synthvae.metadata import Metadata
from synthvae.model.size import sized
from synthvae.privacy.budget import Budget
from synthvae.privacy.certificate import certificate
from synthvae.privacy.ledger import Ledger
from synthvae.privacy.noise import Noise
from synthvae.private_rules import private_rules
from synthvae.redrawing import redrawn
from synthvae.refining import planned, refine, refuse
from synthvae.settings import PrivacySpec, Settings
from synthvae.suppression import Rare
from synthvae.table import Table
from synthvae.training.loop import Watch
from synthvae.training.private_plan import GENTLE, LEARNING_RATE

# What the budget is spent on. What is left after the counts trains on the rows.
ENGINES: Mapping[str, Spending] = {
    "marginals": Spending(),
    "warm": Spending(discovery=0.05, columns=0.1, all_pairs=0.1, pairs=0.15),
    "dpsgd": Spending(discovery=0.05, columns=0.1, all_pairs=0.0, pairs=0.0),
    "raked": Spending(discovery=0.05, columns=0.1, all_pairs=0.1, pairs=0.15),
}
STEPS_FROM = 3.0  # epsilon from which private steps tell more than they blur (docs/log.md)
Stage = Literal["counts", "steps"]  # the mixture is fitted to counts, private steps are taken
ROWS = 100_000  # drawn to be learnt: of more than most tables have, the draw itself adds little
KEY_DELTA = 0.1  # the share of delta that the discovery of categories may spend
_MADE_BY = ("torch", "numpy", "opendp", "dp-accounting")


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
) -> Artifact:
    """Learn `table` at the cost of `settings.privacy`; the certificate is part of the artifact.

    `paid` is told of the ledger before anything that was paid for is used, `told` of the share of
    a stage that is done. PrivacyError where the budget can't be kept, SchemaError with every
    declaration that is missing.
    """
    budget = budget_of(settings.privacy)
    metadata = _declared(metadata, settings, table)
    missing = settings.missing_values
    rules = private_rules(rules_of(settings.constraints, metadata), metadata, table.names, missing)
    engine = engine_of(settings.privacy, bool(rules))
    if trains := engine != "marginals":
        _refuse_engine(engine, settings, budget, bool(rules))
    counted, described = bounded(table, budget, missing), metadata
    if rules:
        counted, described = rules.counted(counted)
    met = meet(counted, described, missing)
    steps = None
    ledger = Ledger(budget, noise, KEY_DELTA if discovers(described) else 0.0)
    try:
        fitted = partial(told, "counts")
        drawn = draw_private(met, ledger, ROWS, settings.seed, fitted, ENGINES[engine])
        if trains:
            pace = GENTLE if ENGINES[engine].pairs > 0 else LEARNING_RATE
            trained = "a small arvae" if engine == "raked" else settings.preset
            steps = planned(ledger, settings, trained, pace)
    finally:  # what was paid for has been spent, whatever becomes of it
        ledger.close()
        if ledger.lines:
            paid(ledger)
    if rules:
        drawn = rules.obeyed(drawn)
    plain = replace(settings, privacy=PrivacySpec(), rare=Rare(rows=0))
    taken = partial(told, "steps")
    if steps is not None and engine == "raked":
        drawn = redrawn(drawn, met.table, metadata, settings, steps, threads, taken)
    artifact = pipeline.fit(drawn.table, metadata, plain, watch, journal, threads=threads)
    if steps is not None and engine != "raked":
        artifact = refine(artifact, drawn, met.table, settings, steps, threads, taken)
    # The model as it was built: what rules left open follows from the rows that were drawn.
    built = replace(settings, model=sized(settings.model, len(drawn.table)))
    content = {"settings": built.to_json(), "privacy": _claim(ledger, drawn)}
    return replace(artifact, content={**artifact.content, **content})


def budget_of(spec: PrivacySpec) -> Budget:
    """The budget of a private fit. UsageError if its numbers are none."""
    if spec.epsilon is None:
        raise UsageError("a private fit has a budget, but no epsilon is given; add --epsilon 3")
    try:
        return Budget(spec.epsilon, spec.delta, spec.unit, spec.contributions)
    except ValueError as error:
        raise UsageError(f"privacy: {error}") from error


def engine_of(spec: PrivacySpec, constrained: bool = False) -> str:
    """The engine of a private fit. `auto`: where noise is low and units are rows, a small model
    learns more from the rows than the counts lose; but it can't keep constraints."""
    if spec.engine != "auto":
        return spec.engine
    low = (spec.epsilon or 0.0) >= STEPS_FROM
    trains = low and spec.contributions == 1 and not constrained
    return "raked" if trains else "marginals"


def _declared(metadata: Metadata | None, settings: Settings, table: Table) -> Metadata:
    """The metadata, if there is any and the columns that `settings` name are fit for it."""
    if metadata is None:
        raise SchemaError(
            "under differential privacy the kinds of columns are declared, since to look is to "
            "leak, but no metadata is given; `synthvae detect TABLE --private -o metadata.yaml` "
            "writes a draft without values: review it, and pass it with --metadata"
        )
    sdtypes = {name: column.sdtype for name, column in metadata.columns.items()}
    pipeline.check_columns(settings, {name: sdtypes.get(name, "numerical") for name in table.names})
    return metadata


def _refuse_engine(engine: str, settings: Settings, budget: Budget, constrained: bool) -> None:
    """Refuses what training on rows can't do. UsageError, or PrivacyError of a part."""
    if budget.contributions > 1:
        raise UsageError(
            "training on rows draws single rows, which protects units of one row, but "
            f"contributions is {budget.contributions}; set it to 1, or use --dp-engine marginals"
        )
    if constrained:
        raise UsageError(
            "constraints of a private fit are kept by rows drawn from counts, but engine "
            f"'{engine}' trains on the rows themselves; use --dp-engine marginals"
        )
    if engine != "raked":  # which trains a model of its own
        refuse(settings)


def _claim(ledger: Ledger, drawn: Drawn) -> dict[str, Any]:
    made_by = {"synthvae": __version__}
    for package in _MADE_BY:
        try:
            made_by[package] = version(package)
        except PackageNotFoundError:
            made_by[package] = "not installed"
    return {**certificate(ledger, drawn.provenance, {}, made_by), "rows": round(drawn.rows)}
