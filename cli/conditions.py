"""`synthvae sample` under conditions: rows that meet one, or complete given ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from synthvae.errors import UsageError

from .console import Reporter
from .outlet import Outlet

if TYPE_CHECKING:
    from synthvae.acceptance import Tally


def accepted(tally: Tally, where: str | None, reporter: Reporter) -> dict[str, object]:
    """What became of candidates, for people and for programs."""
    if where is not None:
        off = tally.distance
        exactly = "as the model says" if not off else f"at most {off:.2%} off what the model says"
        reporter.say(f"{share(tally)}; rows are distributed {exactly}")
        if tally.slow and tally.advice:
            reporter.say(tally.advice)
    return {
        "candidates": tally.candidates,
        "acceptance": tally.acceptance,
        "distance": tally.distance,
    }


def complete(outlet: Outlet, model: Path, path: str, seed: int, threads: int | None) -> None:
    """Write a whole row for each row of the file `path`, in its order."""
    from synthvae.completing import Completer
    from synthvae.keys import check_room
    from synthvae.reading import read_table

    completer = Completer.of(model, read_table(path), seed, outlet.place.form.view)
    imputer, asked = completer.imputer, completer.request
    for words in check_room(imputer.codec, asked.rows):
        outlet.reporter.say(f"warning: {words}")
    written = outlet.write(completer, asked, threads)
    if imputer.warning:
        outlet.reporter.say(f"warning: {imputer.warning}")
    outlet.reporter.result({**written, "broken": imputer.broken, "seed": seed})


def refuse_with_conditions(**others: object) -> None:
    """UsageError for options that say something else of the rows that --conditions gives."""
    asked = [name for name, value in others.items() if value]
    if asked:
        raise UsageError(
            "--conditions gives the rows, but other options speak of them too: "
            f"{', '.join(asked)}; leave those out"
        )


def share(tally: Tally) -> str:
    return f"{tally.acceptance:.2%} of candidates accepted"


def kept(share: float | None, reporter: Reporter) -> dict[str, object]:
    """What constraints cost, where rows are held to any."""
    if share is None:
        return {}
    reporter.say(f"{share:.2%} of the rows drawn kept all constraints; others were redrawn")
    return {"kept": round(share, 6)}
