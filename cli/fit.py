"""`synthvae fit`: learn a table."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synthvae.errors import UsageError
from synthvae.files import refuse_overwrite

from .console import Force, Json, Quiet, Reporter, Threads, seconds
from .flags import settings_of
from .private import chosen_epsilon, fit_private, promise, refuse_resume, write_certificate

if TYPE_CHECKING:
    from synthvae.artifact import Artifact
    from synthvae.training.checkpoint import Progress


COUNTING = 0.5  # of a private fit's time


def fit(
    table: Annotated[
        str, typer.Argument(help="CSV, TSV or Parquet by suffix; - for CSV on stdin.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The model file.")] = Path(
        "model.synthvae"
    ),
    metadata: Annotated[
        Path | None, typer.Option(help="SDV metadata.", show_default="detected")
    ] = None,
    config: Annotated[
        Path | None, typer.Option("-c", "--config", help="Settings: a synthvae.yaml.")
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(help="A composition; the README lists them.", show_default="arvae"),
    ] = None,
    prior: Annotated[
        str | None,
        typer.Option(help="normal, gmm, vamp, flow or trimmed.", show_default="the preset's"),
    ] = None,
    condition_on: Annotated[
        list[str] | None, typer.Option(help="A column to be given when sampling; repeatable.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Ceiling; training stops when it no longer helps.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Same seed, same model.", show_default="0")
    ] = None,
    epsilon: Annotated[
        float | None,
        typer.Option(help="Differential privacy: the whole cost.", show_default="not private"),
    ] = None,
    delta: Annotated[float | None, typer.Option(help="And its delta.", show_default="1e-5")] = None,
    max_attack_tpr: Annotated[
        str | None,
        typer.Option(
            help="In place of --epsilon: 0.05@0.01 lets an attacker who is wrong about 1 % of the "
            "absent find at most 5 % of the present.",
            show_default=False,
        ),
    ] = None,
    dp_engine: Annotated[
        str | None,
        typer.Option(
            help="marginals (noisy counts), dpsgd (training on rows) or warm (one, then the "
            "other).",
            show_default="auto",
        ),
    ] = None,
    privacy_unit: Annotated[
        str | None,
        typer.Option(help="A column: all rows of one value are one person.", show_default="row"),
    ] = None,
    contributions: Annotated[
        int | None, typer.Option(min=1, help="Rows of a person that count.", show_default="1")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a fit that was stopped.")
    ] = False,
    checkpoint_every: Annotated[
        float, typer.Option(min=0, help="Seconds between checkpoints.")
    ] = 5.0,
    log: Annotated[
        Path | None,
        typer.Option(
            help="Folder for losses and, every few epochs, rows to look at: real ones too."
        ),
    ] = None,
    threads: Threads = None,
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
    from synthvae.metadata import read as read_metadata

    described = read_metadata(metadata) if metadata else None
    cost = {
        "epsilon": chosen_epsilon(epsilon, max_attack_tpr, delta),
        "delta": delta,
        "engine": dp_engine,
        "unit": privacy_unit,
        "contributions": contributions,
    }
    settings = settings_of(config, preset, prior, condition_on, epochs, seed, cost)
    refuse_resume(settings, resume)
    from synthvae import pipeline
    from synthvae.journal import Journal
    from synthvae.reading import read_table

    started = time.monotonic()
    data = read_table(table)
    private = settings.privacy.epsilon is not None
    size = "a private number of" if private else f"{len(data):,}"
    reporter.say(f"{size} rows, {len(data.columns)} columns; preset {settings.preset}")
    checkpoint = _checkpoint(output, resume, force, reporter)
    journal = Journal(log) if log else None
    with reporter.progress("learning", 1) as bar:
        counting = COUNTING if settings.privacy.epsilon is not None else 0.0

        def fitting(done: float) -> None:
            bar.at(counting * done, "fitting the noisy counts")

        def watch(progress: Progress, epochs: int) -> None:
            loss, done = progress.history[-1]["loss"], progress.epoch / epochs
            words = f"epoch {progress.epoch}, {loss:.2f} nats a row"
            bar.at(counting + (1 - counting) * done, words)

        if settings.privacy.epsilon is not None:
            artifact = fit_private(
                data, described, settings, output, watch, journal, threads, reporter, fitting
            )
        else:
            artifact = pipeline.fit(
                data,
                described,
                settings,
                watch,
                journal,
                checkpoint,
                checkpoint_every,
                resume,
                threads,
            )
    artifact.save(output)
    checkpoint.unlink(missing_ok=True)
    _summary(artifact, output, time.monotonic() - started, reporter)


def _checkpoint(output: Path, resume: bool, force: bool, reporter: Reporter) -> Path:
    """Where an unfinished fit stands. UsageError if one is there nobody asked to go on with."""
    checkpoint = output.with_name(output.name + ".checkpoint")
    if checkpoint.exists() and not resume and not force:
        raise UsageError(
            f"an unfinished fit is not overwritten unasked, but its checkpoint '{checkpoint}' "
            "exists; go on with --resume, or pass --force"
        )
    if resume and not checkpoint.exists():
        reporter.say(f"no checkpoint '{checkpoint}' to resume from; fitting from the start")
    return checkpoint


def _summary(artifact: Artifact, output: Path, took: float, reporter: Reporter) -> None:
    from synthvae.training.findings import in_words, warnings

    training = artifact.content["training"]
    best = training["history"][training["best_epoch"] - 1]
    size = output.stat().st_size
    reporter.say(
        f"{training['epochs']} epochs ({training['stopped']}), best held-out loss "
        f"{best['loss']:.2f} nats a row (distortion {best['distortion']:.2f} nats)"
    )
    latent = training["latent"]
    reporter.say(in_words(latent))
    warned = warnings(latent)
    for warning in warned:
        reporter.say(f"warning: {warning}")
    private = artifact.content.get("privacy")
    cost = promise(private) if private else "not differentially private"
    reporter.say(f"{output} ({size / 1e6:.1f} MB) in {seconds(took)}; {cost}")
    if private:
        reporter.say(f"certificate: {write_certificate(artifact, output)}")
    reporter.result(
        {
            "model": str(output),
            "bytes": size,
            "seconds": round(took, 3),
            "epochs": training["epochs"],
            "best_epoch": training["best_epoch"],
            "stopped": training["stopped"],
            "held_out": best,
            "latent": latent,
            "warnings": warned,
            "private": private["claim"] if private else False,
        }
    )
