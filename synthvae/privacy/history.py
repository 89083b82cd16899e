"""What all private fits on the same rows cost together.

A local file (JSON) for its owner's eyes, to be kept where the table is kept: it
tells data sets apart by a salted hash, so that two histories can't be joined, but who holds all
rows but one and this file can try that one. A table that was changed is another data set to it: who
fits a table as it grows adds the totals up.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from synthvae.errors import PrivacyError
from synthvae.files import OWNER, alone, write_bytes
from synthvae.privacy.accounting import Event, composed
from synthvae.privacy.budget import in_words
from synthvae.privacy.ledger import Ledger

NAME = "privacy-history.json"
FORMAT = 1
SALT = 16  # bytes
_FIT = {"data", "delta", "delta_of_thresholds", "events"}  # early ones say no unit


class Total(NamedTuple):
    """Fits on one data set that protect one unit, and what they cost together: epsilon at the sum
    of their deltas. `others` protect another unit, or don't say which, and are not in the sum."""

    fits: int
    epsilon: float
    delta: float
    others: int = 0


def data_id(path: Path, fingerprint: bytes) -> str:
    """The name of a data set in the history at `path`, which is begun if there is none."""
    with alone(path):
        if not path.exists():
            _write(path, {"format": FORMAT, "salt": secrets.token_hex(SALT), "fits": []})
    salt = bytes.fromhex(_read(path)["salt"])
    return hashlib.blake2b(fingerprint, digest_size=16, salt=salt).hexdigest()


def record(path: Path, data_id: str, ledger: Ledger, **also: str) -> None:
    """Add a fit, and what its owner wants to know it by `also`. Call it before the first release
    leaves the program: a fit that is stopped afterwards has cost what it cost."""
    fit: dict[str, Any] = {
        "data": data_id,
        "unit": ledger.budget.unit,
        "delta": ledger.budget.delta,
        "delta_of_thresholds": ledger.key_delta,
        "events": [[e.noise, e.rate, e.steps] for e in ledger.events],
        **also,
    }
    with alone(path):
        history = _read(path)
        _write(path, {**history, "fits": [*history["fits"], fit]})


def total(path: Path, data_ids: Collection[str], unit: str) -> Total:
    """All fits on a data set of these names that protect a `unit`, composed by the accountant."""
    every = _read(path)["fits"] if path.exists() else []
    same = [fit for fit in every if fit["data"] in data_ids]
    fits = [fit for fit in same if fit.get("unit") == unit]
    others = len(same) - len(fits)
    if not fits:
        return Total(0, 0.0, 0.0, others)
    delta = sum(fit["delta"] for fit in fits)
    thresholds = sum(fit["delta_of_thresholds"] for fit in fits)
    events = [Event(*event) for fit in fits for event in fit["events"]]
    return Total(len(fits), composed(events, delta - thresholds).pld, delta, others)


class Account:
    """The costs of fits of the same rows, added up in the history at `path`. They are known by the
    first of `fingerprints`; the others are what they may have been known by before. PrivacyError
    at once if the history there can't be read or written."""

    def __init__(
        self,
        path: Path,
        fingerprints: Sequence[bytes],
        say: Callable[[str], None],
        model: str = "",
    ) -> None:
        self.path, self.fingerprints, self.model = path, fingerprints, model
        self.together: Total | None = None  # all of them, once this one is among them
        self._say = say
        if path.is_dir():
            raise PrivacyError(
                f"what a private fit costs is written to a file, but '{path}' is a folder; "
                f"name a file in it, such as '{path / NAME}'"
            )
        if not os.access(path.parent, os.W_OK):
            raise PrivacyError(
                f"what a private fit costs is written down, but in '{path.parent}' nothing can be "
                "written; make the folder, or keep the history elsewhere"
            )
        if path.exists():
            _read(path)

    def pay(self, ledger: Ledger) -> None:
        """Add what `ledger` has spent, and say what all fits of the same rows cost."""
        names = [data_id(self.path, each) for each in self.fingerprints]
        also = {"when": datetime.date.today().isoformat()}
        record(self.path, names[0], ledger, **also, **({"model": self.model} if self.model else {}))
        found, unit = total(self.path, names, ledger.budget.unit), in_words(ledger.budget.unit)
        self.together = found
        if found.fits > 1:
            self._say(
                f"fit {found.fits} of the same rows: together they cost epsilon "
                f"{found.epsilon:.3g} at delta {found.delta:.2g} for each {unit} ({self.path})"
            )
        if found.others:
            self._say(
                f"{found.others} more of the same rows protect another unit than each {unit}, or "
                f"don't say which, and what they cost it is not known ({self.path})"
            )


def _read(path: Path) -> dict[str, Any]:
    try:
        history = json.loads(path.read_text(encoding="utf-8"))
        known = history["format"] == FORMAT and len(bytes.fromhex(history["salt"])) == SALT
        known &= all(isinstance(fit, dict) and set(fit) >= _FIT for fit in history["fits"])
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise PrivacyError(
            f"a history holds what private fits cost, but '{path}' can't be read as one; "
            "restore it, or move it away knowing that its fits no longer count"
        )
    return dict(history)


def _write(path: Path, history: dict[str, Any]) -> None:
    write_bytes(path, (json.dumps(history, indent=1) + "\n").encode(), OWNER)
