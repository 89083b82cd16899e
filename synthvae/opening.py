"""A model file, opened: artifact -> what draws rows, scores them, finds points, fills cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthvae.artifact import Artifact
from synthvae.codecs.table_codec import TableCodec
from synthvae.conditions import Conditions
from synthvae.errors import ArtifactError, UsageError
from synthvae.imputation import Imputer
from synthvae.latent_space import LatentSpace
from synthvae.model.spec import build
from synthvae.model.vae import Vae
from synthvae.row_conditions import FREE
from synthvae.sampling import Sampler
from synthvae.schema import MISSING
from synthvae.scoring import Scorer
from synthvae.settings import Settings, parse


def sampler(artifact: Artifact) -> Sampler:
    """The model of `artifact`, ready to draw rows."""
    return Sampler(*_loaded(artifact), conditions(artifact))


def scorer(artifact: Artifact) -> Scorer:
    """The model of `artifact`, ready to tell how usual rows are."""
    _whole(artifact)
    held_out = artifact.content["training"].get("scores")
    if held_out is None:
        raise ArtifactError(
            "a model that scores rows holds the scores of held-out ones, but this one was written "
            "without them; fit again"
        )
    return Scorer(*fitted(artifact), held_out)


def latent_space(artifact: Artifact) -> LatentSpace:
    """The model of `artifact`, ready to turn rows to points of its latent space, and back."""
    return LatentSpace(*fitted(artifact), conditions(artifact))


def imputer(artifact: Artifact) -> Imputer:
    """The model of `artifact`, ready to fill missing cells."""
    missing = MISSING | frozenset(settings_of(artifact).missing_values)
    return Imputer(*fitted(artifact), missing)


def completer(artifact: Artifact) -> Imputer:
    """The model of `artifact`, ready to complete rows of which some cells are empty, and free."""
    model, codec = fitted(artifact)
    return Imputer(model, codec, FREE, model.heads.never({}))


def conditions(artifact: Artifact) -> Conditions:
    """How often each combination of given columns comes."""
    return Conditions.from_json(artifact.content["conditions"])


def fitted(artifact: Artifact) -> tuple[Vae, TableCodec]:
    """The model of `artifact`, and the codecs of its table. UsageError if it is a sampler only."""
    _whole(artifact)
    return _loaded(artifact)


def _whole(artifact: Artifact) -> None:
    if "sampler_only" in artifact.content:
        raise UsageError(
            "rows are met by a model's encoder, but this file was exported with --sampler-only, "
            "without one: it draws rows and nothing else; use the file that 'synthvae fit' wrote"
        )


def _loaded(artifact: Artifact) -> tuple[Vae, TableCodec]:
    """The model and the codecs; what a sampler has no weights for stays as it was built."""
    content = artifact.content
    settings = settings_of(artifact)
    codec = TableCodec.from_json(content["codec"])
    model = build(settings.model, codec.layout, 0)
    dropped = content.get("sampler_only", {}).get("dropped", ())
    built = {name: value for name, value in model.state_dict().items() if name in dropped}
    try:
        model.load_state_dict({**built, **artifact.weights})
    except RuntimeError as error:
        raise ArtifactError(
            "a model file is read by the version of synthvae that wrote it, or by a later one that "
            f"still knows its weights, but version {content['synthvae']} wrote others; fit again"
        ) from error
    return model, codec


def settings_of(artifact: Artifact) -> Settings:
    """The settings that `artifact` was fitted with."""
    content: Mapping[str, Any] = artifact.content["settings"]
    return parse(content, "the model file")
