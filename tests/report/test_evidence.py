"""Files of other commands are read strictly: all that is wrong is said, with what to do."""

from __future__ import annotations

import json

import pytest

from synthvae.errors import EvidenceError
from synthvae.report import evidence


def test_files_as_they_are_written_are_read(hostile):
    assert evidence.audit(hostile / "audit.json")["seed"] == 0
    assert evidence.check(hostile / "check.json")["passed"] is False
    assert len(evidence.losses(hostile / "losses.jsonl")) == 5
    assert evidence.losses(hostile) == evidence.losses(hostile / "losses.jsonl")


def test_everything_that_lacks_is_said_at_once(hostile, tmp_path):
    audit = json.loads((hostile / "audit.json").read_text())
    del audit["seed"]
    audit["attacks"][0]["auc"] = "high"
    path = tmp_path / "a.json"
    path.write_text(json.dumps(audit))
    with pytest.raises(EvidenceError) as caught:
        evidence.audit(path)
    assert len(caught.value.reasons) == 2
    assert all("synthvae audit -o" in reason for reason in caught.value.reasons)
    assert "'attacks[].auc'" in caught.value.reasons[0]


@pytest.mark.parametrize("text", ["", "[]", "{", "{}", '{"verdict": 3}', "\x00"])
def test_what_is_no_audit_is_refused(text, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(EvidenceError, match="an audit"):
        evidence.audit(path)


def test_a_verdict_that_does_not_exist_is_refused(hostile, tmp_path):
    audit = json.loads((hostile / "audit.json").read_text())
    audit["verdict"]["outcome"] = "MAYBE"
    path = tmp_path / "a.json"
    path.write_text(json.dumps(audit))
    with pytest.raises(EvidenceError, match="MAYBE"):
        evidence.audit(path)


def test_a_log_with_a_broken_line_is_refused_by_its_number(tmp_path):
    path = tmp_path / "l.jsonl"
    path.write_text('{"loss": 3}\n{"los')
    with pytest.raises(EvidenceError, match="line 2"):
        evidence.losses(path)
    with pytest.raises(EvidenceError, match="can't be read"):
        evidence.losses(tmp_path / "none.jsonl")
