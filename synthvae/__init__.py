"""synthvae learns a table and writes as many new rows as anyone wants.

    from synthvae import Synthesizer
    rows = Synthesizer().fit(frame).sample(100_000, seed=7)

This module is the only door of the Python API. What it names is loaded when it is first used, so
that importing it costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synthvae.errors import (
        ArtifactError,
        GateFailedError,
        MetadataError,
        PrivacyError,
        SchemaError,
        SynthvaeError,
        TableError,
        TrainingError,
        UsageError,
    )
    from synthvae.metadata import Metadata
    from synthvae.settings import Settings
    from synthvae.synthesizer import Synthesizer

__version__ = "0.1.0"

__all__ = [
    "ArtifactError",
    "GateFailedError",
    "Metadata",
    "MetadataError",
    "PrivacyError",
    "SchemaError",
    "Settings",
    "Synthesizer",
    "SynthvaeError",
    "TableError",
    "TrainingError",
    "UsageError",
]

_HOME = {"Metadata": "metadata", "Settings": "settings", "Synthesizer": "synthesizer"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'synthvae' has no attribute '{name}'")
    module = importlib.import_module(f"synthvae.{_HOME.get(name, 'errors')}")
    return getattr(module, name)
