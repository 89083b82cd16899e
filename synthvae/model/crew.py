"""A crew: helpers that compute one function of what they are told, each on a core.

Threads of Python take turns at all that lies between two operations of torch, and an operation of a
training step takes some 20 us: two threads are hardly faster than one. A forked process has an
interpreter of its own, knows the function and all it refers to as they were at the fork, and sends
back what it returns. Where forking is not to be trusted, threads do the same, slower.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import multiprocessing
import pickle
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Generic, TypeVar

import torch
from torch import Tensor

T = TypeVar("T")
R = TypeVar("R")

_READY, _ENOUGH = b"!", b"."
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
_KEPT = 1 << 30  # bytes at the top of the heap
_LARGE = 1 << 25  # the most that every glibc takes: only larger arrays are mapped one by one
_USUAL = 2 * _LARGE  # what glibc comes to by itself where such arrays are freed
_PATIENCE = 5.0  # seconds until a helper that does not begin, or end, is given up


class Crew(Generic[T, R]):
    """Computes `work(task)` on `workers` cores. Helpers are forked at the first task; tasks and
    results are pickled. `threads`, one a core, wait for helpers, or work in place of them. Where
    helpers could be had but are not worth it, the caller works: a thread that has done matrix
    products and is ending may hold a lock of MKL, which a fork at that moment would copy."""

    def __init__(
        self, work: Callable[[T], R], workers: int, threads: ThreadPoolExecutor, fork: bool = True
    ) -> None:
        self.work, self.workers, self.threads = work, workers, threads
        forks = _may_fork()
        self.fork, self.here = forks and fork and workers > 1, forks or workers == 1
        self.helpers: list[_Helper[T, R]] = []
        self.idle: SimpleQueue[_Helper[T, R]] = SimpleQueue()

    def submit(self, task: T) -> Future[R]:
        """`work(task)`, later. MemoryError if a helper is ended from outside."""
        self._start(self.workers)
        if self.helpers:
            return self.threads.submit(self._ask, task)
        if not self.here:
            return self.threads.submit(self.work, task)
        done: Future[R] = Future()
        done.set_result(self.work(task))
        return done

    def all(self, tasks: Sequence[T]) -> list[R]:
        """`work(task)` of each, the first here: no time is lost in handing it over."""
        self._start(min(self.workers, len(tasks)) - 1)
        if self.here and not self.helpers:
            return [self.work(task) for task in tasks]
        if not self.helpers:
            later = [self.threads.submit(self.work, task) for task in tasks[1:]]
            return [self.work(tasks[0]), *(future.result() for future in later)]
        here = len(tasks) - len(self.helpers)
        for helper, task in zip(self.helpers, tasks[here:], strict=True):
            helper.tell(task)
        return [
            *(self.work(task) for task in tasks[:here]),
            *(helper.answer() for helper in self.helpers),
        ]

    def close(self) -> None:
        """Send the helpers home; what they were told before is finished first."""
        for helper in self.helpers:
            helper.close()
        self.helpers, self.fork = [], False

    def _start(self, helpers: int) -> None:
        if self.helpers or not self.fork:
            return
        try:
            for _ in range(helpers):
                self.helpers.append(_Helper(self.work))
                self.idle.put(self.helpers[-1])
        except OSError:  # no memory or no process to be had, or none that works: threads do
            self.close()
            self.here = False

    def _ask(self, task: T) -> R:
        helper = self.idle.get()
        try:
            helper.tell(task)
            return helper.answer()
        finally:
            self.idle.put(helper)


class _Helper(Generic[T, R]):
    """One forked process, and the pipe to it."""

    def __init__(self, work: Callable[[T], R]) -> None:
        fork = multiprocessing.get_context("fork")
        self.pipe, theirs = fork.Pipe()
        self.process = fork.Process(target=_serve, args=(work, theirs, self.pipe), daemon=True)
        with warnings.catch_warnings():
            # Forking beside threads is warned of since a lock may be held for good in the copy:
            # that is what `_is_ready` finds out.
            warnings.simplefilter("ignore", DeprecationWarning)
            self.process.start()
        theirs.close()
        if not self._is_ready():
            self.process.kill()
            self.close()
            raise ChildProcessError("a helper was forked in a state in which it can't work")

    def _is_ready(self) -> bool:
        with contextlib.suppress(EOFError, OSError):
            return self.pipe.poll(_PATIENCE) and self.pipe.recv_bytes() == _READY
        return False

    def tell(self, task: T) -> None:
        with _ended_from_outside():
            self.pipe.send_bytes(pickle.dumps(task, protocol=5))

    def answer(self) -> R:
        with _ended_from_outside():
            done, value = pickle.loads(self.pipe.recv_bytes())
        if not done:
            raise value
        answer: R = value
        return answer

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.pipe.send_bytes(_ENOUGH)
        self.process.join(_PATIENCE)
        if self.process.is_alive():  # a message that was cut off by Ctrl-C is never whole
            self.process.kill()
            self.process.join()
        self.pipe.close()


@contextlib.contextmanager
def _ended_from_outside() -> Iterator[None]:
    try:
        yield
    except (EOFError, BrokenPipeError, ConnectionResetError) as error:
        raise MemoryError("a helper process was ended from outside") from error


def _serve(work: Callable[[T], R], pipe: Connection, parents: Connection) -> None:
    """The life of a helper: it ends when it is told so, or when its parent is gone. (The closing of
    a pipe would not do: helpers forked later hold copies of the parent's end.)"""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told too, and decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # whatever the parent does about it
    parents.close()
    with kept_memory():
        _work_on(work, pipe)


def _work_on(work: Callable[[T], R], pipe: Connection) -> None:
    # Whatever lock another thread held at the fork is held for good: better found out now.
    one = torch.ones(64, 64, requires_grad=True)
    torch.autograd.grad((one @ one).sum(), one)
    with contextlib.suppress(EOFError, OSError):
        pipe.send_bytes(_READY)
        while True:
            told = pipe.recv_bytes()
            if told == _ENOUGH:
                return
            try:
                answer = pickle.dumps((True, work(pickle.loads(told))), protocol=5)
            except Exception as error:
                answer = pickle.dumps((False, error), protocol=5)
            pipe.send_bytes(answer)


@contextlib.contextmanager
def kept_memory() -> Iterator[None]:
    """What a step frees the next one asks for again: given back to the system in between (glibc,
    for arrays of more than 128 KB), it would come back page by page, all of them zeros."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if libc is None or not hasattr(libc, "mallopt") or not hasattr(libc, "malloc_trim"):
        yield
        return
    libc.mallopt(_MMAP_THRESHOLD, _LARGE)
    libc.mallopt(_TRIM_THRESHOLD, _KEPT)
    try:
        yield
    finally:
        libc.mallopt(_TRIM_THRESHOLD, _USUAL)
        libc.malloc_trim(0)


def _may_fork() -> bool:
    """Linux only: elsewhere system libraries don't survive a fork. A daemon may have no children,
    and beside a GPU autograd has threads that a fork leaves behind."""
    return (
        sys.platform == "linux"
        and not multiprocessing.current_process().daemon
        and not torch.cuda.is_available()
    )


def shared(size: int) -> Tensor:
    """Zeros [size] that processes forked later see as one memory."""
    return torch.frombuffer(mmap.mmap(-1, 4 * max(size, 1)), dtype=torch.float32)[:size]
