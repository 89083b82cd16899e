"""How torch computes: one thread an operation; work is laid side by side above the operations.

Threads inside an operation meet at a barrier that spins: on a machine whose cores are shared, one
late core stalls the other. Whole shards and blocks on a core each have no such barrier, and their
results don't depend on how many cores there are.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

T = TypeVar("T")


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


def in_order(
    work: Callable[[int], T], starts: Iterable[int], threads: int | None = None
) -> Iterator[T]:
    """`work(start)` of each start, computed side by side and given in order; few are held at a
    time, and none is begun long before it is asked for."""
    with side_by_side(threads) as pool:
        waiting: deque[Future[T]] = deque()
        for start in starts:
            waiting.append(pool.submit(work, start))
            if len(waiting) > 2 * (threads or cores()):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def rows_at_once(width: int, values: int, fewest: int, most: int) -> int:
    """Rows a block whose widest array, `width` numbers a row, holds about `values` numbers: a
    power of two from `fewest` to `most`."""
    fit = max(values // max(width, 1), 1)
    return min(max(1 << fit.bit_length() - 1, fewest), most)
