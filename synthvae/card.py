"""A model card: what a model file is, in words that may go wherever the file goes.

Mitchell et al. (2019), "Model Cards for Model Reporting". No value of a row stands in it: names of
columns, kinds and counts, and what was measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from synthvae.gate.records import Reading, Readings
from synthvae.holdings import NOT_PRIVATE, Described, describe
from synthvae.training.findings import in_words

PURPOSE = (
    "Writes new rows like those of one table: for tests, demonstrations, development and analysis "
    "where the table itself may not go. What the rows are good for was measured for the uses "
    "below, if any are named, and for no others."
)
LIMITS = (
    "Rows stand for themselves: order, time series and links to other tables are not learnt.",
    "Identifiers, personal data and free text are made up, without regard to the other columns.",
    "What few rows show is learnt badly: rare combinations, extremes, small groups. Results on "
    "them need real rows.",
    "It repeats what is wrong in the table it learnt: biases, errors, gaps.",
    "Synthetic rows are no evidence about single people, and no legal statement on anonymity.",
)


@dataclass(frozen=True)
class File:
    """The model file: its name, its size in bytes, the SHA-256 of it."""

    name: str
    size: int
    sha256: str


def markdown(model: Described, file: File, purpose: str, readings: Readings) -> str:
    """The card. `purpose`: the user's own words, or ''; `readings`: of an evaluation and audit."""
    held = describe(model)
    settings = model.content["settings"]
    parts = [
        f"# Model card: {file.name}",
        _section("Purpose", [purpose or PURPOSE]),
        _section("Data", _data(held, model.content["metadata"])),
        _section("How it was made", _made(held, settings, file)),
        _section("Privacy", _privacy(held)),
        _section("Measured", _measured(readings)),
        _section("Known limits", list(_limits(held))),
    ]
    return "\n\n".join(parts) + "\n"


def _section(title: str, lines: Sequence[str]) -> str:
    return "\n".join([f"## {title}", "", *lines])


def _data(held: Mapping[str, Any], metadata: Mapping[str, Any]) -> list[str]:
    """Names and kinds; how many categories, never which."""
    columns, training = held["columns"], held["training"]
    rows = f"{training['rows']:,} rows"
    if not isinstance(held["privacy"], str):
        rows += " drawn from noisy counts (how many there were is private)"
    lines = [
        f"Learnt from one table of {len(columns)} columns: {rows}. Values of the table are not "
        "part of this card; `synthvae inspect` lists what the file itself holds.",
        "",
        "| column | is | learnt as | categories |",
        "| --- | --- | --- | ---: |",
    ]
    (table,) = metadata["tables"].values()
    for name, column in columns.items():
        sdtype = table["columns"][name]["sdtype"]
        made_up = column["kind"] in ("identifier", "personal")
        learnt = "made up; only whether it is missing is learnt" if made_up else column["kind"]
        count = len(column.get("categories", ())) or ""
        lines.append(f"| {_cell(name)} | {_cell(sdtype)} | {learnt} | {count} |")
    return lines


def _made(held: Mapping[str, Any], settings: Mapping[str, Any], file: File) -> list[str]:
    training, spec = held["training"], settings["model"]
    parts = ", ".join(f"{part} {spec[part]['kind']}" for part in ("latent", "prior", "decoder"))
    best = ""
    if history := training.get("history"):  # a model for sampling alone may be without
        loss = history[training["best_epoch"] - 1]["loss"]
        best = f", held-out loss {loss:.2f} nats a row"
    condition = settings["condition"]
    return [
        f"- synthvae {held['synthvae']}, preset `{held['preset']}` ({parts}), seed "
        f"{settings['seed']}",
        f"- {training['parameters']:,} weights, {training['epochs']} epochs "
        f"({training['stopped']}); kept those of epoch {training['best_epoch']}{best}",
        f"- {in_words(training['latent'])}",
        *([f"- conditioned on {', '.join(map(_cell, condition))}"] if condition else []),
        f"- `{file.name}`: {file.size:,} bytes, SHA-256 `{file.sha256}`",
    ]


def _privacy(held: Mapping[str, Any]) -> list[str]:
    claim = held["privacy"]
    if isinstance(claim, str):
        return [NOT_PRIVATE]
    cost, limits = claim["claim"], claim["attacker"]["limits"]
    unit = "row" if cost["unit"] == "row" else f"value of '{cost['unit']}'"
    return [
        f"Differentially private: epsilon {cost['epsilon']:.3g} at delta {cost['delta']:.2g}, for "
        f"each {unit}. Whatever is done with the model, an attacker who wrongly suspects 1 % of "
        f"those who are absent finds at most {100 * limits['0.01']:.1f} % of those who are not.",
        "",
        "Not covered by the promise:",
        "",
        *(f"- {text}" for text in claim["not_covered"]),
    ]


def _measured(readings: Readings) -> list[str]:
    if not readings:
        return [
            "Nothing was handed to this card: `synthvae card --evaluation e.json --audit a.json` "
            "adds what `synthvae evaluate -o` and `synthvae audit -o` found."
        ]
    return [
        "| record | value | 95 % interval |",
        "| --- | ---: | ---: |",
        *(f"| {name} | {_number(r.value)} | {_between(r)} |" for name, r in readings.items()),
        "",
        "Names: `docs/report.md`.",
    ]


def _limits(held: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(held["privacy"], str):
        yield "- No proven limit on what it reveals about single rows: audit it before it leaves."
    for text in (*LIMITS, *held["warnings"]):
        yield f"- {text}"


def _between(reading: Reading) -> str:
    exact = reading.low == reading.value == reading.high
    return "" if exact else f"{_number(reading.low)} to {_number(reading.high)}"


def _number(value: float) -> str:
    return "not measured" if value != value else f"{value:.3g}"


def _cell(text: str) -> str:
    """Text inside a table of Markdown: on one line, without a bar."""
    return " ".join(str(text).split()).replace("|", "\\|")
