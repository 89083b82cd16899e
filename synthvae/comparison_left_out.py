"""Evaluation against the rows that a fit left out, which stand in no file of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from synthvae.artifact import load
from synthvae.comparison import compare_tables, compared_frame, same_columns
from synthvae.evaluation import Evaluation
from synthvae.reading import read_table
from synthvae.sources import Sources, sides_of


def compare_left_out(
    sources: Sources,
    synthetic: str,
    target: str | None,
    seed: int,
    step: Callable[[str], None],
) -> Evaluation:
    """As `comparison.compare`: `sources` are a model and the table that it was fitted on, of which
    the rows that its fit left out are the holdout. UsageError if it left out none."""
    step("reading")
    artifact = load(Path(str(sources.model)))
    sides = sides_of(artifact, sources)
    tables = {"real": sides.real, "holdout": sides.holdout, "synthetic": read_table(synthetic)}
    same_columns(tables)
    frames = {name: compared_frame(table, sides.schema) for name, table in tables.items()}
    wanted = target or artifact.content["settings"]["target"]
    return compare_tables(tables, sides.schema, frames, wanted, seed, step)
