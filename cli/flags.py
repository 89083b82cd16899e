"""The flags of `synthvae fit`, and how they are laid over a file of settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synthvae.errors import ColumnError, MetadataError, UsageError

if TYPE_CHECKING:
    from synthvae.settings import Settings

Source = Annotated[str, typer.Argument(help="CSV, TSV or Parquet by suffix; - for CSV on stdin.")]
ModelFile = Annotated[Path, typer.Option("-o", "--output", help="The model file.")]
MetadataFile = Annotated[Path | None, typer.Option(help="SDV metadata.", show_default="detected")]
Config = Annotated[Path | None, typer.Option("-c", "--config", help="Settings: a synthvae.yaml.")]
Preset = Annotated[
    str | None, typer.Option(help="A composition; the README lists them.", show_default="arvae")
]
Prior = Annotated[
    str | None,
    typer.Option(help="normal, gmm, vamp, flow or trimmed.", show_default="the preset's"),
]
ConditionOn = Annotated[
    list[str] | None, typer.Option(help="A column to be given when sampling; repeatable.")
]
Epochs = Annotated[
    int | None, typer.Option(min=1, help="Ceiling; training stops when it no longer helps.")
]
Seed = Annotated[
    int | None, typer.Option(help="Same seed, same model (but for private fits).", show_default="0")
]
Epsilon = Annotated[
    float | None,
    typer.Option(help="Differential privacy: the whole cost.", show_default="not private"),
]
Delta = Annotated[float | None, typer.Option(help="And its delta.", show_default="1e-5")]
MaxAttackTpr = Annotated[
    str | None,
    typer.Option(
        help="In place of --epsilon: 0.05@0.01 lets an attacker who is wrong about 1 % of the "
        "absent find at most 5 % of the present.",
        show_default=False,
    ),
]
DpEngine = Annotated[
    str | None,
    typer.Option(
        help="marginals (noisy counts, which is what auto takes), dpsgd (single columns "
        "counted, then training on rows) or warm (one, then the other).",
        show_default="auto",
    ),
]
PrivacyUnit = Annotated[
    str | None,
    typer.Option(help="A column: all rows of one value are one person.", show_default="row"),
]
Contributions = Annotated[
    int | None, typer.Option(min=1, help="Rows of a person that count.", show_default="1")
]
History = Annotated[
    Path | None,
    typer.Option(
        help="File that adds up what private fits of the same rows cost; keep it with the table, "
        "between runs of a CI job too.",
        show_default="privacy-history.json beside the model",
    ),
]
Holdout = Annotated[
    float | None,
    typer.Option(
        help="Share of the rows to leave out, so that `audit` has rows to compare with: where that "
        "is less than 1,000, a fifth, up to 1,000; 0 leaves out none.",
        show_default="0.1",
    ),
]
Constraints = Annotated[
    Path | None,
    typer.Option(
        help="What holds in every row: a list as under `constraints` of the settings, or as SDV "
        "writes it.",
        show_default="the settings'",
    ),
]
Predicate = Annotated[
    list[str] | None,
    typer.Option(
        help="MODULE:FUNCTION of a constraint that is code of yours, so that it is run; repeatable."
    ),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with a fit that was stopped.")]
CheckpointEvery = Annotated[float, typer.Option(min=0, help="Seconds between checkpoints.")]
Device = Annotated[
    str,
    typer.Option(
        help="Where steps are computed, but private ones: cpu, which auto takes, or cuda, a GPU "
        "that torch finds.",
    ),
]
Log = Annotated[
    Path | None,
    typer.Option(help="Folder for losses and, every few epochs, rows to look at: real ones too."),
]


def settings_of(
    config: Path | None,
    preset: str | None,
    prior: str | None,
    condition: list[str] | None,
    epochs: int | None,
    seed: int | None,
    holdout: float | None,
    cost: dict[str, Any],
    constraints: Path | None = None,
) -> Settings:
    """The file's settings, with the flags laid over them; the user's own predicates are trusted."""
    from synthvae.constraints import declared, predicates
    from synthvae.holdout import SHARE
    from synthvae.metadata import load_mapping

    content: dict[str, Any] = load_mapping(config, "settings") if config else {}
    flags = {"preset": preset, "condition": condition or None, "seed": seed, "holdout": holdout}
    content = {"holdout": SHARE, **content}
    content |= {key: value for key, value in flags.items() if value is not None}
    if epochs is not None:
        content["training"] = {**_mapping(content, "training", config), "epochs": epochs}
    if given := {key: value for key, value in cost.items() if value is not None}:
        content["privacy"] = {**_mapping(content, "privacy", config), **given}
    if constraints is not None:
        content["constraints"] = [*content.get("constraints", []), *declared.load(constraints)]
    if prior is not None:
        model = _mapping(content, "model", config)
        content["model"] = {**model, "prior": _prior(prior, _mapping(model, "prior", config))}
    settings = _parsed(content, config)
    predicates.trust(declared.functions(declared.parse(settings.constraints)))
    return settings


@contextmanager
def told(**asked: object) -> Iterator[None]:
    """An error about a column that an option `asked` for, by the setting's key, is one about the
    option: no file is wrong."""
    try:
        yield
    except ColumnError as error:
        if not asked.get(error.setting):
            raise
        raise UsageError(*error.reasons) from None


def _parsed(content: dict[str, Any], config: Path | None) -> Settings:
    from synthvae.settings import parse

    try:
        return parse(content, "the flags")
    except (MetadataError, UsageError) as error:
        if config is not None:
            _check(config)
        raise UsageError(*error.reasons) from None


def _check(config: Path) -> None:
    """MetadataError if the file is wrong, whatever the flags."""
    from synthvae.metadata import load_mapping
    from synthvae.settings import parse

    try:
        parse(load_mapping(config, "settings"), f"'{config}'")
    except UsageError as error:
        raise MetadataError(*error.reasons) from None


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
