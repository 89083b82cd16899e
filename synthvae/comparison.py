"""real, holdout, synthetic files -> the same columns as numbers or text -> evaluation records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from synthvae import metadata as metadatas
from synthvae.detect import detect
from synthvae.errors import ColumnError, Problems, SchemaError, TableError, hint
from synthvae.evaluation import Evaluation, Metric, default_target, sdmetrics_records
from synthvae.evaluation import evaluate as evaluate_frames
from synthvae.evaluation.frames import frame
from synthvae.metadata import CORE
from synthvae.reading import read_table
from synthvae.schema import Schema, resolve
from synthvae.table import Table

STEPS = 8  # reading, six metrics, SDMetrics
ROLES = ("real", "holdout", "synthetic")
COMPARED = ("numerical", "categorical", "boolean", "datetime")


def compare(
    paths: Mapping[str, str],
    metadata: Path | None,
    target: str | None,
    missing: Sequence[str],
    seed: int,
    step: Callable[[str], None],
) -> Evaluation:
    """Evaluate the table at `paths["synthetic"]` against those at `real` and `holdout`.

    Identifiers and personal data are made up, so they are left out of our own metrics.
    """
    step("reading")
    tables = {name: read_table(path) for name, path in paths.items()}
    same_columns(tables)
    described = metadatas.read(metadata) if metadata else detect(tables["real"])
    schema = resolve(described, tables["real"], missing)
    frames = {name: compared_frame(table, schema) for name, table in tables.items()}
    return compare_tables(tables, schema, frames, target, seed, step)


def compared_frame(table: Table, schema: Schema) -> pd.DataFrame:
    """The columns that are compared, as numbers or text."""
    return frame(table, [c for c in schema.columns if c.sdtype in COMPARED])


def compare_tables(
    tables: Mapping[str, Table],
    schema: Schema,
    frames: Mapping[str, pd.DataFrame],
    target: str | None,
    seed: int,
    step: Callable[[str], None],
) -> Evaluation:
    """Evaluate `synthetic` against `real` and `holdout`, which have the same columns; `frames` are
    their `compared_frame`s. SDMetrics, half of the time, has a core of its own."""
    real = frames["real"]
    if target is not None and target not in real:
        raise ColumnError(
            "target",
            f"a target is a column that is compared, but '{target}' is none; "
            f"{hint(target, map(str, real.columns))}",
        )
    chosen = target or default_target(real)
    ordered = [frames[name] for name in ROLES]
    from synthvae.model.compute import cores, side_by_side  # torch; SDMetrics loads it anyway

    with side_by_side(min(cores(), 2)) as team:
        crew = team.crew(partial(_by_sdmetrics, tables, schema))
        known = crew.submit(seed)
        try:
            found = evaluate_frames(*ordered, target=chosen, seed=seed, progress=step)
        except ValueError as error:
            raise TableError(*str(error).splitlines()) from error
        step("SDMetrics")
        scores = known.result()
    made_up = {c.name: f"made up ({c.sdtype})" for c in schema.columns if c.sdtype not in COMPARED}
    predicted = () if chosen is None else (f"utility: '{chosen}' is predicted",)
    notes = (*found.notes, *predicted)
    hashes = {name: tables[name].fingerprint() for name in ROLES}
    return Evaluation((*found.records, *scores), {**found.left_out, **made_up}, notes, hashes)


def _by_sdmetrics(tables: Mapping[str, Table], schema: Schema, seed: int) -> tuple[Metric, ...]:
    ours, fresh, fake = _typed([tables[name] for name in ROLES], schema)
    return sdmetrics_records(ours, fresh, fake, _sdv_columns(schema), seed)


def same_columns(tables: Mapping[str, Table]) -> None:
    """SchemaError with every column of the real table that another one lacks."""
    problems = Problems()
    names = tables["real"].names
    for what in ("holdout", "synthetic"):
        for name in names:
            if name not in tables[what].names:
                problems.add(
                    f"all tables have the columns of the real one, but the {what} table has no "
                    f"column '{name}'; add it"
                )
    problems.raise_as(SchemaError)


def _typed(tables: Sequence[Table], schema: Schema) -> list[pd.DataFrame]:
    """The frames that SDMetrics is used to: moments as datetime64, identifiers as text."""
    frames = []
    for table in tables:
        typed = frame(table, list(schema.columns))
        for column in schema.columns:
            if column.sdtype == "datetime":
                typed[column.name] = pd.to_datetime(typed[column.name], unit="s", errors="coerce")
        frames.append(typed)
    return frames


def _sdv_columns(schema: Schema) -> dict[str, dict[str, Any]]:
    columns: dict[str, dict[str, Any]] = {}
    for column in schema.columns:
        sdtype = column.sdtype if column.sdtype in CORE else "unknown"
        columns[column.name] = {"sdtype": "unknown" if sdtype == "text" else sdtype}
        if column.regex_format:
            columns[column.name]["regex_format"] = column.regex_format
    return columns
