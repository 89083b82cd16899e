"""A model file for serving: what draws rows, and nothing that meets them.

Which weights sampling can do without is not declared but tried: those of the encoder and of the
posterior are set to NaN, one at a time, and are left out if drawn rows stay the same. (A prior that
is made of posteriors, such as vamp, keeps the layers that it shares with them.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from synthvae.artifact import Artifact
from synthvae.errors import ArtifactError, UsageError
from synthvae.layout import Encoded
from synthvae.opening import sampler
from synthvae.sampling import Sampler

_CANDIDATES = ("encoder.", "latent.")
_UNNEEDED = ("history", "scores")  # of what was measured in training


def sampler_only(artifact: Artifact, source: str, half: bool = False) -> Artifact:
    """`artifact` without encoder, losses and scores of held-out rows; `source` is the hash of its
    file. Rows that it draws are the same, but for `half`: weights in half precision."""
    if "sampler_only" in artifact.content:
        raise UsageError(
            "a sampler is exported from the file that 'synthvae fit' wrote, but this one is a "
            "sampler already; name the other"
        )
    drawing = sampler(artifact)
    expected = _rows(drawing)
    dropped = _dropped(drawing, expected)
    weights = {name: value for name, value in artifact.weights.items() if name not in dropped}
    if half:
        weights = {name: _halved(value) for name, value in weights.items()}
    slim = Artifact(_content(artifact.content, source, dropped, half), weights)
    if not half and not _same(_rows(sampler(slim)), expected):
        raise ArtifactError(
            "a sampler draws the rows of its model, but this one would not; do not use it, and "
            "please report it"
        )
    return slim


def _content(
    content: Mapping[str, Any], source: str, dropped: list[str], half: bool
) -> dict[str, Any]:
    training = {k: v for k, v in content["training"].items() if k not in _UNNEEDED}
    note = {"source": source, "dropped": dropped, "half": half}
    return {**content, "training": training, "sampler_only": note}


@torch.no_grad()
def _dropped(drawing: Sampler, expected: Encoded) -> list[str]:
    """Names of the weights without which the same rows are drawn."""
    state = drawing.model.state_dict(keep_vars=True)
    dropped = []
    for name, value in sorted(state.items()):
        if not name.startswith(_CANDIDATES) or not value.is_floating_point():
            continue
        before = value.detach().clone()
        value.fill_(float("nan"))
        if _draws(drawing, expected):
            dropped.append(name)  # and stays NaN: the others have to do without it
        else:
            value.copy_(before)
    return dropped


def _draws(drawing: Sampler, expected: Encoded) -> bool:
    try:
        return _same(_rows(drawing), expected)
    except (RuntimeError, ValueError, IndexError):  # NaN where a number is needed
        return False


def _rows(drawing: Sampler) -> Encoded:
    return drawing.draw(0, 0, drawing.fixed({}))


def _same(one: Encoded, other: Encoded) -> bool:
    return np.array_equal(one.codes, other.codes) and np.array_equal(
        one.scalars, other.scalars, equal_nan=True
    )


def _halved(value: Tensor) -> Tensor:
    """In half precision, if that can hold all of its numbers."""
    if value.dtype != torch.float32:
        return value
    small = value.half()
    return small if bool(small.isfinite().all()) else value
