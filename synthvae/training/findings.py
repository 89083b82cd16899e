"""What was measured after training, in words: a line of the latent, and warnings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

COLLAPSED = 0.1  # nats a row: a latent or a level below that says next to nothing
IN_USE = 0.5  # fewer codes than that, and the latent is not what was asked for


def in_words(latent: Mapping[str, float]) -> str:
    """One line of what `settle` measured."""
    if "codes" in latent:
        return (
            f"latent: {latent['slots']:.0f} slots of {latent['codes']:.0f} codes, "
            f"{latent['utilisation']:.0%} in use (perplexity {latent['perplexity']:.1f}), "
            f"{latent['rate']:.1f} nats a row"
        )
    return (
        f"latent: {latent['active']:.0f} of {latent['units']:.0f} units active, "
        f"{latent['rate']:.1f} nats a row{_levels(latent)}, prior {max(latent['gap'], 0):.2f} nats "
        "off the posterior"
    )


def _levels(latent: Mapping[str, float]) -> str:
    """What each level of a latent says, if it has levels."""
    rates = [rate for name, rate in latent.items() if name.startswith("rate_level_")]
    if not rates:
        return ""
    count = latent["collapsed_levels"]
    collapsed = f", {count:.0f} collapsed" if count else ""
    return f" ({' + '.join(f'{rate:.1f}' for rate in rates)} by level{collapsed})"


def warnings(training: Mapping[str, Any]) -> list[str]:
    """What a user should know of an artifact's `training`, and what to do about it."""
    return [*hollow(training), *_of_latent(training["latent"])]


def hollow(training: Mapping[str, Any]) -> list[str]:
    """Of columns of a private fit of which nothing was drawn."""
    if not training.get("hollow"):
        return []
    listed = ", ".join(f"'{name}'" for name in training["hollow"])
    return [
        f"a private fit learns what stands out from the noise, but nothing other than missing "
        f"values and __other__ was drawn of column {listed}; check what the metadata declares of "
        "it, or raise epsilon"
    ]


def _of_latent(latent: Mapping[str, float]) -> list[str]:
    if "codes" in latent:
        return _unused(latent)
    if latent["active"] >= 1 and latent["rate"] >= COLLAPSED:
        return []
    return [
        f"a latent tells rows apart, but {latent['active']:.0f} of {latent['units']:.0f} units are "
        f"active, at {latent['rate']:.2f} nats a row (posterior collapse); raise "
        "model.objective.free_nats, or lower model.objective.beta"
    ]


def _unused(latent: Mapping[str, float]) -> list[str]:
    if latent["utilisation"] >= IN_USE:
        return []
    return [
        f"a latent is to use most of its codes, but {latent['utilisation']:.0%} are in use; lower "
        "what model.latent offers: codes (vq), levels (fsq) or slots"
    ]
