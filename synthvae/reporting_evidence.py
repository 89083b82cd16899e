"""Whether audits and certificates that a report takes over are of the rows and the model that it is
on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthvae.errors import EvidenceError, Problems
from synthvae.holdout import sha256
from synthvae.report.content import Evidence
from synthvae.reporting_inputs import Asked, Trio


def judged_of(asked: Asked, trio: Trio) -> dict[str, str]:
    """Hashes of what a report is on: the synthetic rows that were given, if any were, and the
    model's file as its certificate names it."""
    found = {"synthetic": trio.synthetic.fingerprint()} if asked.synthetic else {}
    if asked.model is not None:
        found["model"] = f"sha256:{sha256(asked.model)}"
    return found


def check_evidence(asked: Asked, evidence: Evidence, own: Mapping[str, str]) -> None:
    """EvidenceError if one is of other rows than `own` (`judged_of`), of another model, or promises
    nothing."""
    problems = Problems()
    audited: Mapping[str, str] = (evidence.audit or {}).get("judged") or {}
    if "synthetic" in own and audited.get("synthetic") not in (None, own["synthetic"]):
        problems.add(
            f"an audit is of the rows that are reported on, but '{asked.audit}' is of others than "
            f"'{asked.synthetic}' holds; audit these"
        )
    if "model" in own and audited.get("model") not in (None, own["model"]):
        problems.add(
            f"an audit is of the model that is reported on, but '{asked.audit}' is of another file "
            f"than '{asked.model}'; audit this one"
        )
    if evidence.certificate is not None:
        _check_certificate(evidence.certificate, asked, own, problems)
    problems.raise_as(EvidenceError)


def _check_certificate(
    found: Mapping[str, Any], asked: Asked, own: Mapping[str, str], problems: Problems
) -> None:
    if found["claim"].get("dp") is not True:
        problems.add(
            f"a certificate promises differential privacy, but '{asked.certificate}' does not; "
            "check which file it is"
        )
    of = found.get("hashes") or {}
    if "model" in own and of and own["model"] not in of.values():
        problems.add(
            f"a certificate is of the model that is reported on, but '{asked.certificate}' is of "
            f"{', '.join(of)}; give the one beside '{asked.model}'"
        )
