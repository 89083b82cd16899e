"""A command that is told to end does so as after Ctrl-C: nothing half-written, and all said."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM


class Terminated(KeyboardInterrupt):
    """SIGTERM, as a CI runner or a container sends it before it kills."""


@contextmanager
def stoppable() -> Iterator[None]:
    """SIGTERM raises Terminated, where the caller has left it to end the process."""
    there = threading.current_thread() is threading.main_thread()
    if not there or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _stop(*_: object) -> None:
    raise Terminated
