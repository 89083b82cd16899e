"""What CI reads of an outcome is well-formed, whatever stands in it."""

from __future__ import annotations

from xml.etree import ElementTree

from synthvae.gate.judge import judge
from synthvae.gate.policy import Policy, Rule
from synthvae.gate.records import Reading
from synthvae.gate.words import junit, markdown, workflow_commands

NASTY = "most of it in 'a|b,c: 100%\nd\x01<&>'"
RULES = (
    Rule("rows", "low", 1),
    Rule("fidelity.shape_ratio", "high", 1),
    Rule("utility.gap", "high", 0.5, "warn"),
    Rule("copies.exact", "high", 0.5),
)
OUTCOME = judge(
    Policy("nightly, 100%", "own", RULES),
    {
        "rows": Reading.exact(5),
        "fidelity.shape_ratio": Reading(2, 1.5, 2.5, NASTY),
        "utility.gap": Reading.exact(1),
    },
)


def test_junit_has_a_case_for_each_rule() -> None:
    root = ElementTree.fromstring(junit(OUTCOME))
    (suite,) = root
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("4", "2", "1")
    states = [[child.tag for child in case] for case in suite]
    assert states == [[], ["failure"], ["skipped"], ["failure"]]
    assert suite[1].get("classname") == "synthvae.fidelity"
    assert "a|b,c: 100%" in str(suite[1][0].get("message"))


def test_annotations_are_escaped_as_github_asks() -> None:
    found = list(workflow_commands(OUTCOME))
    assert [line.split(" ")[0] for line in found] == ["::error", "::warning", "::error"]
    first = found[0]
    assert first.startswith("::error title=synthvae%3A fidelity.shape_ratio at most 1::fidelity.")
    assert "100%25%0Ad" in first
    assert "\n" not in first


def test_a_property_may_hold_no_comma() -> None:
    rule = Rule("utility.gap, or so: 5%", "high", 1)
    (line,) = workflow_commands(judge(Policy("p", "", (rule,)), {}))
    title = line.removeprefix("::error title=").split("::")[0]
    assert title == "synthvae%3A utility.gap%2C or so%3A 5%25 at most 1"


def test_a_verdict_stands_in_the_table_as_a_word() -> None:
    rule = Rule("privacy.verdict", "low", 0)
    readings = {"privacy.verdict": Reading.exact(-1, "a leak")}
    text = markdown(judge(Policy("p", "", (rule,)), readings))
    assert "| privacy.verdict at least INCONCLUSIVE | FAIL | FAIL |  | **FAIL** |" in text


def test_markdown_is_a_table_with_reasons() -> None:
    text = markdown(OUTCOME)
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 2 + 4
    assert all(row.replace("\\|", "").count("|") == 6 for row in rows)
    assert "2 of 4 rules failed, 1 warned, 1 passed" in text
    assert sum(line.startswith("- ") for line in text.splitlines()) == 3
    assert text.startswith("## Gate 'nightly, 100%' failed")


def test_names_are_no_markup_anywhere() -> None:
    name = "x\n\n# PASS <img src=x onerror=alert(1)>\x01"
    outcome = judge(Policy(name, name, (Rule("rows", "low", 1),)), {"rows": Reading(0, 0, 0, name)})
    text = markdown(outcome)
    assert "<img" not in text
    assert not any(line.startswith("# ") for line in text.splitlines())
    ElementTree.fromstring(junit(outcome))
