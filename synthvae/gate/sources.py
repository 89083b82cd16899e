"""Files that other commands wrote -> readings by name.

Where two files have a record of one name, the one made for it is read, and not the report.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthvae.errors import ArtifactError, Problems, SynthvaeError, UsageError
from synthvae.gate.from_audit import of_audit
from synthvae.gate.from_evaluation import of_evaluation
from synthvae.gate.from_report import of_report
from synthvae.gate.records import Reading, Readings


@dataclass(frozen=True)
class Files:
    """What the gate is to look at, each by path; None: not given."""

    report: Path | None = None
    evaluation: Path | None = None
    audit: Path | None = None
    certificate: Path | None = None
    synthetic: str | None = None
    metadata: Path | None = None

    def readings(self) -> Readings:
        """All records. Errors name every file that can't be read; UsageError if there is none."""
        if not any(vars(self).values()):
            raise UsageError(
                "a gate judges records, but no file of any is given; pass --evaluation and --audit,"
                " or --report"
            )
        found: dict[str, Reading] = {}
        contents: dict[str, Mapping[str, Any]] = {}
        problems = Problems()
        for kind, what, path, maker, reader in (
            ("report", "a report", self.report, "synthvae report --json", of_report),
            ("evaluation", "an evaluation", self.evaluation, "synthvae evaluate -o", of_evaluation),
            ("audit", "an audit", self.audit, "synthvae audit -o", of_audit),
            (
                "certificate",
                "a certificate",
                self.certificate,
                "synthvae fit --epsilon",
                of_certificate,
            ),
        ):
            if path is not None:
                try:
                    contents[kind], readings = _read(what, path, maker, reader)
                    found |= readings
                except SynthvaeError as error:
                    problems.reasons.extend(error.reasons)
        problems.raise_as(ArtifactError)
        rows = {
            kind: _hashes(contents, kind, "tables" if kind == "evaluation" else "judged").get(
                "synthetic"
            )
            for kind in ("evaluation", "audit", "report")
        }
        _check_rows(rows)
        self._check_model(contents)
        return {**found, **self._of_table(rows)}

    def _of_table(self, rows: Mapping[str, str | None]) -> Readings:
        """What is read off the synthetic table itself, of which `rows` say by kind of evidence
        which hash it has."""
        if self.metadata is not None and self.synthetic is None:
            raise UsageError(
                "metadata is held against a table, but --metadata is given without --synthetic; "
                "add it"
            )
        if self.synthetic is None:
            return {}
        # Arrow takes a moment to load, which nobody should wait for who gives records alone.
        from synthvae.gate.from_table import of_table

        return of_table(self.synthetic, self.metadata, rows)

    def _check_model(self, contents: Mapping[str, Mapping[str, Any]]) -> None:
        """ArtifactError if a certificate, an audit and a report are not of one model."""
        files = {"audit": self.audit, "report": self.report}
        models = {kind: _hashes(contents, kind, "judged").get("model") for kind in files}
        certified = _hashes(contents, "certificate", "hashes")
        for kind, model in models.items():
            if model and certified and model not in certified.values():
                raise ArtifactError(
                    f"a certificate and the {kind} are of one model, but '{self.certificate}' "
                    f"is of {', '.join(certified)} and '{files[kind]}' of another file; give "
                    "those that belong together"
                )
        if len({model for model in models.values() if model}) > 1:
            raise ArtifactError(
                f"an audit and a report are of one model, but '{self.audit}' and '{self.report}' "
                "are of different files; give those that belong together"
            )


def _check_rows(rows: Mapping[str, str | None]) -> None:
    """ArtifactError if files are of different rows."""
    said = {kind: of for kind, of in rows.items() if of}
    if len(set(said.values())) > 1:
        raise ArtifactError(
            f"evidence is of one table, but {', '.join(said)} are not of the same rows; make those "
            "anew that are of others"
        )


def _hashes(contents: Mapping[str, Mapping[str, Any]], kind: str, key: str) -> Mapping[str, str]:
    """What a file of evidence says it is of; nothing if it does not."""
    found = contents.get(kind, {}).get(key)
    return found if isinstance(found, Mapping) else {}


def of_certificate(content: Mapping[str, Any]) -> Readings:
    """What a private fit promises. ValueError for a certificate that promises nothing."""
    claim = content["claim"]
    if claim["dp"] is not True:
        raise ValueError("it claims no differential privacy")
    return {
        "privacy.epsilon": Reading.exact(float(claim["epsilon"])),
        "privacy.delta": Reading.exact(float(claim["delta"])),
    }


def _read(
    what: str, path: Path, maker: str, reader: Callable[[Mapping[str, Any]], Readings]
) -> tuple[Mapping[str, Any], Readings]:
    rule = f"{what} is a file that `{maker}` wrote, but '{path}'"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ArtifactError(f"{rule} can't be read ({error.strerror}); check the path") from error
    except ValueError as error:
        raise ArtifactError(f"{rule} is no JSON ({error}); write it again") from error
    try:
        return content, reader(content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        lacking = f"has no {error}" if isinstance(error, KeyError) else f"is none ({error})"
        raise ArtifactError(f"{rule} {lacking}; check which file it is") from error
