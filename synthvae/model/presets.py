"""The presets: compositions that have a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from synthvae.model.critic import AdversarialSpec
from synthvae.model.decoders.autoregressive import AutoregressiveSpec
from synthvae.model.latents.fsq import FsqSpec
from synthvae.model.latents.gaussian import GaussianSpec
from synthvae.model.latents.hierarchical import HierarchicalSpec
from synthvae.model.latents.vq import VqSpec
from synthvae.model.objective import Objective
from synthvae.model.priors.codes import CodesSpec
from synthvae.model.priors.gmm import GmmSpec
from synthvae.model.priors.hierarchical import HierarchicalPriorSpec
from synthvae.model.priors.vamp import VampSpec
from synthvae.model.scalars import MixtureSpec
from synthvae.model.spec import ModelSpec, TrainingSpec


@dataclass(frozen=True)
class Preset:
    """A composition with a name; `summary` is its line in the README's table."""

    summary: str
    model: ModelSpec
    training: TrainingSpec
    needs_condition: bool = False


_AUTOREGRESSIVE = TrainingSpec(
    visits=350_000,
    batch_scale=1.4,
    learning_rate=3e-3,
    weight_decay=0.0,
    averaging=0.995,
    clipping=1.5,
    patience=2,
)

PRESETS: Mapping[str, Preset] = {
    "arvae": Preset(
        "numbers on a normal scale, Gaussian latent, autoregressive decoder, fitted prior",
        ModelSpec(
            numeric="quantiles",
            latent=GaussianSpec(size=4),
            prior=GmmSpec(),
            decoder=AutoregressiveSpec(),
            scalar=MixtureSpec(),
            objective=Objective(free_nats=0.5),
        ),
        _AUTOREGRESSIVE,
    ),
    "tvae": Preset(
        "mode-specific numbers, Gaussian latent, parallel decoder, sampled (Xu et al. 2019)",
        ModelSpec(latent=GaussianSpec(size=32), objective=Objective(warmup_epochs=20)),
        TrainingSpec(),
    ),
    "beta-vae": Preset(
        "`tvae` with few units under a heavy rate, free nats, fitted prior (Higgins et al. 2017)",
        ModelSpec(
            latent=GaussianSpec(size=8),
            prior=GmmSpec(),
            objective=Objective(beta=4.0, warmup_epochs=20, free_nats=0.25),
        ),
        TrainingSpec(),
    ),
    "vamp-vae": Preset(
        "`tvae` with a prior of learnt pseudo-rows (Tomczak & Welling 2018)",
        ModelSpec(
            latent=GaussianSpec(size=32),
            prior=VampSpec(),
            objective=Objective(warmup_epochs=20),
        ),
        TrainingSpec(),
    ),
    "cvae": Preset(
        "the columns under `condition` are given, not modelled (Sohn et al. 2015)",
        ModelSpec(
            numeric="cells",
            latent=GaussianSpec(size=32),
            objective=Objective(warmup_epochs=20),
        ),
        TrainingSpec(),
        needs_condition=True,
    ),
    "hvae": Preset(
        "tvae with a latent in two levels, the lower one given the upper (Sønderby et al. 2016)",
        ModelSpec(
            latent=HierarchicalSpec(),
            prior=HierarchicalPriorSpec(),
            objective=Objective(warmup_epochs=20, free_nats=0.25),
        ),
        TrainingSpec(),
    ),
    "vae-gan": Preset(
        "tvae with a critic that drawn rows must convince (Larsen et al. 2016)",
        ModelSpec(latent=GaussianSpec(size=32), objective=Objective(warmup_epochs=20)),
        TrainingSpec(regime=AdversarialSpec()),
    ),
    "vq-vae": Preset(
        "codes of a learnt codebook, revived, autoregressive prior (van den Oord et al. 2017)",
        ModelSpec(
            numeric="quantiles",
            latent=VqSpec(slots=4, codes=8),
            prior=CodesSpec(),
            decoder=AutoregressiveSpec(),
            scalar=MixtureSpec(),
        ),
        _AUTOREGRESSIVE,
    ),
    "fsq-vae": Preset(
        "codes of a fixed grid, without a codebook, autoregressive prior (Mentzer et al. 2023)",
        ModelSpec(
            numeric="quantiles",
            latent=FsqSpec(slots=4, levels=(4, 2)),
            prior=CodesSpec(),
            decoder=AutoregressiveSpec(),
            scalar=MixtureSpec(),
        ),
        _AUTOREGRESSIVE,
    ),
}
