"""How torch computes: one thread an operation; work is laid side by side above the operations.

Threads inside an operation meet at a barrier that spins: on a machine whose cores are shared, one
late core stalls the other. Whole shards and blocks on a core each have no such barrier, and their
results don't depend on how many cores there are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch


def cores() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def side_by_side(workers: int | None = None) -> Iterator[ThreadPoolExecutor]:
    """A pool of `workers` (all cores if None), inside which an operation takes one thread.
    torch's own settings are put back afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    pool = ThreadPoolExecutor(workers or cores(), thread_name_prefix="synthvae")
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(before)
        torch.set_flush_denormal(False)
