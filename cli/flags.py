"""The flags of `synthvae fit`, laid over a file of settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthvae.errors import MetadataError, UsageError

if TYPE_CHECKING:
    from synthvae.settings import Settings


def settings_of(
    config: Path | None,
    preset: str | None,
    prior: str | None,
    condition: list[str] | None,
    epochs: int | None,
    seed: int | None,
    cost: dict[str, Any],
) -> Settings:
    """The file's settings, with the flags laid over them."""
    from synthvae.metadata import load_mapping
    from synthvae.settings import parse

    content: dict[str, Any] = load_mapping(config, "settings") if config else {}
    flags = {"preset": preset, "condition": condition or None, "seed": seed}
    content |= {key: value for key, value in flags.items() if value is not None}
    if epochs is not None:
        content["training"] = {**_mapping(content, "training", config), "epochs": epochs}
    if given := {key: value for key, value in cost.items() if value is not None}:
        content["privacy"] = {**_mapping(content, "privacy", config), **given}
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
