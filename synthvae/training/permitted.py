"""Which models can be trained with differential privacy, and why the others can't."""

from __future__ import annotations

from synthvae.model.spec import ModelSpec, TrainingSpec


def why_not_private(model: ModelSpec, training: TrainingSpec) -> list[str]:
    """Every reason against it; none: it can be done."""
    parts = {
        "latent": model.latent,
        "prior": model.prior,
        "decoder": model.decoder,
        "scalar": model.scalar,
        "schedule": model.objective.schedule,
        "regime": training.regime,
    }
    reasons = [
        f"{name}: {part.kind} {part.private}"
        for name, part in parts.items()
        if part.private is not True
    ]
    if model.objective.iwae > 1:
        reasons.append(f"iwae: {model.objective.iwae} takes a row through a layer more than once")
    return reasons
