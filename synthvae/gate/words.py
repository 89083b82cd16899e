"""An outcome for people and for CI: Markdown, JUnit XML, annotations of GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

from synthvae.findings import VERDICT
from synthvae.findings import outcome as told
from synthvae.gate.judge import Line, Outcome
from synthvae.marks import safe

_SIGNS = {"pass": "pass", "fail": "**FAIL**", "warn": "warn", "missing": "**missing**"}


def markdown(outcome: Outcome) -> str:
    """A heading, a table of all rules, and the reasons of those that were not passed."""
    head = "passed" if outcome.passed else "failed"
    lines = [
        f"## Gate '{safe(outcome.name)}' {head}",
        "",
        f"{outcome.sentence}." + (f" Profile: {safe(outcome.profile)}." if outcome.profile else ""),
        "",
        "| rule | value | judged by | margin | |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    for line in outcome.lines:
        cells = (safe(line.rule), *numbers(line))
        lines.append(f"| {' | '.join(cells)} | {_SIGNS[line.status]} |")
    reasons = [f"- {safe(line.reason)}" for line in outcome.lines if line.status != "pass"]
    return "\n".join([*lines, *(["", *reasons] if reasons else []), ""])


def junit(outcome: Outcome) -> bytes:
    """One test case a rule. What only warns is 'skipped', the one state between pass and fail that
    every viewer shows; its message is the reason."""
    failures = sum(line.blocks for line in outcome.lines)
    skipped = sum(line.status != "pass" and not line.blocks for line in outcome.lines)
    counts = {
        "tests": str(len(outcome.lines)),
        "failures": str(failures),
        "errors": "0",
        "skipped": str(skipped),
    }
    root = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(
        root, "testsuite", {"name": _legal(f"synthvae {outcome.name}"), **counts}
    )
    for line in outcome.lines:
        group = line.record.partition(".")[0]
        case = ElementTree.SubElement(
            suite,
            "testcase",
            {"classname": f"synthvae.{group}", "name": _legal(line.rule), "time": "0"},
        )
        if line.status != "pass":
            kind = "failure" if line.blocks else "skipped"
            ElementTree.SubElement(case, kind, {"message": _legal(line.reason)})
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def workflow_commands(outcome: Outcome) -> Iterator[str]:
    """Workflow commands of GitHub, one for each rule that was not passed."""
    for line in outcome.lines:
        if line.status != "pass":
            kind = "error" if line.blocks else "warning"
            title = _property(f"synthvae: {line.rule}")
            yield f"::{kind} title={title}::{_data(line.reason)}"


def numbers(line: Line) -> tuple[str, str, str]:
    """Value, judged end and margin; of an audit's verdict the word, which has no margin."""
    if line.record == VERDICT:
        value, end = ("" if each is None else told(each) for each in (line.value, line.end))
        return value, end, ""
    return _number(line.value), _number(line.end), _number(line.margin)


def _number(value: float | None) -> str:
    """Three digits, whole thousands, or nothing."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _data(text: str) -> str:
    """As GitHub's toolkit escapes the message of a command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """As GitHub's toolkit escapes what stands before the message."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _legal(text: str) -> str:
    """Without characters that no XML may hold, such as a column's name might."""
    return "".join(c if c.isprintable() else " " for c in text)
