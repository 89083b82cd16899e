"""Fits on the same rows add up; a history that can't be read is not taken for an empty one."""

import contextlib
import json
import threading
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from synthvae.errors import PrivacyError
from synthvae.privacy import history
from synthvae.privacy.accounting import composed
from synthvae.privacy.budget import ROW, Budget
from synthvae.privacy.history import NAME, Account, Total, data_id, record, total
from synthvae.privacy.ledger import Ledger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / NAME


@pytest.fixture
def ledger(tape) -> Ledger:
    ledger = Ledger(Budget(1.0), tape)
    ledger.counts("marginals", "a", np.arange(5), 0.5)
    ledger.keys("domain", "b", {"x": 99}, 0.5, 1e-6)
    return ledger


def test_fits_are_composed_jointly(path: Path, ledger: Ledger) -> None:
    mine = data_id(path, b"table")
    record(path, mine, ledger)
    assert total(path, [mine], ROW).epsilon == pytest.approx(ledger.claim().epsilon)
    record(path, mine, ledger, when="2026-01-31")
    both = total(path, [mine], ROW)
    assert (both.fits, both.delta) == (2, pytest.approx(2e-5))
    assert both.epsilon == pytest.approx(composed(ledger.events * 2, 2e-5 - 2e-6).pld)
    assert ledger.claim().epsilon < both.epsilon < 2 * ledger.claim().epsilon


def test_other_rows_are_not_charged(path: Path, ledger: Ledger) -> None:
    record(path, data_id(path, b"table"), ledger)
    assert total(path, [data_id(path, b"another")], ROW) == Total(0, 0.0, 0.0)
    assert total(path.parent / "none.json", ["id"], ROW) == Total(0, 0.0, 0.0)


def test_fits_that_protect_another_unit_are_not_added(path: Path, ledger: Ledger, tape) -> None:
    mine = data_id(path, b"table")
    record(path, mine, ledger)
    whole = Ledger(Budget(1.0, unit="person", contributions=3), tape)
    whole.counts("marginals", "a", np.arange(5), 1.0)
    record(path, mine, whole)
    rows, people = total(path, [mine], ROW), total(path, [mine], "person")
    assert (rows.fits, rows.others, people.fits, people.others) == (1, 1, 1, 1)
    assert rows.epsilon == pytest.approx(ledger.claim().epsilon)
    assert people.epsilon == pytest.approx(whole.claim().epsilon)


def test_a_data_set_has_one_name_in_a_history_and_another_in_each(path: Path) -> None:
    assert data_id(path, b"table") == data_id(path, b"table")
    assert data_id(path, b"table") != data_id(path.parent / "other.json", b"table")


def test_only_its_owner_reads_a_history(path: Path, ledger: Ledger) -> None:
    """Who holds all rows but one can try that one against it."""
    history.record(path, history.data_id(path, b"rows"), ledger)
    assert path.stat().st_mode & 0o077 == 0


def test_an_account_says_when_and_what_for_and_what_all_fits_cost(
    path: Path, ledger: Ledger
) -> None:
    said: list[str] = []
    first, second = (Account(path, [b"table"], said.append, name) for name in ("a.synthvae", ""))
    first.pay(ledger)
    assert first.together == Total(1, pytest.approx(ledger.claim().epsilon), 1e-5)
    assert said == []
    second.pay(ledger)
    assert second.together == total(path, [data_id(path, b"table")], ROW)
    assert second.together.fits == 2
    assert said[0].startswith("fit 2 of the same rows: together they cost epsilon")
    one, other = json.loads(path.read_text())["fits"]
    assert (one["model"], "model" in other) == ("a.synthvae", False)
    assert date.fromisoformat(one["when"]) <= date.today()


def test_fits_that_were_known_by_another_name_are_counted(path: Path, ledger: Ledger) -> None:
    record(path, data_id(path, b"as before"), ledger)
    account = Account(path, [b"as now", b"as before"], print)
    account.pay(ledger)
    assert account.together.fits == 2
    assert total(path, [data_id(path, b"as now")], ROW).fits == 1


def test_a_place_that_cannot_hold_a_history_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(PrivacyError, match=r"is a folder; name a file in it, such as .*history"):
        Account(tmp_path, [b"table"], print)
    with pytest.raises(PrivacyError, match="nothing can be written; make the folder"):
        Account(tmp_path / "none" / NAME, [b"table"], print)


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}", "[]", '{"format": 2, "salt": "ab", "fits": []}', '{"format": 1}'),
        '{"format": 1, "fits": []}',
        '{"format": 1, "salt": "zz", "fits": []}',
        '{"format": 1, "salt": "%s", "fits": []}' % ("ab" * 17),
        '{"format": 1, "salt": "%s", "fits": [{"data": "d"}]}' % ("ab" * 16),
        '{"format": 1, "salt": "%s", "fits": [["data"]]}' % ("ab" * 16),
    ],
)
def test_a_history_that_is_none_is_refused(text: str, path: Path) -> None:
    path.write_text(text)
    with pytest.raises(PrivacyError, match="can't be read as one"):
        total(path, ["id"], ROW)


def test_fits_that_end_at_once_are_all_counted(path: Path, ledger: Ledger, monkeypatch) -> None:
    """Two have read before either writes, unless one waits for the other."""
    mine = data_id(path, b"table")
    both, write = threading.Barrier(2), history._write

    def late(*given: object) -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(0.5)
        write(*given)

    monkeypatch.setattr(history, "_write", late)
    fits = [threading.Thread(target=record, args=(path, mine, ledger)) for _ in range(2)]
    for fit in fits:
        fit.start()
    for fit in fits:
        fit.join()
    assert total(path, [mine], ROW).fits == 2
