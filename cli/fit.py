"""`synthvae fit`: learn a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from synthvae.files import refuse_overwrite

from . import flags
from .console import Force, Json, Quiet, Reporter, Threads
from .early import check
from .learning import Job
from .private import chosen_epsilon

if TYPE_CHECKING:
    from synthvae.metadata import Metadata


def fit(
    table: flags.Source,
    output: flags.ModelFile = Path("model.synthvae"),
    metadata: flags.MetadataFile = None,
    config: flags.Config = None,
    preset: flags.Preset = None,
    prior: flags.Prior = None,
    condition_on: flags.ConditionOn = None,
    epochs: flags.Epochs = None,
    seed: flags.Seed = None,
    epsilon: flags.Epsilon = None,
    delta: flags.Delta = None,
    max_attack_tpr: flags.MaxAttackTpr = None,
    dp_engine: flags.DpEngine = None,
    privacy_unit: flags.PrivacyUnit = None,
    contributions: flags.Contributions = None,
    history: flags.History = None,
    holdout: flags.Holdout = None,
    constraints: flags.Constraints = None,
    resume: flags.Resume = False,
    checkpoint_every: flags.CheckpointEvery = 5.0,
    log: flags.Log = None,
    threads: Threads = None,
    device: flags.Device = "auto",
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Learn a table and write the model to one file.

    A checkpoint stands beside the output while the fit runs; --resume takes it up and ends in the
    same model as a fit that was never stopped.
    """
    reporter = Reporter(quiet, json)
    refuse_overwrite(output, force)
    check(None, table)
    from synthvae.metadata import read

    described = read(metadata) if metadata else None
    if described:
        _trust(described)
    cost = {
        "epsilon": chosen_epsilon(epsilon, max_attack_tpr, delta),
        "delta": delta,
        "engine": dp_engine,
        "unit": privacy_unit,
        "contributions": contributions,
    }
    settings = flags.settings_of(
        config, preset, prior, condition_on, epochs, seed, holdout, cost,
        constraints,
    )  # fmt: skip
    job = Job(
        table, described, settings, output, log, threads, device, checkpoint_every, resume, force,
        reporter, history,
    )  # fmt: skip
    with flags.told(condition=condition_on, privacy=privacy_unit):
        job.run()


def _trust(described: Metadata) -> None:
    """Predicates that the user's metadata names."""
    from synthvae.constraints.declared import functions, rules_of
    from synthvae.constraints.predicates import trust

    trust(functions(rules_of((), described)))
