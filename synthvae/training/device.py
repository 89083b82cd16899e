"""Where the steps of training are computed: by the processor, or by a GPU.

All that comes after the steps, the prior, biases, scores, and every use of a model, is computed by
the processor: a model file knows no device. So are private steps. A GPU does the same steps on the
same batches; its sums run in another order, so its models are not those of a processor to the last
bit, nor is one that was begun here and resumed there.
"""

from __future__ import annotations

import copy

import torch

from synthvae.errors import UsageError, hint
from synthvae.model.spec import TrainingSpec
from synthvae.model.vae import Vae

DEVICES = ("auto", "cpu", "cuda")
_CPU = torch.device("cpu")


def device_of(asked: str, training: TrainingSpec) -> torch.device:
    """The device of `asked`; `auto` is the processor, which takes half a minute for most tables.
    UsageError if it is not there, or the regime can't be computed there."""
    if asked not in DEVICES:
        raise UsageError(
            f"a device is one of {', '.join(DEVICES)}, but it is '{asked}'; {hint(asked, DEVICES)}"
        )
    if asked != "cuda":
        return _CPU
    if isinstance(why_not := training.regime.gpu, str):
        raise UsageError(
            f"--device cuda trains on a GPU, but regime: {training.regime.kind} {why_not}; use "
            "--device cpu"
        )
    if not torch.cuda.is_available():
        built = f"is built for CUDA {torch.version.cuda}" if torch.version.cuda else "has no CUDA"
        raise UsageError(
            f"--device cuda trains on a GPU that torch finds, but it finds none (torch "
            f"{torch.__version__} {built}); use --device cpu, or install torch and a driver for "
            "the GPU"
        )
    return torch.device("cuda")


def by_processor(model: Vae) -> Vae:
    """`model` itself, or, of one whose weights are on another device, a copy."""
    if all(weights.device == _CPU for weights in model.parameters()):
        return model
    return copy.deepcopy(model).to(_CPU)
