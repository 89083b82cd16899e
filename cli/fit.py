"""`synthvae fit`: learn a table."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synthvae.errors import MetadataError, UsageError
from synthvae.files import refuse_overwrite

from .console import Force, Json, Quiet, Reporter, Threads, seconds

if TYPE_CHECKING:
    from synthvae.artifact import Artifact
    from synthvae.settings import Settings
    from synthvae.training.checkpoint import Progress


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
    settings = _settings(config, preset, prior, condition_on, epochs, seed)
    from synthvae import pipeline
    from synthvae.journal import Journal
    from synthvae.reading import read_table

    started = time.monotonic()
    data = read_table(table)
    reporter.say(f"{len(data):,} rows, {len(data.columns)} columns; preset {settings.preset}")
    checkpoint = _checkpoint(output, resume, force, reporter)
    journal = Journal(log) if log else None
    with reporter.progress("learning", 1) as bar:

        def watch(progress: Progress, epochs: int) -> None:
            loss = progress.history[-1]["loss"]
            bar.at(progress.epoch / epochs, f"epoch {progress.epoch}, {loss:.2f} nats a row")

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


def _settings(
    config: Path | None,
    preset: str | None,
    prior: str | None,
    condition: list[str] | None,
    epochs: int | None,
    seed: int | None,
) -> Settings:
    """The file's settings, with the flags laid over them."""
    from synthvae.metadata import load_mapping
    from synthvae.settings import parse

    content: dict[str, Any] = load_mapping(config, "settings") if config else {}
    flags = {"preset": preset, "condition": condition or None, "seed": seed}
    content |= {key: value for key, value in flags.items() if value is not None}
    if epochs is not None:
        content["training"] = {**_mapping(content, "training", config), "epochs": epochs}
    if prior is not None:
        model = _mapping(content, "model", config)
        content["model"] = {**model, "prior": _prior(prior, _mapping(model, "prior", config))}
    if config:
        return parse(content, f"'{config}'")
    try:
        return parse(content, "the flags")
    except MetadataError as error:  # no file is wrong: it is what was asked for
        raise UsageError(*error.reasons) from None


def _mapping(content: dict[str, Any], key: str, config: Path | None) -> dict[str, Any]:
    """What the file holds under `key`, for a flag to be laid over it."""
    found = content.get(key, {})
    if not isinstance(found, dict):
        raise UsageError(f"{key} is a mapping of keys, but '{config}' has {found!r}; correct it")
    return found


def _prior(kind: str, found: dict[str, Any]) -> dict[str, Any]:
    """The prior called `kind`, with the file's fields for it if the file chose the same."""
    from synthvae.errors import hint
    from synthvae.model.spec import PARTS

    if kind not in PARTS["prior"]:
        raise UsageError(
            f"a prior is one of {', '.join(PARTS['prior'])}, but --prior asks for '{kind}'; "
            f"{hint(kind, PARTS['prior'])}"
        )
    return found if found.get("kind") == kind else {"kind": kind}


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
    reporter.say(f"{output} ({size / 1e6:.1f} MB) in {seconds(took)}; not differentially private")
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
            "private": False,
        }
    )
