"""What a model is made of, in data: specs of parts, and their tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import nn

from synthvae.codecs.table_codec import NumericKind
from synthvae.layout import Layout
from synthvae.model.checks import not_negative, positive, positive_widths, share
from synthvae.model.critic import AdversarialSpec
from synthvae.model.decoders.autoregressive import AutoregressiveSpec
from synthvae.model.decoders.parallel import ParallelSpec
from synthvae.model.heads import Heads
from synthvae.model.latents.fsq import FsqSpec
from synthvae.model.latents.gaussian import GaussianSpec
from synthvae.model.latents.hierarchical import HierarchicalSpec
from synthvae.model.latents.vq import VqSpec
from synthvae.model.nets import RowEncoder
from synthvae.model.objective import Objective
from synthvae.model.parts import Decoder, Dims, Inference, LatentSpec, Learnt, PriorSpec, Spec
from synthvae.model.priors.codes import CodesSpec
from synthvae.model.priors.flow import FlowSpec
from synthvae.model.priors.gmm import GmmSpec
from synthvae.model.priors.hierarchical import HierarchicalPriorSpec
from synthvae.model.priors.normal import NormalSpec
from synthvae.model.priors.trimmed import TrimmedSpec
from synthvae.model.priors.vamp import VampSpec
from synthvae.model.scalars import GaussianSpec as GaussianScalarSpec
from synthvae.model.scalars import MixtureSpec
from synthvae.model.schedules import Capacity, Cyclical, Linear
from synthvae.model.vae import Vae


@dataclass(frozen=True)
class PlainSpec:
    """No fields: there is nothing to choose."""

    kind: Literal["plain"] = "plain"
    private: ClassVar[bool | str] = True
    gpu: ClassVar[bool | str] = True


PARTS: Mapping[str, Mapping[str, type]] = {
    "latent": {
        "gaussian": GaussianSpec,
        "hierarchical": HierarchicalSpec,
        "vq": VqSpec,
        "fsq": FsqSpec,
    },
    "prior": {
        "normal": NormalSpec,
        "gmm": GmmSpec,
        "vamp": VampSpec,
        "flow": FlowSpec,
        "trimmed": TrimmedSpec,
        "hierarchical": HierarchicalPriorSpec,
        "autoregressive": CodesSpec,
    },
    "decoder": {"parallel": ParallelSpec, "autoregressive": AutoregressiveSpec},
    "scalar": {"gaussian": GaussianScalarSpec, "mixture": MixtureSpec},
    "schedule": {"linear": Linear, "cyclical": Cyclical, "capacity": Capacity},
    "regime": {"plain": PlainSpec, "adversarial": AdversarialSpec},
}


def priors_of(latent: LatentSpec) -> list[str]:
    """The kinds of priors that speak the space of a latent."""
    return [kind for kind, prior in PARTS["prior"].items() if prior().speaks == latent.space.kind]


@dataclass(frozen=True)
class ModelSpec:
    """`numeric`: how numbers are encoded; `encoder`: widths of its layers; the rest are parts."""

    numeric: NumericKind = "modes"
    encoder: tuple[int, ...] = (128, 128)
    latent: LatentSpec = field(default_factory=GaussianSpec)
    prior: PriorSpec = field(default_factory=NormalSpec)
    decoder: Spec[Decoder] = field(default_factory=ParallelSpec)
    scalar: GaussianScalarSpec | MixtureSpec = field(default_factory=GaussianScalarSpec)
    objective: Objective = field(default_factory=Objective)

    def __post_init__(self) -> None:
        positive_widths(encoder=self.encoder)
        if self.numeric == "quantiles" and self.scalar.kind == "gaussian":
            raise ValueError(
                "numeric: quantiles puts numbers on a normal scale, but scalar: gaussian writes "
                "them between -1 and 1; combine quantiles with scalar: {kind: mixture}, or "
                "gaussian with numeric: modes"
            )
        if self.decoder.kind == "autoregressive" and self.numeric != "quantiles":
            raise ValueError(
                f"decoder: autoregressive writes numbers of numeric: quantiles, but numeric is "
                f"{self.numeric}; combine it with quantiles and scalar: {{kind: mixture}}"
            )
        self._check_latent()

    def _check_latent(self) -> None:
        latent, prior = self.latent.kind, self.prior.kind
        if self.prior.speaks != self.latent.space.kind:
            raise ValueError(
                f"a prior speaks the space of its latent, but prior: {prior} does not speak that "
                f"of latent: {latent}; combine it with prior: {' or '.join(priors_of(self.latent))}"
            )
        if self.latent.space.slots and self.objective.iwae > 1:
            raise ValueError(
                f"iwae: {self.objective.iwae} weighs draws of z, but latent: {latent} draws none; "
                "set iwae to 1"
            )


@dataclass(frozen=True)
class TrainingSpec:
    """How a model is trained. `epochs` is a ceiling, `batch` in rows; None: by rule from the number
    of rows, `visits` (rows times epochs) and `batch_scale`: see `training.plan`.
    `averaging`: decay of the moving average of the weights that is kept (0: none). `clipping`:
    gradients of a batch are cut to so many times their mean length (0: none is; private fits clip
    each row's instead). `validation`: share of rows held out, which decide when to stop and which
    weights are kept. After `patience` epochs with hardly a better held-out loss the learning rate
    falls; after as many more that are worse, training ends. `raised`: dropout that is tried before,
    where rows are few for their features (0: none is). `regime`: how a step is made."""

    epochs: int | None = None
    batch: int | None = None
    visits: int = 1_750_000
    batch_scale: float = 2.8
    learning_rate: float = 3e-3
    weight_decay: float = 1e-5
    averaging: float = 0.0
    clipping: float = 0.0
    validation: float = 0.1
    patience: int = 5
    raised: float = 0.8
    regime: PlainSpec | AdversarialSpec = field(default_factory=PlainSpec)

    def __post_init__(self) -> None:
        positive(epochs=self.epochs, batch=self.batch, patience=self.patience)
        positive(learning_rate=self.learning_rate, visits=self.visits, batch_scale=self.batch_scale)
        share(averaging=self.averaging, raised=self.raised)
        not_negative(weight_decay=self.weight_decay, clipping=self.clipping)
        if not 0 <= self.validation <= 0.9:
            raise ValueError(f"validation is a share from 0 to 0.9, but it is {self.validation}")


def build(spec: ModelSpec, layout: Layout, seed: int) -> Vae:
    """The model of `spec` for `layout`; its first weights follow from `seed` alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        whole, modelled, given = (
            Layout(layout.blocks).part(False),
            layout.part(False),
            layout.part(True),
        )
        heads = Heads(modelled.layout, spec.scalar.build(modelled.layout.n_scalars))
        encoder = RowEncoder(whole.layout, spec.encoder)
        dims = Dims(whole, modelled, given, heads, encoder.out_features, spec.latent.space)
        latent = spec.latent.build(dims)
        prior = spec.prior.build(dataclasses.replace(dims, inference=Inference(encoder, latent)))
        if isinstance(prior, Learnt) and isinstance(prior, nn.Module):
            prior.requires_grad_(False)  # until stage two
        return Vae(
            layout,
            encoder,
            latent,
            prior,
            spec.decoder.build(dims),
            heads,
        )
