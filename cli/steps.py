"""The steps of `synthvae run`: each is one command, called as a function. A further step is one
function and one line in STEPS."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from typing import Any

import typer

from synthvae.workflow.steps import Step

from .asked import Asked

NUMERIC = ("synthvae", "numpy", "torch")
JUDGING = ("synthvae", "numpy", "scikit-learn", "sdmetrics")


def _code(command: Callable[..., None], *arguments: Any, **options: Any) -> int:
    """The exit code of a command that ends in one."""
    try:
        command(*arguments, **options)
    except typer.Exit as end:
        return end.exit_code
    return 0


def detect(asked: Asked) -> Step | None:
    if asked.declared.metadata:
        return None

    def act(resume: bool) -> int:
        from .detect import detect as command

        data = str(asked.declared.data)
        return _code(command, data, output=str(asked.metadata), force=True, quiet=asked.quiet)

    return Step("detect", act, {"data": asked.declared.data}, {}, (asked.metadata,))


def fit(asked: Asked) -> Step:
    declared = asked.declared
    # Who has rows of their own to compare with wants the others learnt.
    share = 0.0 if declared.holdout and "holdout" not in declared.settings else None

    def act(resume: bool) -> int:
        from .fit import fit as command

        return _code(
            command,
            str(declared.data),
            output=asked.model,
            metadata=asked.metadata,
            config=declared.settings_file,
            holdout=share,
            resume=resume and not declared.private,  # the noise of a private one is gone
            threads=asked.threads,
            force=True,
            quiet=asked.quiet,
        )

    outputs = (
        asked.model,
        asked.out("model.synthvae.holdout.json"),
        asked.out("model.privacy_certificate.json"),
    )
    inputs = {"data": declared.data, "metadata": asked.metadata, **asked.code}
    settings = {**declared.settings, **({} if share is None else {"holdout": share})}
    return Step("fit", act, inputs, settings, outputs, NUMERIC)


def sample(asked: Asked) -> Step:
    rows, seed = asked.declared.rows, asked.declared.seed

    def act(resume: bool) -> int:
        from .sample import sample as command

        for path in asked.in_other_formats:
            path.unlink(missing_ok=True)
        return _code(
            command,
            rows=rows,
            model=asked.model,
            output=str(asked.synthetic),
            seed=seed,
            threads=asked.threads,
            force=True,
            quiet=asked.quiet,
        )

    outputs = (asked.synthetic, asked.out(f"{asked.synthetic.name}.manifest.json"))
    settings = {"rows": rows, "seed": seed, "format": asked.declared.format}
    return Step("sample", act, {"model": asked.model, **asked.code}, settings, outputs, NUMERIC)


def evaluate(asked: Asked) -> Step:
    declared, output = asked.declared, asked.out("evaluation.json")

    def act(resume: bool) -> int:
        from .evaluate import evaluate as command

        return _code(
            command,
            real=str(declared.data),
            holdout=str(declared.holdout) if declared.holdout else None,
            synthetic=str(asked.synthetic),
            model=asked.model,
            metadata=asked.metadata,
            config=declared.settings_file,
            output=output,
            force=True,
            quiet=asked.quiet,
        )

    inputs = {**asked.tables(), "synthetic": asked.synthetic, "metadata": asked.metadata}
    known = ("target", "missing_values")
    settings = {key: declared.settings[key] for key in known if key in declared.settings}
    return Step("evaluate", act, inputs, settings, (output,), JUDGING)


def audit(asked: Asked) -> Step:
    declared, output = asked.declared, asked.out("audit.json")

    def act(resume: bool) -> int:
        from .audit import audit as command

        return _code(
            command,
            str(declared.data),
            model=asked.model,
            synthetic=str(asked.synthetic),
            holdout=str(declared.holdout) if declared.holdout else None,
            output=output,
            markdown=asked.out("audit.md"),
            threads=asked.threads,
            force=True,
            quiet=asked.quiet,
        )

    inputs = {**asked.tables(), "synthetic": asked.synthetic, "model": asked.model, **asked.code}
    outputs = (output, asked.out("audit.md"))
    return Step("audit", act, inputs, {}, outputs, (*JUDGING, "torch"))


def check(asked: Asked) -> Step | None:
    policy = asked.declared.policy
    if policy is None:
        return None

    def act(resume: bool) -> int:
        from .check import check as command

        return _code(
            command,
            policy,
            **asked.evidence(),
            **asked.outcome,
            synthetic=str(asked.synthetic),
            metadata=asked.metadata,
            force=True,
            quiet=asked.quiet,
        )

    return Step("check", act, {})


def report(asked: Asked) -> Step | None:
    """If this version has the command; the page if what draws it is installed."""
    if importlib.util.find_spec(f"{__package__}.report") is None:
        return None
    command = importlib.import_module(f"{__package__}.report").report
    declared = asked.declared
    drawn = all(importlib.util.find_spec(name) for name in ("matplotlib", "jinja2"))
    page = asked.out("report.html") if drawn else None
    outputs = (asked.out("report.json"), asked.out("report.md"), *([page] if page else []))
    found = {what: path for what, path in asked.evidence().items() if what == "audit"}
    if declared.policy:
        found["check"] = asked.outcome["output"]

    def act(resume: bool) -> int:
        return _code(
            command,
            str(declared.data),
            holdout=str(declared.holdout) if declared.holdout else None,
            synthetic=str(asked.synthetic),
            model=asked.model,
            **found,
            output=page,
            json=outputs[0],
            markdown=outputs[1],
            config=declared.settings_file,
            threads=asked.threads,
            force=True,
            quiet=asked.quiet,
        )

    inputs = {**asked.tables(), "synthetic": asked.synthetic, "model": asked.model, **found}
    return Step("report", act, inputs, {"page": drawn}, outputs, (*JUDGING, "torch"))


STEPS: Mapping[str, Callable[[Asked], Step | None]] = {
    "detect": detect,
    "fit": fit,
    "sample": sample,
    "evaluate": evaluate,
    "audit": audit,
    "check": check,
    "report": report,
}
"""In order. The gate comes before the report, which shows its outcome."""


def steps_of(asked: Asked) -> list[Step]:
    """Those that the pipeline has."""
    made = (make(asked) for name, make in STEPS.items() if name not in asked.declared.skip)
    return [step for step in made if step is not None]
