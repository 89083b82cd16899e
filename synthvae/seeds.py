"""One seed -> named, counter-based random streams.

A stream is found by its name, not by how many draws came before it, so work can be done in any
order, in any number of threads, and stopped and resumed, and the numbers stay the same.
"""

from __future__ import annotations

import hashlib

import numpy as np

Name = str | int


def derive(seed: int, *names: Name) -> int:
    """A 63-bit seed for the stream called `names`."""
    text = "\x1f".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def stream(seed: int, *names: Name) -> np.random.Generator:
    """A NumPy generator (Philox, counter-based) for the stream called `names`."""
    return np.random.Generator(np.random.Philox(key=derive(seed, *names)))
