"""`synthvae evaluate`: how faithful synthetic rows are."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synthvae.errors import MetadataError, UsageError
from synthvae.files import refuse_overwrite

from .console import Force, Json, Paper, Quiet, Reporter, one_core_each
from .early import check
from .flags import told
from .judging import AnyModel, Config, Holdout, Seed, Target

if TYPE_CHECKING:
    from synthvae.evaluation import Evaluation, Metric
    from synthvae.sources import Sources


def evaluate(
    real: Annotated[str, typer.Option(help="The table that the model learnt.")],
    synthetic: Annotated[str, typer.Option(help="The rows to be judged.")],
    holdout: Holdout = None,
    model: AnyModel = None,
    metadata: Annotated[
        Path | None, typer.Option(help="SDV metadata.", show_default="detected")
    ] = None,
    config: Config = None,
    target: Target = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write the records as JSON here too.")
    ] = None,
    seed: Seed = 0,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compare synthetic rows with the real ones, beside what fresh real rows would score."""
    reporter = Reporter(quiet, json)
    if output:
        refuse_overwrite(output, force)
    check(model, real, synthetic, holdout)
    one_core_each()
    from synthvae.comparison import STEPS, compare
    from synthvae.sources import Sources

    wanted, missing = settings_of(config, target)
    steps: list[str] = []
    with told(target=target), reporter.progress("evaluating", STEPS) as bar:

        def step(name: str) -> None:
            bar.at(len(steps), name)
            steps.append(name)

        if holdout is not None:
            tables = {"real": real, "holdout": holdout, "synthetic": synthetic}
            found = compare(tables, metadata, wanted, missing, seed, step)
        else:
            sources = Sources(real, model=model, metadata=metadata, missing=tuple(missing))
            found = _against_left_out(sources, synthetic, wanted, seed, step)
    if output:
        _write(found, output)
    reporter.result(found.to_json())
    if not json and not quiet:
        _print(found)


def _against_left_out(
    sources: Sources,
    synthetic: str,
    target: str | None,
    seed: int,
    step: Callable[[str], None],
) -> Evaluation:
    if sources.model is None:
        raise UsageError(
            "an evaluation has a floor, but neither rows that were not learnt are given nor a "
            "model whose fit left some out; add --holdout, or --model"
        )
    from synthvae.comparison_left_out import compare_left_out

    return compare_left_out(sources, synthetic, target, seed, step)


def _write(found: Evaluation, output: Path) -> None:
    import json

    from synthvae.files import write_bytes

    write_bytes(output, (json.dumps(found.to_json(), indent=2) + "\n").encode())


def settings_of(config: Path | None, target: str | None) -> tuple[str | None, list[str]]:
    """The target and what means 'missing'; to read the file's other keys would load torch."""
    if config is None:
        return target, []
    from synthvae.metadata import load_mapping

    content = load_mapping(config, "settings")
    named = target or content.get("target")
    missing = content.get("missing_values") or []
    if not isinstance(missing, list):
        raise MetadataError(
            f"missing_values is a list of texts, but in '{config}' it is {missing!r}; "
            f"write [{missing!r}]"
        )
    return None if named is None else str(named), [str(text) for text in missing]


def _print(found: Evaluation) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("metric", "synthetic", "95 % interval", "real", "ratio", "better", "n"):
        left = name in ("metric", "better")
        table.add_column(name, justify="left" if left else "right", no_wrap=True)
    for record in found.records:
        table.add_row(*_row(record))
    console = Paper()
    console.print(table)
    console.print("real: what held-out real rows score, the floor; ratio: synthetic over real")
    for name, reason in found.left_out.items():
        console.print(f"left out: {name}: {reason}", markup=False)
    for note in found.notes:
        console.print(f"note: {note}", markup=False)


def _row(record: Metric) -> tuple[str, ...]:
    def number(value: Any) -> str:
        return "" if value is None or math.isnan(value) else f"{value:.3g}"

    known = not math.isnan(record.value)
    interval = f"{record.interval.low:.2g}..{record.interval.high:.2g}"
    return (
        record.name,
        number(record.value) if known else "not measured",
        interval if known else "",
        number(record.floor),
        number(record.ratio),
        record.better,
        f"{record.n:,}",
    )
