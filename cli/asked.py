"""What `synthvae run` was asked for, and where its steps find what others made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from synthvae.workflow.declared import FORMATS, Declared


@dataclass(frozen=True)
class Asked:
    """A pipeline, and how its commands are to behave. `code`: files of the user's own functions."""

    declared: Declared
    quiet: bool
    threads: int | None
    code: Mapping[str, Path]

    @staticmethod
    def of(declared: Declared, quiet: bool, threads: int | None) -> Asked:
        """With the predicates of the pipeline trusted, whichever of its steps are due."""
        return Asked(declared, quiet, threads, _trusted(declared))

    def out(self, name: str) -> Path:
        return self.declared.out(name)

    @property
    def metadata(self) -> Path:
        return self.declared.metadata or self.out("metadata.yaml")

    @property
    def model(self) -> Path:
        return self.out("model.synthvae")

    @property
    def synthetic(self) -> Path:
        return self.out(f"synthetic.{self.declared.format}")

    @property
    def in_other_formats(self) -> list[Path]:
        """Rows that the pipeline drew when it named another format, and their manifests."""
        others = [f"synthetic.{each}" for each in FORMATS if each != self.declared.format]
        return [self.out(name + end) for name in others for end in ("", ".manifest.json")]

    @property
    def outcome(self) -> dict[str, Path]:
        """The gate's, by form."""
        names = {"output": "check.json", "junit": "junit.xml", "markdown": "check.md"}
        return {form: self.out(name) for form, name in names.items()}

    def tables(self) -> dict[str, Path]:
        """The real table, rows that were not learnt, in a file or noted beside the model."""
        left_out = self.declared.holdout or self.out("model.synthvae.holdout.json")
        return {"data": self.declared.data, "holdout": left_out}

    def evidence(self) -> dict[str, Path]:
        """What steps of this pipeline say of its rows, before the gate. Files of a step that it
        skips, or of a private fit that is no longer one, speak of other rows."""
        found = {
            "evaluation": (self._has("evaluate"), "evaluation.json"),
            "audit": (self._has("audit"), "audit.json"),
            "certificate": (self.declared.private, "model.privacy_certificate.json"),
        }
        return {what: self.out(name) for what, (made, name) in found.items() if made}

    def unmeasured(self) -> list[str]:
        """Records that the policy asks for and no step makes. MetadataError if the policy is wrong:
        that is told before an hour of fitting rather than after."""
        from synthvae.gate import policy, records

        if self.declared.policy is None:
            return []
        makers = {records.SYNTHETIC, records.DESCRIBED}
        makers |= {getattr(records, what.upper()) for what in self.evidence()}
        rules = policy.read(self.declared.policy).rules
        asked = dict.fromkeys(rule.record for rule in rules)
        return [name for name in asked if records.MAKERS[name] not in makers]

    def _has(self, step: str) -> bool:
        return step not in self.declared.skip


def _trusted(declared: Declared) -> dict[str, Path]:
    """The files of the predicates that settings and metadata name. Both are the user's own, so what
    they name may be run."""
    from synthvae.constraints.declared import functions, rules_of
    from synthvae.constraints.predicates import file_of, trust
    from synthvae.metadata import Metadata, read

    described = read(declared.metadata) if declared.metadata else Metadata({})
    entries = declared.settings.get("constraints")
    named = functions(rules_of(entries if isinstance(entries, list) else (), described))
    trust(named)
    files = {function.partition(":")[0]: file_of(function) for function in named}
    return {f"predicate {module}": file for module, file in files.items() if file}
