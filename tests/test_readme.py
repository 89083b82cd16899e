"""What the README says was measured stands in a report."""

from __future__ import annotations

import re
from pathlib import Path

from synthvae.model.presets import PRESETS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_every_measured_row_stands_in_a_report() -> None:
    measured = README.split("## Measured")[1].split("\n## ")[0]
    rows = [line for line in measured.splitlines() if line.startswith("|")]
    reports = "\n".join(path.read_text() for path in (ROOT / "reports").glob("*.md"))
    known = set(reports.splitlines())
    assert len(rows) > 4
    assert [row for row in rows if row not in known] == []


def test_every_preset_has_its_line() -> None:
    lines = re.findall(r"^\| `([\w-]+)`(?: \(default\))? \| (.+) \|$", presets(), re.M)
    assert lines == [(name, preset.summary) for name, preset in PRESETS.items()]


def presets() -> str:
    return README.split("## Presets")[1].split("\n## ")[0]
