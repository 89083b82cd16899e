"""Every error that a user can cause.

    SynthvaeError                 exit code 3
      UsageError                  2   options that contradict or ask for what is not there, an
                                      output that exists already
      GateFailedError             1   a quality or privacy threshold was not met
      TableError                  3   a table that can't be read, or that isn't one
      MetadataError               3   metadata or settings with unknown keys, wrong values
      SchemaError                 3   metadata and table that don't fit each other
        ColumnError               3   a setting that names a column which can't be what it asks for
      ArtifactError               3   a model file that is foreign, truncated, altered or too new
      EvidenceError               3   a record of another command that can't be read as one
      TrainingError               3   a fit that diverged, or a checkpoint of another fit
      PrivacyError                3   a promise that this table, metadata or budget can't keep
      GuaranteeError             70   drawn rows that break their schema: a fault of synthvae

Messages state the rule, then the fact, then what to do; one error carries all reasons found.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SynthvaeError(Exception):
    """Base of the tree. `reasons` holds one line per thing that is wrong."""

    exit_code = 3

    def __init__(self, *reasons: str) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = reasons


class UsageError(SynthvaeError):
    """The call itself is off: options that contradict or ask for what is not there, an output that
    exists."""

    exit_code = 2


class GateFailedError(SynthvaeError):
    """A threshold that the user set was not met."""

    exit_code = 1


class TableError(SynthvaeError):
    """A file or frame that can't be read as a table."""


class MetadataError(SynthvaeError):
    """Metadata or settings that break their own rules."""


class SchemaError(SynthvaeError):
    """Metadata and table that don't fit each other."""


class ColumnError(SchemaError):
    """A setting that names a column which can't be what the setting asks for. `setting`: its key,
    since an option may have set it."""

    def __init__(self, setting: str, reason: str) -> None:
        super().__init__(reason)
        self.setting = setting


class ArtifactError(SynthvaeError):
    """A model file that can't be trusted or read."""


class EvidenceError(SynthvaeError):
    """A record of another command that can't be read as one."""


class TrainingError(SynthvaeError):
    """A fit that can't go on."""


class PrivacyError(SynthvaeError):
    """A promise of differential privacy that would not be kept."""


class GuaranteeError(SynthvaeError):
    """Drawn rows that are not what the model's schema promises: never the user's fault."""

    exit_code = 70


class Problems:
    """Collects reasons, so that a user sees all of them at once."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def add(self, reason: str) -> None:
        self.reasons.append(reason)

    def raise_as(self, kind: type[SynthvaeError]) -> None:
        """Raise `kind` with every reason collected; do nothing if there are none."""
        if self.reasons:
            raise kind(*self.reasons)


def hint(word: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?`, or the list of what is known."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(names)}"
