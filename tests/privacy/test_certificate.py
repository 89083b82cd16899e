"""A certificate says what was promised, and nothing about a row."""

import json
from typing import Any

import numpy as np
import pytest

from synthvae.errors import PrivacyError
from synthvae.privacy.budget import Budget
from synthvae.privacy.certificate import certificate
from synthvae.privacy.ledger import Ledger

COLUMNS = {"age": {"kind": "declared", "bounds": "declared"}, "job": {"categories": "paid"}}
HASHES = {"model.synthvae": "ab" * 32}
MADE_BY = {"synthvae": "0.1.0"}


def fitted(noise, jobs: dict[str, int], ages: list[int]) -> dict[str, Any]:
    ledger = Ledger(Budget(3.0, unit="person", contributions=2), noise)
    ledger.keys("domain", "job", jobs, 0.1, 1e-6)
    ledger.counts("marginals", "age", np.array(ages), 0.2)
    ledger.train("training", "decoder", 0.1, 50)
    ledger.close()
    return certificate(ledger, COLUMNS, HASHES, MADE_BY)


def test_rows_below_the_threshold_leave_no_trace_in_the_bytes(silence) -> None:
    """One more person: another age, a job of their own, listed first."""
    without = fitted(silence, {"clerk": 900, "smith": 700}, [300, 500])
    within = fitted(silence, {"spy": 2, "smith": 701, "clerk": 901}, [301, 501])
    assert json.dumps(without) == json.dumps(within)
    assert "spy" not in json.dumps(within)


def test_the_claim_is_the_ledgers(tape) -> None:
    made = fitted(tape, {"clerk": 900}, [300, 500])
    claim = made["claim"]
    assert {key: claim[key] for key in ("dp", "unit", "contributions", "relation", "delta")} == {
        "dp": True,
        "unit": "person",
        "contributions": 2,
        "relation": "add/remove one unit",
        "delta": 1e-5,
    }
    assert 2.97 < claim["epsilon"] <= 3.0 < made["accountant"]["check"]["epsilon"]
    assert 0.01 < made["attacker"]["limits"]["0.01"] < 0.06
    assert [event["stage"] for event in made["events"]] == ["domain", "marginals", "training"]
    assert made["accountant"]["delta_of_thresholds"] == made["events"][0]["delta"] == 1e-6
    assert made["domain"] == COLUMNS
    assert made["randomness"] == {"counts": "a tape", "seeded": True}
    assert (made["hashes"], made["made_by"]) == (HASHES, MADE_BY)


def test_the_sentences_name_what_is_not_covered(tape) -> None:
    made = fitted(tape, {}, [1])
    for word in ("metadata", "settings", "other fits", "time", "reports"):
        assert any(word in sentence for sentence in made["not_covered"]), word
    assert any("floating-point" in sentence for sentence in made["limitations"])


def test_what_is_neither_declared_nor_paid_is_not_certified(tape) -> None:
    ledger = Ledger(Budget(1.0), tape)
    with pytest.raises(PrivacyError, match=r"column 'age': .* but bounds is 'observed'"):
        certificate(ledger, {"age": {"bounds": "observed"}}, {}, {})
