"""What a private fit adds to `synthvae fit`: its history, its certificate, its words."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthvae.errors import UsageError

from .console import Reporter

if TYPE_CHECKING:
    from synthvae.artifact import Artifact
    from synthvae.privacy.ledger import Ledger
    from synthvae.settings import PrivacySpec
    from synthvae.table import Table


def paid_into(output: Path, table: Table, reporter: Reporter) -> Callable[[Ledger], None]:
    """What writes the cost of a fit of `table` down beside `output`, and says what all fits of the
    same rows cost. PrivacyError at once if the history there can't be read."""
    from synthvae.privacy import history

    book, rows = output.with_name(history.NAME), table.fingerprint().encode()
    if book.exists():
        history.data_id(book, rows)

    def paid(ledger: Ledger) -> None:
        name = history.data_id(book, rows)
        history.record(book, name, ledger)
        total = history.total(book, name, ledger.budget.unit)
        unit = _unit(ledger.budget.unit)
        if total.fits > 1:
            reporter.say(
                f"fit {total.fits} of the same rows: together they cost epsilon "
                f"{total.epsilon:.3g} at delta {total.delta:.2g} for each {unit} ({book})"
            )
        if total.others:
            reporter.say(
                f"{total.others} more of the same rows protect another unit than each {unit}, or "
                f"don't say which, and what they cost it is not known ({book})"
            )

    return paid


def chosen_epsilon(epsilon: float | None, most: str | None, delta: float | None) -> float | None:
    """Epsilon as given, or the greatest one that keeps attackers below `most`, 'TPR@FPR'."""
    if most is None:
        return epsilon
    if epsilon is not None:
        raise UsageError(
            "a budget is an epsilon or a limit on attackers, but both are given; leave one out"
        )
    from synthvae.privacy.accounting import epsilon_for_attack
    from synthvae.settings import PrivacySpec

    tpr, _, fpr = most.partition("@")
    try:
        return epsilon_for_attack(float(tpr), float(fpr), delta or PrivacySpec.delta)
    except ValueError as error:
        raise UsageError(
            f"--max-attack-tpr takes TPR@FPR, two shares of which the first is larger, such as "
            f"0.05@0.01, but it is '{most}'; correct it"
        ) from error


def refuse_resume(resume: bool) -> None:
    """UsageError: a private fit that was stopped has been paid for, and its noise is gone."""
    if resume:
        raise UsageError(
            "a private fit is not resumed, since the noise that was paid for is not kept, but "
            "--resume is given; fit anew, at the same cost again"
        )


def warn_of_delta(spec: PrivacySpec, reporter: Reporter) -> None:
    """Say so if `spec` allows what nobody would call private."""
    if spec.delta * spec.rows > 1:
        reporter.say(
            f"warning: who publishes one of {spec.rows:,} units (privacy.rows) at random keeps a "
            f"delta of {1 / spec.rows:.1g}, but delta is {spec.delta:g}; lower it"
        )


def certificate_beside(model: Path) -> Path:
    """Where the certificate of a private model stands."""
    return model.with_name(f"{model.stem}.privacy_certificate.json")


def write_certificate(artifact: Artifact, output: Path) -> Path:
    """The certificate of a private `artifact`, saved at `output`, as a file beside it."""
    import json

    from synthvae.files import write_bytes

    claim = artifact.content["privacy"]
    digest = hashlib.sha256(output.read_bytes()).hexdigest()
    path = certificate_beside(output)
    text = json.dumps({**claim, "hashes": {output.name: f"sha256:{digest}"}}, indent=2)
    write_bytes(path, (text + "\n").encode())
    return path


def promise(claim: dict[str, Any]) -> str:
    """The claim of a certificate, in one line."""
    cost, limits = claim["claim"], claim["attacker"]["limits"]
    found = f"{100 * limits['0.01']:.1f} %"
    return (
        f"epsilon {cost['epsilon']:.3g}, delta {cost['delta']:.2g} for each {_unit(cost['unit'])}: "
        f"who wrongly suspects 1 % of those who are absent finds at most {found} of those who are "
        "not"
    )


def _unit(name: str) -> str:
    return "row" if name == "row" else f"value of '{name}'"
