"""The content of a report as one HTML file that needs nothing beside it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from synthvae.report import words
from synthvae.report.drawing import check_installed
from synthvae.report.figures import column_figures, fidelity_figures, model_figures, privacy_figures
from synthvae.report.markdown import excess

_STATUS = {"pass": ("good", "✓"), "fail": ("bad", "✗"), "warn": ("open", "!"),
           "missing": ("bad", "✗")}  # fmt: skip
_OUTCOME = {"PASS": ("good", "✓"), "FAIL": ("bad", "✗"), "INCONCLUSIVE": ("open", "?")}

Json = Mapping[str, Any]


def page(content: Json) -> str:
    """The page. UsageError if matplotlib or Jinja2 is not installed."""
    check_installed()
    from jinja2 import DictLoader, Environment, StrictUndefined

    names = (
        "page.html.j2",
        "parts.html.j2",
        "fidelity.html.j2",
        "privacy.html.j2",
        "model.html.j2",
    )
    sources = {name: _text(name) for name in names}
    # Names of columns and categories come from users: all that is printed is escaped.
    environment = Environment(
        loader=DictLoader(sources),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["coded"] = _coded
    environment.globals |= {"number": words.value, "span": words.span, "title": words.title,
                            "form": words.form, "status": _STATUS, "outcome": _OUTCOME,
                            "better": words.BETTER}  # fmt: skip
    script = _text("sort.js")
    return environment.get_template("page.html.j2").render(
        style=_marked(_text("page.css")),
        script=_marked(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        **_shown(content),
    )


def _shown(content: Json) -> dict[str, Any]:
    """What the template takes: sections as they are, records by what they are for, figures."""
    sections = content["sections"]
    full = content["kind"] == "full"
    names = [file["name"] for file in sections["made"]["files"] if file["role"] == "synthetic"]
    return {
        "content": content,
        "full": full,
        "name": names[0] if names else "Rows drawn from a model",
        **sections,
        "records": content["records"],
        "tiles": _tiles(content),
        "sizes": {name: words.found(content, name) for name in words.TITLES},
        "columns": column_figures(content) if full else [],
        "column_records": sorted(words.every(content, "fidelity.column"), key=excess),
        "pair_records": sorted(words.every(content, "fidelity.pairs"), key=excess),
        "known": [r for r in content["records"] if r["name"].startswith("sdmetrics.")],
        "figures": _marked_all(
            {**fidelity_figures(content), **privacy_figures(content), **model_figures(content)}
        ),
        "attacks": _attacks(sections["privacy"]["audit"]),
        "ledger": _ledger(sections["privacy"]["certificate"]),
        "criteria": _criteria(sections["verdict"]["audit"]),
        "broken": words.broken(sections["verdict"]["check"]),
        "warned": words.broken(sections["verdict"]["check"], "warn"),
        "lines": _lines(sections["verdict"]["check"]),
    }


def _tiles(content: Json) -> list[Json]:
    found: list[Json] = []
    for name, meaning in words.KEY_NUMBERS:
        record = words.found(content, name)
        if record:
            found.append({"record": record, "meaning": meaning})
    return found


def _attacks(audit: Json | None) -> list[Json]:
    """The strongest first."""
    return sorted(audit["attacks"] if audit else (), key=lambda each: -(each["auc"] or 0.0))


def _ledger(certificate: Json | None) -> list[dict[str, Any]]:
    """What was paid for, by stage: how many releases, under which noise, and how many steps."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for line in certificate["events"] if certificate else ():
        key = str(line.get("stage", "")), str(line.get("mechanism", ""))
        row = found.setdefault(key, {"stage": key[0], "mechanism": key[1], "releases": 0,
                                     "steps": 0})  # fmt: skip
        row["releases"] += 1
        row["steps"] += int(line.get("steps", 1))
    return list(found.values())


def _lines(check: Json | None) -> Sequence[Json]:
    """What failed first."""
    order = {"fail": 0, "missing": 1, "warn": 2, "pass": 3}
    lines = [] if check is None else check["lines"]
    return sorted(lines, key=lambda line: order.get(line["status"], 4))


def _criteria(audit: Json | None) -> list[dict[str, Any]]:
    """Numbers of epsilons as they are, all else in percent."""
    found = []
    for each in (audit or {}).get("criteria", ()):
        promised = "epsilon" in each["name"].lower()

        def form(number: float | None, promised: bool = promised) -> str:
            if number is None:
                return words.NOTHING
            return f"{number:.2f}" if promised else f"{100 * number:.2f} %"

        ends = each["interval"]
        found.append({
            "name": each["name"], "outcome": each["outcome"], "rows": each.get("rows"),
            "value": form(each["value"]), "limit": form(each["limit"]),
            "low": form(ends["low"]), "high": form(ends["high"]),
            "sort": each["value"],
        })  # fmt: skip
    return found


def _coded(text: str) -> Any:
    """Commands between quotes, and options, as code; everything is escaped first."""
    from markupsafe import Markup, escape

    safe = re.sub(r"&#39;(synthvae .+?)&#39;", r"<code>\1</code>", str(escape(text)))
    return Markup(re.sub(r"(?<=[ :])(--[a-z]+(?: [\w.]+\.\w+)?|-m [\w.]+)(?=$|[,.;])",
                         r"<code>\1</code>", safe))  # fmt: skip


def _text(name: str) -> str:
    return files("synthvae.report").joinpath(name).read_text(encoding="utf-8")


def _marked(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)


def _marked_all(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _marked(each) if isinstance(each, str) and each.startswith("<svg") else each
            for name, each in figures.items()}  # fmt: skip
