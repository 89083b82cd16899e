"""A report short enough for a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from synthvae.marks import safe
from synthvae.report import words

MOST_CHARACTERS = 65_535  # of a comment on GitHub
_MOST_LINES = 60
_WORDS = {"PASS": "✅ PASS", "FAIL": "❌ FAIL", "INCONCLUSIVE": "❔ INCONCLUSIVE"}
_STATUS = {"pass": "✅ pass", "fail": "❌ fail", "warn": "⚠️ warn", "missing": "❌ missing"}

Json = Mapping[str, Any]


def markdown(content: Json) -> str:
    """Verdict, key numbers, and the rest folded away; always below 65,536 characters."""
    parts = [
        "## Report on synthetic rows",
        _verdict(content["sections"]["verdict"]),
        _key_numbers(content),
        _folded("Policy", _check(content["sections"]["verdict"]["check"])),
        _folded("Columns, furthest off first", _parts(content, "fidelity.column")),
        _folded("Worst pairs", _parts(content, "fidelity.pairs")),
        _folded("Audit", _criteria(content["sections"]["verdict"]["audit"])),
        _folded("All other numbers", _others(content)),
        _folded("What is missing, and notes", _absent(content)),
        _folded("How this was made", _made(content["sections"]["made"])),
        _warning(content["kind"]),
    ]
    text = ""
    for part in filter(None, parts):
        if len(text) + len(part) + 2 <= MOST_CHARACTERS:  # a folded part is whole or not there
            text += part + "\n\n"
    return text.rstrip() + "\n"


def _verdict(verdict: Json) -> str:
    check, audit = verdict["check"], verdict["audit"]
    lines = []
    if check:
        failed = len(words.broken(check))
        outcome = _WORDS["PASS" if check["passed"] else "FAIL"]
        rules = f"{failed} of {len(check['lines'])} rules failed" if failed else "all rules kept"
        lines.append(f"**Policy '{safe(check['policy']['name'])}': {outcome}**, {rules}.")
    else:
        lines.append(f"**Policy: not checked.** {safe(verdict['check_absent'])}")
    if audit:
        lines.append(f"**Audit: {_WORDS[audit['outcome']]}.** {safe(audit['sentence'])}")
    else:
        lines.append(f"**Audit: none.** {safe(verdict['audit_absent'])}")
    return "\n\n".join(lines)


def _key_numbers(content: Json) -> str:
    rows = []
    for name, meaning in words.KEY_NUMBERS:
        record = words.found(content, name)
        if record:
            cells = (words.title(record), words.with_span(record), words.value(record, "floor"),
                     _n(record), meaning)  # fmt: skip
            rows.append(cells)
    return _table(["", "value (95 %)", "floor", "n", ""], rows)


def _check(check: Json | None) -> str:
    if check is None:
        return ""
    order = {"fail": 0, "missing": 1, "warn": 2, "pass": 3}
    lines = sorted(check["lines"], key=lambda line: order.get(line["status"], 4))
    return _table(
        ["rule", "record", "limit", "value", "outcome", "why"],
        (
            [line["rule"], line["record"], line["limit"],
             "" if line.get("value") is None else f"{line['value']:.4g}",
             _STATUS.get(line["status"], line["status"]), line.get("reason") or ""]
            for line in lines[:_MOST_LINES]
        ),
    )  # fmt: skip


def _parts(content: Json, name: str) -> str:
    records = sorted(words.every(content, name), key=excess)[:_MOST_LINES]
    if not records:
        return ""
    rows = (
        [record["column"], words.with_span(record), words.value(record, "floor"), _n(record)]
        for record in records
    )
    return _table(["", "distance, percent (95 %)", "floor", "n"], rows)


def excess(record: Json) -> float:
    """How far a distance lies above its floor; the furthest sorts first."""
    return -((record["value"] or 0.0) - (record["floor"] or 0.0))


def _criteria(audit: Json | None) -> str:
    if audit is None or "criteria" not in audit:
        return ""

    def form(number: float | None) -> str:
        return words.NOTHING if number is None else f"{number:.3g}"

    return _table(
        ["criterion", "value (95 %)", "limit", "outcome"],
        (
            [each["name"],
             f"{form(each['value'])} ({form(each['interval']['low'])} to "
             f"{form(each['interval']['high'])})",
             form(each["limit"]), _WORDS.get(each["outcome"], each["outcome"])]
            for each in audit["criteria"]
        ),
    )  # fmt: skip


def _others(content: Json) -> str:
    shown = {name for name, _ in words.KEY_NUMBERS} | {"fidelity.column", "fidelity.pairs"}
    records = [record for record in content["records"] if record["name"] not in shown]
    rows = (
        [record["name"], record["column"] or "", words.with_span(record),
         words.value(record, "floor"), _n(record)]
        for record in records[: 2 * _MOST_LINES]
    )  # fmt: skip
    return _table(["record", "of", "value (95 %)", "floor", "n"], rows)


def _absent(content: Json) -> str:
    lines = [f"- {safe(note)}" for note in content["notes"]]
    for name, section in content["sections"].items():
        for key, why in section.items():
            if key.endswith("absent") and why:
                part = key.removesuffix("absent").removesuffix("_")
                where = f"{name}, {part}" if part else name
                lines.append(f"- {where}: {safe(why)}")
    return "\n".join(lines)


def _made(made: Json) -> str:
    rows = (
        [file["role"], file["name"], (file["sha256"] or "not a file")[:16],
         f"{file['rows']:,}" if file["rows"] else ""]
        for file in made["files"]
    )  # fmt: skip
    versions = ", ".join(f"{name} {number}" for name, number in made["packages"].items())
    table = _table(["file", "name", "sha256", "rows"], rows)
    command = f"{safe(made['command'])}\n\n" if made["command"] else ""
    return f"{command}{table}\n\nSeed {made['seed']}. {safe(versions)}."


def _warning(kind: str) -> str:
    if kind == "public":
        return "_Public form: ratios and verdicts, measured on real rows; none of these is shown._"
    return "_Holds statistics of the real table, by column. `--public` leaves these out._"


def _n(record: Json) -> str:
    return f"{record['n']:,}" if record["n"] is not None else ""


def _folded(title: str, body: str) -> str:
    if not body:
        return ""
    return f"<details>\n<summary>{title}</summary>\n\n{body}\n\n</details>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [list(head), ["---"] * len(head), *([safe(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
