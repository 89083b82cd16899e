"""How torch computes: one thread an operation; work is laid side by side above the operations.

Threads inside an operation meet at a barrier that spins: on a machine whose cores are shared, one
late core stalls the other. Whole shards and blocks on a core each have no such barrier, and their
results don't depend on how many cores there are.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import chain, islice
from typing import TypeVar

import torch

from synthvae.model.crew import Crew

T = TypeVar("T")
R = TypeVar("R")

_WORTH_A_FORK = 4  # blocks: fewer are done sooner than helpers are forked


class Team:
    """`workers` cores, and the crews that work on them; `threads` wait for helpers."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.threads = ThreadPoolExecutor(workers, thread_name_prefix="synthvae")
        self.crews: list[Crew[object, object]] = []

    def crew(self, work: Callable[[T], R], fork: bool = True) -> Crew[T, R]:
        """Helpers that compute `work`, until the team parts."""
        crew = Crew(work, self.workers, self.threads, fork)
        self.crews.append(crew)  # type: ignore[arg-type]
        return crew

    def part(self) -> None:
        """What has begun is finished, what has not is dropped."""
        with ExitStack() as closing:
            for crew in self.crews:
                closing.callback(crew.close)
            self.threads.shutdown(cancel_futures=True)


def cores() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def side_by_side(workers: int | None = None) -> Iterator[Team]:
    """A team of `workers` (as many as cores if None), inside which an operation takes one thread.
    torch's own settings are put back afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    team = Team(workers or cores())
    try:
        yield team
    finally:
        try:
            team.part()
        finally:
            torch.set_num_threads(before)
            torch.set_flush_denormal(False)


def in_order(
    work: Callable[[int], T], starts: Iterable[int], threads: int | None = None
) -> Generator[T]:
    """`work(start)` of each start, computed side by side and given in order; few are held at a
    time, and none is begun long before it is asked for."""
    starts = iter(starts)
    first = list(islice(starts, _WORTH_A_FORK))
    with side_by_side(threads) as team:
        crew = team.crew(work, fork=len(first) == _WORTH_A_FORK)
        waiting: deque[Future[T]] = deque()
        for start in chain(first, starts):
            waiting.append(crew.submit(start))
            if len(waiting) > 2 * team.workers:
                yield from _handed_over(waiting.popleft().result())
        while waiting:
            yield from _handed_over(waiting.popleft().result())


def _handed_over(result: T) -> Generator[T]:
    """Who takes it counts with small numbers as ever."""
    torch.set_flush_denormal(False)
    yield result
    torch.set_flush_denormal(True)


def rows_at_once(width: int, values: int, fewest: int, most: int) -> int:
    """Rows a block whose widest array, `width` numbers a row, holds about `values` numbers: a
    power of two from `fewest` to `most`."""
    fit = max(values // max(width, 1), 1)
    return min(max(1 << fit.bit_length() - 1, fewest), most)
