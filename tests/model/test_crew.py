"""Helpers: the same results as without them, errors that come back, no process left behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from synthvae.errors import UsageError
from synthvae.model import crew
from synthvae.model.compute import in_order, side_by_side
from synthvae.model.crew import Crew, shared

forks = pytest.mark.skipif(sys.platform != "linux", reason="helpers are forked on Linux only")


def whose(number: int) -> tuple[int, int]:
    return number * number, os.getpid()


def fail(number: int) -> int:
    if number == 3:
        raise UsageError("a number is not 3", "it is")
    return number


def children() -> list[object]:
    return [p for p in multiprocessing.active_children() if p.is_alive()]


@pytest.mark.parametrize("may", [True, False])
def test_results_are_in_order_with_and_without_processes(
    may: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "_may_fork", lambda: may)
    found = list(in_order(whose, range(20), threads=2))
    assert [square for square, _ in found] == [n * n for n in range(20)]
    assert ({pid for _, pid in found} == {os.getpid()}) is not may
    assert not children()


@forks
def test_the_first_task_of_all_is_done_here_and_the_others_elsewhere() -> None:
    with side_by_side(3) as team:
        helped = team.crew(whose)
        for _ in range(2):  # the same helpers again
            found = helped.all([1, 2, 3])
            assert [square for square, _ in found] == [1, 4, 9]
            assert found[0][1] == os.getpid()
            assert len({pid for _, pid in found}) == 3
        assert len(children()) == 2
    assert not children()


def test_more_tasks_than_workers_are_done_too() -> None:
    for workers in (1, 2):
        with side_by_side(workers) as team:
            assert team.crew(fail).all([0, 1, 2, 4]) == [0, 1, 2, 4]


@forks
def test_an_error_comes_back_with_its_reasons() -> None:
    with pytest.raises(UsageError, match="not 3") as caught:
        list(in_order(fail, range(10), threads=2))
    assert caught.value.exit_code == 2
    assert caught.value.reasons == ("a number is not 3", "it is")
    assert not children()


@forks
def test_two_streams_may_be_read_in_turns_and_dropped() -> None:
    first, second = (in_order(whose, range(50), threads=2) for _ in range(2))
    for number in range(6):
        assert next(first)[0] == next(second)[0] == number * number
    first.close()  # while helpers of the second hold copies of its pipes
    assert next(second)[0] == 36
    second.close()
    assert not children()


@forks
def test_a_helper_that_is_killed_is_an_error_and_no_endless_wait() -> None:
    with side_by_side(2) as team:
        helped = team.crew(whose)
        _, pid = helped.all([1, 2])[1]
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(MemoryError, match="ended from outside"):
            helped.all([1, 2])


@forks
def test_no_process_to_be_had_means_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(crew, "_Helper", refused)
    assert [square for square, _ in in_order(whose, range(9), threads=2)][-1] == 64


@forks
def test_memory_that_is_shared_is_written_by_helpers_too() -> None:
    memory = shared(3)

    def write(at: int) -> None:
        memory[at] = at + 1.0

    with ThreadPoolExecutor(2) as threads:
        helped = Crew(write, 2, threads)
        helped.all([0, 2])
        helped.close()
    assert memory.tolist() == [1.0, 0.0, 3.0]


@forks
def test_a_helper_ends_with_its_parent() -> None:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    parent = context.Process(target=_parent, args=(theirs,))
    parent.start()
    helper = ours.recv()
    parent.kill()
    parent.join()
    for _ in range(100):
        if not _alive(helper):
            return
        signal.sigtimedwait([], 0.05)
    pytest.fail("the helper outlives its parent")


def _parent(pipe: object) -> None:
    with side_by_side(2) as team:
        found = team.crew(whose).all([1, 2])
        pipe.send(found[1][1])  # type: ignore[attr-defined]
        signal.pause()


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as status:
            return status.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@forks
def test_a_helper_that_is_stuck_from_the_start_is_replaced_by_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(crew, "_PATIENCE", 0.2)
    monkeypatch.setattr(crew, "_serve", lambda *_: signal.pause())
    found = list(in_order(whose, range(9), threads=2))
    assert [square for square, _ in found] == [n * n for n in range(9)]
    assert {pid for _, pid in found} == {os.getpid()}
    assert not children()


def test_one_worker_works_here() -> None:
    with side_by_side(1) as team:
        helped = team.crew(lambda _: threading.get_ident())
        assert helped.all([1, 2]) == [threading.get_ident()] * 2
        assert helped.submit(3).result() == threading.get_ident()


def test_who_takes_a_result_counts_with_small_numbers_as_ever() -> None:
    results = in_order(whose, range(4), 1)
    assert next(results)[0] == 0
    assert np.float64(sys.float_info.min) * 0.5 > 0
    assert next(results)[0] == 1
    assert np.float64(sys.float_info.min) * 0.5 > 0
    results.close()


class Libc:
    """What is told to malloc, in place of the C library."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []

    def mallopt(self, option: int, value: int) -> None:
        self.told.append(("mallopt", value))

    def malloc_trim(self, kept: int) -> None:
        self.told.append(("malloc_trim", kept))


@pytest.mark.parametrize("platform", ["linux", "win32"])
def test_memory_is_kept_until_the_end_and_on_linux_alone(
    platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    libc = Libc()
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(crew.ctypes, "CDLL", lambda _: libc)
    with pytest.raises(UsageError), crew.kept_memory():
        raise UsageError("an error is passed on", "it is")
    if platform == "win32":
        assert not libc.told
    else:
        (_, _), (_, kept), *after = libc.told
        assert [name for name, _ in after] == ["mallopt", "malloc_trim"]
        assert after[0][1] < kept  # memory goes back again
