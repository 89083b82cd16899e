"""Rows that `synthvae fit` puts aside, so that `synthvae audit` has some to compare with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .console import Reporter

if TYPE_CHECKING:
    from synthvae.holdout import Mask
    from synthvae.settings import Settings
    from synthvae.table import Table


@dataclass(frozen=True)
class Aside:
    """A table, which of its rows [N] are not learnt, why in words, and whether that is `noted`
    beside the model."""

    table: Table
    left_out: Mask
    why: str
    noted: bool

    @staticmethod
    def of(table: Table, settings: Settings) -> Aside:
        from synthvae.holdout import is_noted, left_out

        mask = left_out(table, settings)
        return Aside(table, mask, _words(table, mask, settings), is_noted(table, settings))

    @property
    def learnt(self) -> Table:
        """The other rows."""
        from synthvae.holdout import without

        return without(self.table, self.left_out) if self.left_out.any() else self.table

    def refuse_overwrite(self, model: Path, force: bool) -> None:
        """UsageError if there is a note beside `model` already, before anything is learnt."""
        from synthvae.files import refuse_overwrite
        from synthvae.holdout import beside

        if self.noted:
            refuse_overwrite(beside(model), force)

    def note(self, model: Path, reporter: Reporter) -> Path | None:
        """Write down beside `model` which rows they were, if that is noted, and say so."""
        from synthvae.holdout import Holdout, beside

        if not self.noted:
            if self.why:
                reporter.say(self.why)
            return None
        path = beside(model)
        Holdout.of(self.table, self.left_out, model).save(path)
        reporter.say(f"{self.why}: {path} (keep it where the table is kept, and to yourself)")
        return path


def _words(table: Table, mask: Mask, settings: Settings) -> str:
    from synthvae.holdout import FEWEST, MOST, is_noted

    if not settings.holdout:
        return ""
    if not is_noted(table, settings):
        return (
            f"no rows were left out for an audit, since a fifth of the table has fewer than "
            f"{FEWEST}: from {round(FEWEST / MOST):,} rows on some are. To audit the model, pass "
            "rows of your own to `synthvae audit --holdout`"
        )
    many = "some" if settings.privacy.epsilon is not None else f"{int(mask.sum()):,}"
    return f"{many} rows were left out for an audit"
