"""What is wrong with the files that a command names, said before torch is loaded, which takes
seconds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def check(model: Path | None, *tables: str | None) -> None:
    """ArtifactError for a `model` that is no whole model file; UsageError or TableError for
    `tables` of no known format, or that are not there. What is None was not asked for."""
    if model is not None:
        content_of(model)
    if named := [path for path in tables if path is not None]:
        from synthvae.reading import check_path

        for path in named:
            check_path(path)


def content_of(model: Path) -> Mapping[str, Any]:
    """What a model file holds beside its weights, checked."""
    from synthvae.artifact_header import load

    return load(model).content


def check_condition(model: Path, where: str) -> None:
    """UsageError for what is no condition on rows of the model, or one that none of them meets."""
    from synthvae.codecs.table_codec import TableCodec
    from synthvae.where.binding import Condition

    Condition.of(where, TableCodec.from_json(content_of(model)["codec"]))
