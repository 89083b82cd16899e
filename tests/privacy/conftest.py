"""Noise that is known beforehand, for tests of everything but noise."""

from __future__ import annotations

import pytest

from tests.conftest import Tape


@pytest.fixture
def tape() -> Tape:
    return Tape()


@pytest.fixture
def silence() -> Tape:
    return Tape(0.0)
