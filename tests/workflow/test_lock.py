"""Who holds a folder of outputs holds it alone, and for no longer than it runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from synthvae.errors import UsageError
from synthvae.workflow import lock

DIES = """
import os, sys
from pathlib import Path
from synthvae.workflow.lock import alone
with alone(Path(sys.argv[1])):
    os._exit(7)
"""


def test_one_at_a_time(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    with (
        lock.alone(tmp_path),
        pytest.raises(UsageError, match="wait for it"),
        lock.alone(tmp_path),
    ):
        pass
    with lock.alone(tmp_path):
        pass


def test_a_run_that_died_holds_nothing(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", DIES, str(tmp_path)], check=False)
    assert done.returncode == 7
    with lock.alone(tmp_path):
        pass


def test_without_such_locks_a_run_does_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "fcntl", None)
    with lock.alone(tmp_path), lock.alone(tmp_path):
        pass
