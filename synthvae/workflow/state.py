"""What was done, in a small file beside the outputs.

It holds hashes of the files that went in: who has such a file can tell that it was this one. So it
is for its owner's eyes, and stays where the table stays.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from synthvae.errors import ArtifactError
from synthvae.files import OWNER, write_bytes

NAME = ".synthvae-run.json"
FORMAT = 1
Seen = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Done:
    """One step: what it depended on, the hash of each output by name, its exit code."""

    seen: Seen
    outputs: Mapping[str, str]
    exit_code: int


@dataclass
class State:
    """Steps that were done, and those that were begun, with what they depended on then."""

    path: Path
    done: dict[str, Done] = field(default_factory=dict)
    begun: dict[str, Seen] = field(default_factory=dict)

    @staticmethod
    def load(folder: Path) -> State:
        """That of a folder of outputs. ArtifactError if the file is none."""
        path = folder / NAME
        if not path.exists():
            return State(path)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["format"] != FORMAT:
                raise ValueError(f"format {content['format']}")
            done = {name: Done(**entry) for name, entry in content["done"].items()}
            return State(path, done, dict(content["begun"]))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ArtifactError(
                f"'{path}' says which steps were taken, but it can't be read ({error}); delete it, "
                "and all steps are taken again"
            ) from error

    def begin(self, step: str, seen: Seen) -> bool:
        """Note that `step` is under way; whether it was before, from the very same inputs."""
        again = self.begun.get(step) == seen
        self.done.pop(step, None)
        self.begun[step] = seen
        self._save()
        return again

    def finish(self, step: str, done: Done) -> None:
        """Note what `step` made."""
        self.begun.pop(step, None)
        self.done[step] = done
        self._save()

    def _save(self) -> None:
        content = {
            "format": FORMAT,
            "done": {name: asdict(done) for name, done in self.done.items()},
            "begun": self.begun,
        }
        write_bytes(self.path, (json.dumps(content, indent=1) + "\n").encode(), OWNER)
