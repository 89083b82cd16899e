"""The work of `synthvae fit`: a table is read, learnt and written down."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from synthvae.errors import UsageError

from .aside import Aside
from .console import Bar, Reporter, seconds
from .private import paid_into, promise, refuse_resume, write_certificate

if TYPE_CHECKING:
    from synthvae.artifact import Artifact
    from synthvae.metadata import Metadata
    from synthvae.settings import Settings
    from synthvae.table import Table
    from synthvae.training.checkpoint import Progress

# Of a private fit's time: where counts are fitted, and the plain fit is done; then come private
# steps, if there are any.
COUNTED, LEARNT = 0.3, 0.6
COUNTED_ALONE = 0.5


@dataclass(frozen=True)
class Job:
    """One fit, as it was asked for; `every`: seconds between checkpoints."""

    source: str
    metadata: Metadata | None
    settings: Settings
    output: Path
    log: Path | None
    threads: int | None
    every: float
    resume: bool
    force: bool
    reporter: Reporter

    @property
    def private(self) -> bool:
        return self.settings.privacy.epsilon is not None

    def run(self) -> None:
        """Learn the table and write the model."""
        from synthvae.reading import read_table

        if self.private:
            refuse_resume(self.resume)
        started, data = time.monotonic(), read_table(self.source)
        size = "a private number of" if self.private else f"{len(data):,}"
        columns, preset = len(data.columns), self.settings.preset
        self.reporter.say(f"{size} rows, {columns} columns; preset {preset}")
        checkpoint = _checkpoint(self.output, self.resume, self.force, self.reporter)
        aside = Aside.of(data, self.settings)
        with self.reporter.progress("learning", 1) as bar:
            artifact = self._learn(data, aside, checkpoint, bar)
        artifact.save(self.output)
        checkpoint.unlink(missing_ok=True)
        noted = aside.note(self.output, self.reporter)
        summary(artifact, self.output, time.monotonic() - started, self.reporter, noted)

    def _learn(self, data: Table, aside: Aside, checkpoint: Path, bar: Bar) -> Artifact:
        from synthvae import pipeline, private
        from synthvae.journal import Journal

        counted, learnt = self._shares()

        def told(stage: private.Stage, done: float) -> None:
            if stage == "counts":
                bar.at(counted * done, "fitting the noisy counts")
            else:
                bar.at(learnt + (1 - learnt) * done, "private steps")

        def watch(progress: Progress, epochs: int) -> None:
            loss, done = progress.history[-1]["loss"], progress.epoch / epochs
            words = f"epoch {progress.epoch}, {loss:.2f} nats a row"
            bar.at(counted + (learnt - counted) * done, words)

        common = (
            aside.learnt,
            self.metadata,
            self.settings,
            watch,
            Journal(self.log) if self.log else None,
        )
        if self.private:
            paid = paid_into(self.output, data, self.reporter)
            return private.fit(*common, self.threads, paid, told)
        return pipeline.fit(*common, checkpoint, self.every, self.resume, self.threads)

    def _shares(self) -> tuple[float, float]:
        """Where of the whole counts have been fitted, and where the plain fit is done."""
        if not self.private:
            return 0.0, 1.0
        trains = self.settings.privacy.engine in ("warm", "dpsgd")
        return (COUNTED, LEARNT) if trains else (COUNTED_ALONE, 1.0)


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


def summary(
    artifact: Artifact, output: Path, took: float, reporter: Reporter, holdout: Path | None
) -> None:
    """What was learnt, for people and for programs."""
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
            "holdout": str(holdout) if holdout else None,
        }
    )
