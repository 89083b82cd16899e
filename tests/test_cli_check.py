"""`synthvae check` as a pipeline meets it: an exit code, and files."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

RECORD = {
    "name": "coverage", "value": 0.9, "interval": {"low": 0.8, "high": 0.9}, "floor": 1.0,
    "floor_interval": {"low": 1.0, "high": 1.0}, "detail": {"kind": 0.5},
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An evaluation of one record, two policies; no CI of our own around."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    (tmp_path / "e.json").write_text(json.dumps({"records": [RECORD]}))
    for name, least in (("lax", 0.7), ("strict", 1)):
        policy = f"version: 1\nrules: {{fidelity.coverage: {{min: {least}}}}}\n"
        (tmp_path / f"{name}.yaml").write_text(policy)
    return tmp_path


def test_the_gate_is_passed(cli, folder: Path) -> None:
    out = folder / "c.json"
    done = cli("check", "--policy", folder / "lax.yaml", "--evaluation", folder / "e.json",
               "--json", "-o", out)  # fmt: skip
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found == json.loads(out.read_text())
    assert found["passed"] is True
    assert found["policy"]["name"] == "lax"
    assert found["lines"][0]["margin"] == pytest.approx(0.1)


def test_the_gate_is_closed(cli, folder: Path) -> None:
    junit, words = folder / "j.xml", folder / "c.md"
    command = ("check", "--policy", folder / "strict.yaml", "--evaluation", folder / "e.json")
    done = cli(*command, "--junit", junit, "--markdown", words)
    assert done.exit_code == 1
    assert "values are lacking in 'kind'" in " ".join(done.stdout.split())
    assert "gate failed: 1 of 1 rules failed" in done.stdout
    assert "::error" not in done.stdout
    assert ElementTree.parse(junit).getroot().get("failures") == "1"
    assert "**FAIL**" in words.read_text()
    assert cli(*command, "-q").output == ""
    assert cli(*command, "--junit", junit).exit_code == 2  # not overwritten unasked
    assert cli(*command, "--junit", junit, "--force").exit_code == 1


def test_github_is_told_when_it_asks(cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ("check", "--policy", folder / "strict.yaml", "--evaluation", folder / "e.json")
    line = "::error title=synthvae%3A fidelity.coverage at least 1::fidelity.coverage is at least 1"
    assert line in cli(*command, "--github").stdout
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder / "page.md"))
    done = cli(*command, "--json")
    assert json.loads(done.stdout)["passed"] is False
    assert line in done.stderr
    assert (folder / "page.md").read_text().startswith("## Gate 'strict' failed")


def test_wrong_calls_are_told_apart_from_a_closed_gate(cli, folder: Path) -> None:
    strict = ("check", "--policy", folder / "strict.yaml")
    assert cli(*strict).exit_code == 2
    assert cli(*strict, "--evaluation", folder / "none.json").exit_code == 3
    assert (
        cli("check", "--policy", folder / "e.json", "--evaluation", folder / "e.json").exit_code
        == 3
    )
    twice = ("--evaluation", folder / "e.json", "-o", folder / "x", "--junit", folder / "x")
    assert cli(*strict, *twice).exit_code == 2


def test_policy_init_writes_what_check_reads(cli, folder: Path) -> None:
    path = folder / "policy.yaml"
    done = cli("policy", "init", "--profile", "share-with-partner", "-o", path)
    assert done.exit_code == 0, done.output
    checked = cli("check", "--policy", path, "--evaluation", folder / "e.json", "--json")
    assert checked.exit_code == 1
    lines = json.loads(checked.stdout)["lines"]
    assert {line["status"] for line in lines} == {"missing", "fail"}
    assert cli("policy", "init", "--profile", "publish", "-o", path).exit_code == 2
    wrong = cli("policy", "init", "--profile", "public", "-o", "-")
    assert wrong.exit_code == 2
    assert "did you mean 'publish'" in " ".join(wrong.stderr.split())
