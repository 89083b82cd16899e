"""The work of `synthvae fit`: a table is read, learnt and written down."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthvae.errors import UsageError

from .aside import Aside
from .console import Bar, Reporter, seconds
from .private import promise, refuse_resume, tell_of_privacy

if TYPE_CHECKING:
    from synthvae.artifact import Artifact
    from synthvae.metadata import Metadata
    from synthvae.privacy.history import Account, Total
    from synthvae.settings import Settings
    from synthvae.table import Table
    from synthvae.training.checkpoint import Progress

# Where a stage begins and ends, as shares of a fit's time, by the engine of a private one.
ALONE = {"epochs": (0.0, 1.0)}
COUNTED = {"counts": (0.0, 0.5), "epochs": (0.5, 1.0)}
TRAINED = {
    "counts": (0.0, 0.15),
    "epochs": (0.15, 0.55),
    "steps": (0.55, 0.95),
    "calibration": (0.95, 1.0),
}
STAGES = {"warm": TRAINED, "dpsgd": TRAINED}
WORDS = {
    "counts": "fitting the noisy counts",
    "steps": "private steps",
    "calibration": "calibrating to the noisy counts",
}


@dataclass(frozen=True)
class Job:
    """One fit, as it was asked for; `every`: seconds between checkpoints."""

    source: str
    metadata: Metadata | None
    settings: Settings
    output: Path
    log: Path | None
    threads: int | None
    device: str
    every: float
    resume: bool
    force: bool
    reporter: Reporter
    history: Path | None

    @property
    def private(self) -> bool:
        return self.settings.privacy.epsilon is not None

    def run(self) -> None:
        """Learn the table and write the model."""
        from synthvae import certified
        from synthvae.files import refuse_overwrite, remove
        from synthvae.holdout import beside
        from synthvae.journal import Journal
        from synthvae.reading import read_table
        from synthvae.training.device import device_of

        device_of(self.device, self.settings.training)
        if self.private:
            refuse_resume(self.resume)
            refuse_overwrite(certified.beside(self.output), self.force)
        started, data = time.monotonic(), read_table(self.source)
        if self.private:
            tell_of_privacy(self.settings.privacy, data.names, self.reporter)
        size = "a private number of" if self.private else f"{len(data):,}"
        columns, preset = len(data.columns), self.settings.preset
        self.reporter.say(f"{size} rows, {columns} columns; preset {preset}")
        checkpoint = _checkpoint(self.output, self.resume, self.force, self.reporter)
        aside = Aside.of(data, self.settings)
        aside.refuse_overwrite(self.output, self.force)
        account = self._account(data) if self.private else None
        with self.reporter.progress("learning", 1) as bar:
            artifact = self._learn(data, aside, checkpoint, bar, account)
        if self.force:  # what stands beside the old model says nothing of the new one
            for path in (certified.beside(self.output), beside(self.output)):
                path.unlink(missing_ok=True)
        artifact.save(self.output)
        if self.private:
            certified.write(artifact, self.output)
        if self.log:
            Journal(self.log).measured(artifact.content["training"]["latent"])
        noted = aside.note(self.output, self.reporter)
        remove(checkpoint)  # all that a fit leaves is there
        took = time.monotonic() - started
        together = account.together if account else None
        summary(artifact, self.output, took, self.reporter, noted, together)

    def _account(self, data: Table) -> Account:
        from synthvae.identity import fingerprints
        from synthvae.privacy.history import NAME, Account

        book = self.history or self.output.with_name(NAME)
        if not book.exists():
            self.reporter.say(f"what fits of these rows cost is added up from now on in {book}")
        return Account(book, fingerprints(data), self.reporter.say, self.output.name)

    def _learn(
        self, data: Table, aside: Aside, checkpoint: Path, bar: Bar, account: Account | None
    ) -> Artifact:
        from synthvae import pipeline, private
        from synthvae.beforehand import check_whole
        from synthvae.journal import Journal

        engine = self.settings.privacy.engine
        stages = STAGES.get(engine, COUNTED) if self.private else ALONE

        def told(stage: str, done: float, words: str = "") -> None:
            start, end = stages[stage]
            bar.at(start + (end - start) * done, words or WORDS[stage])

        def watch(progress: Progress, epochs: int) -> None:
            loss = progress.history[-1]["loss"]
            words = f"epoch {progress.epoch}, {loss:.2f} nats a row"
            told("epochs", progress.epoch / epochs, words)

        common = (
            aside.learnt,
            self.metadata,
            self.settings,
            watch,
            Journal(self.log) if self.log else None,
        )
        if account is not None:
            return private.fit(*common, self.threads, account.pay, told, device=self.device)
        if aside.left_out.any():
            check_whole(data, self.metadata, self.settings)
        resumed = checkpoint, self.every, self.resume
        return pipeline.fit(*common, *resumed, self.threads, self.device)


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
    artifact: Artifact,
    output: Path,
    took: float,
    reporter: Reporter,
    holdout: Path | None,
    together: Total | None,
) -> None:
    """What was learnt, for people and for programs."""
    from synthvae import certified
    from synthvae.training.findings import in_words, warnings

    training, private = artifact.content["training"], artifact.content.get("privacy")
    best = training["history"][training["best_epoch"] - 1]
    size = output.stat().st_size
    reporter.say(
        f"{training['epochs']} epochs ({training['stopped']}), best held-out loss{_of(private)} "
        f"{best['loss']:.2f} nats a row (distortion {best['distortion']:.2f} nats)"
    )
    latent = training["latent"]
    reporter.say(in_words(latent))
    warned = warnings(training)
    for warning in warned:
        reporter.say(f"warning: {warning}")
    cost = promise(private) if private else "not differentially private"
    reporter.say(f"{output} ({size / 1e6:.1f} MB) in {seconds(took)}; {cost}")
    if private:
        reporter.say(f"certificate: {certified.beside(output)}")
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
            "fits_of_these_rows": together._asdict() if together else None,
            "holdout": str(holdout) if holdout else None,
        }
    )


def _of(private: dict[str, Any] | None) -> str:
    """Which rows a held-out loss is of, where it is not the table's."""
    if private is None:
        return ""
    steps = any(event["mechanism"] == "sampled gaussian" for event in private["events"])
    return f" of rows drawn from noisy counts{', before private steps,' if steps else ''}"
