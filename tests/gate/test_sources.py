"""What other commands wrote is read by name, or refused with the reason."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from synthvae.audit.policy import Policy as Limits
from synthvae.audit.records import Claim, Control, Excess, Rate, Sizes
from synthvae.audit.verdict import verdict_of
from synthvae.errors import ArtifactError, UsageError
from synthvae.evaluation.records import Evaluation, Interval, Metric
from synthvae.gate.from_audit import of_audit
from synthvae.gate.from_evaluation import of_evaluation
from synthvae.gate.from_report import of_report
from synthvae.gate.records import MAKERS, REPORT, Reading
from synthvae.gate.sources import Files
from synthvae.reading import read_table

CLAIM = {"dp": True, "epsilon": 2, "delta": 1e-6}


def metric(name: str, value: float, floor: float, width: float, **detail: float) -> Metric:
    ends = [Interval(v - width, v + width) for v in (value, floor)]
    return Metric(name, value, ends[0], floor, ends[1], None, "closer", "percent", 100, 0, detail)


EVALUATION = Evaluation(
    (
        metric("shape", 2.0, 1.0, 0.0, age=1.0, income=3.0),
        metric("detector", 0.6, 0.5, 0.03, age=0.1),
        metric("worst_column", 40.0, 2.0, 1.0, age=38.0, income=-1.0),
        metric("coverage", 0.9, 1.0, 0.0, age=1.0, kind=0.8),
        metric("utility_gap", math.nan, 0.0, 0.1),
    ),
    {},
    (),
).to_json()


def test_an_evaluation() -> None:
    found = of_evaluation(EVALUATION)
    assert found["fidelity.shape_ratio"].value == 2.0
    assert found["fidelity.shape"].words == "most of it in 'income'"
    assert found["fidelity.worst_column_minus_floor"].value == 38.0
    assert found["fidelity.worst_column_minus_floor"].words == "most of it in 'age'"
    assert found["fidelity.c2st_minus_floor"].high == pytest.approx(0.1 + 0.03 * math.sqrt(2))
    assert found["fidelity.coverage"].words == "values are lacking in 'kind'"
    assert math.isnan(found["utility.gap"].high)
    assert set(found) <= set(MAKERS)


def test_an_evaluation_of_values_that_are_all_rare() -> None:
    found = of_evaluation(Evaluation((metric("coverage", math.nan, 1.0, 0.0),), {}, ()).to_json())
    assert math.isnan(found["fidelity.coverage"].low)
    assert "draw more" in found["fidelity.coverage"].words


def excess(name: str, hits: int, subject: str, high: float) -> Excess:
    rate = Rate(hits, 100, hits / 100, Interval(0, 1))
    return Excess(name, rate, rate, hits / 100, Interval(0.0, high), (subject,), 0)


def audit_json(**changes: Any) -> dict[str, Any]:
    """An audit without attacks, through the records that the audit itself writes."""
    sizes = Sizes(100, 100, 100, 0, 0, 0, 0, 100, 100)
    copies = [excess("exact copies", 3, "a", 0.08)]
    verdict = verdict_of([], [], copies, [], [], None, Limits(), sizes)
    criteria: list[dict[str, Any]] = [
        {
            "name": name,
            "section": "membership",
            "value": value,
            "interval": {"low": 0.4, "high": high},
        }
        for name, value, high in (
            ("AUC of 'a', all rows, from released tables", 0.5, 0.55),
            ("AUC of 'b', all rows, from the model", 0.52, 0.58),
            ("AUC of 'b', exposed rows, from the model", 0.9, 0.99),
            ("members found at 1 % false alarms, all rows, from the model", None, 1.0),
        )
    ]
    control = Control("null control", None, 0.5, Interval(0, 1), 5, 5, "too few", 0)
    base: dict[str, Any] = {
        "verdict": {"outcome": verdict.outcome, "reasons": [], "criteria": criteria},
        "attacks": [],
        "bounds": [],
        "epsilon_audited": 0.7,
        "risks": [
            plain(excess("inference", n, s, h)) for n, s, h in ((1, "x", 0.1), (2, "y", 0.2))
        ],
        "copies": [plain(each) for each in copies],
        "controls": [vars(control)],
        "claim": None,
        "left_out": {},
    }
    return base | changes


def plain(record: Excess) -> dict[str, Any]:
    def rate(one: Rate) -> dict[str, Any]:
        return {"hits": one.hits, "n": one.n}

    return {
        "name": record.name, "value": record.value, "subject": list(record.subject),
        "interval": record.interval.to_json(),
        "training": rate(record.training), "control": rate(record.control),
    }  # fmt: skip


def test_an_audit() -> None:
    found = of_audit(audit_json())
    assert found["privacy.attack_auc"].high == 0.58
    assert found["privacy.verdict"].value == 0
    assert math.isnan(found["privacy.attack_tpr"].high)
    assert found["privacy.controls_failed"] == Reading.exact(1.0, "null control not made")
    assert found["privacy.inference"].high == 0.2
    assert found["privacy.inference"].words.startswith("'y'")
    assert found["copies.exact"].words == "3 of 100 training rows, 3 of 100 holdout rows"
    assert found["copies.reused"].value == 0  # nothing is made up
    assert found["privacy.epsilon_audited"].value == 0.7
    assert "privacy.epsilon" not in found
    assert set(found) <= set(MAKERS)


@pytest.mark.parametrize("turned", [False, True])
def test_made_up_values_that_can_be_checked_decide(turned: bool) -> None:
    unknown = plain(excess("reused values", 0, "a", 0.1)) | {"value": None}
    reused = [unknown, plain(excess("reused values", 1, "b", 0.1))]
    found = of_audit(audit_json(copies=reused[:: -1 if turned else 1]))["copies.reused"]
    assert found.high == 0.1
    assert found.words.startswith("'b'")
    assert "can't be checked: 'a'" in found.words
    assert math.isnan(of_audit(audit_json(copies=[unknown]))["copies.reused"].high)


def test_made_up_columns_that_were_not_looked_at_are_no_zero() -> None:
    assert "copies.reused" not in of_audit(audit_json(left_out={"id": "not compared (id)"}))


def test_a_claim_is_a_record() -> None:
    found = of_audit(audit_json(claim=vars(Claim(3.0, 1e-5))))
    assert (found["privacy.epsilon"].high, found["privacy.delta"].high) == (3.0, 1e-5)


def report(*records: tuple[str, str | None, float | None, float | None, float | None, str]) -> Any:
    keys = ("name", "column", "value", "low", "high", "better")
    return {"schema_version": 1, "records": [dict(zip(keys, r, strict=True)) for r in records]}


@pytest.mark.parametrize("turned", [False, True])
def test_of_a_reports_records_by_column_the_worst_is_read(turned: bool) -> None:
    records = (
        ("rows", None, 50, None, None, "high"),
        ("privacy.inference", "a", 0.1, 0.0, 0.3, "low"),
        ("privacy.inference", "b", 0.2, 0.1, 0.25, "low"),
        ("own.share", "a", 0.9, 0.8, 1.0, "high"),
        ("own.share", "b", 0.8, 0.7, 1.0, "high"),
        ("copies.reused", "a", 0.0, 0.0, 0.1, "low"),
        ("copies.reused", "b", None, None, None, "low"),
        ("copies.reused", "c", 0.0, 0.0, 0.2, "low"),
        ("copies.near", "a", 0.0, 0.0, 0.1, "low"),
        ("copies.near", "b", None, None, None, "low"),
        ("copies.near", "c", 0.0, 0.0, 0.2, "low"),
    )
    found = of_report(report(*records[:: -1 if turned else 1]))
    assert found["rows"] == Reading.exact(50)
    assert found["privacy.inference"].words == "'a'"
    assert found["own.share"].low == 0.7
    assert found["copies.reused"].high == 0.2  # values that can be checked decide
    assert math.isnan(found["copies.near"].high)


def test_a_measured_number_without_an_interval_proves_nothing() -> None:
    counts = ("rows", "rows.real", "schema.valid", "privacy.verdict", "privacy.epsilon",
              "privacy.delta", "privacy.attack_advantage_upper")  # fmt: skip
    guesses = ("utility.gap", "utility.tstr", "training.loss", "copies.exact")
    found = of_report(report(*((n, None, 0.02, None, None, "low") for n in counts + guesses)))
    assert all(found[name] == Reading.exact(0.02) for name in counts)
    ends = [(found[name].low, found[name].high) for name in guesses]
    assert all(math.isnan(end) for each in ends for end in each)
    assert "no interval" in found["utility.gap"].words


def test_an_interval_around_nothing_measured_is_none() -> None:
    found = of_report(report(("copies.reused", "id", None, -1.0, 1.0, "low")))["copies.reused"]
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def write(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_files_made_for_a_record_go_before_the_report(tmp_path: Path) -> None:
    given = Files(
        report=write(tmp_path / "r.json", report(("fidelity.shape_ratio", None, 9, 9, 9, "target"),
                                                 ("training.loss", None, 2, 1, 3, "low"))),
        evaluation=write(tmp_path / "e.json", EVALUATION),
        certificate=write(tmp_path / "c.json", {"claim": CLAIM}),
    )  # fmt: skip
    found = given.readings()
    assert found["fidelity.shape_ratio"].value == 2.0
    assert found["training.loss"].value == 2
    assert found["privacy.epsilon"].value == 2


@pytest.mark.parametrize("kind", ["evaluation", "audit"])
def test_evidence_of_another_table_is_refused(kind: str, tmp_path: Path) -> None:
    rows, others = write(tmp_path / "a.csv", "x\n1\n2\n"), write(tmp_path / "b.csv", "x\n1\n3\n")
    hashes = {"synthetic": read_table(str(rows)).fingerprint()}
    content = (
        EVALUATION | {"tables": hashes}
        if kind == "evaluation"
        else audit_json(judged=hashes, controls=[])
    )
    given: Any = {kind: write(tmp_path / "e.json", content)}
    found = Files(**given, synthetic=str(rows)).readings()
    assert found["rows"].value == 2
    with pytest.raises(ArtifactError, match=f"the {kind} is of other rows than"):
        Files(**given, synthetic=str(others)).readings()


def test_a_certificate_of_another_model_is_refused(tmp_path: Path) -> None:
    audit = write(tmp_path / "a.json", audit_json(judged={"model": "sha256:12"}, controls=[]))
    own, other = (
        write(tmp_path / f"{of}.json", {"claim": CLAIM, "hashes": {"m.synthvae": f"sha256:{of}"}})
        for of in ("12", "34")
    )
    assert Files(audit=audit, certificate=own).readings()["privacy.epsilon"].value == 2
    with pytest.raises(ArtifactError, match="are of one model, but"):
        Files(audit=audit, certificate=other).readings()


def test_files_of_different_tables_or_models_are_refused_without_the_table(tmp_path: Path) -> None:
    judged = [{"synthetic": f"{at}", "model": f"sha256:{at}"} for at in (1, 2)]
    audit = write(tmp_path / "a.json", audit_json(judged=judged[0], controls=[]))
    same, rows, model = (
        write(tmp_path / f"{at}.json", report() | {"judged": of})
        for at, of in enumerate((judged[0], judged[1], judged[0] | {"model": "sha256:2"}))
    )
    Files(audit=audit, report=same).readings()
    with pytest.raises(ArtifactError, match="audit, report are not of the same rows"):
        Files(audit=audit, report=rows).readings()
    with pytest.raises(ArtifactError, match="are of different files"):
        Files(audit=audit, report=model).readings()


def test_a_certificate_that_promises_nothing_is_none(tmp_path: Path) -> None:
    given = write(tmp_path / "c.json", {"claim": CLAIM | {"dp": False}})
    with pytest.raises(ArtifactError, match="claims no differential privacy"):
        Files(certificate=given).readings()


@pytest.mark.parametrize("tables", [None, {}, [], {"synthetic": None}])
def test_evidence_that_names_no_table_is_taken(tmp_path: Path, tables: Any) -> None:
    rows = write(tmp_path / "a.csv", "x\n1\n2\n")
    given = write(tmp_path / "e.json", EVALUATION | ({} if tables is None else {"tables": tables}))
    assert "fidelity.shape" in Files(evaluation=given, synthetic=str(rows)).readings()


def test_every_file_that_is_none_is_named(tmp_path: Path) -> None:
    given = Files(
        report=write(tmp_path / "r.json", {"schema_version": 2, "records": []}),
        evaluation=write(tmp_path / "e.json", "{"),
        audit=write(tmp_path / "a.json", EVALUATION),
        certificate=tmp_path / "none.json",
    )
    with pytest.raises(ArtifactError) as caught:
        given.readings()
    words = "\n".join(caught.value.reasons)
    assert len(caught.value.reasons) == 4
    for part in ("schema_version is 1, not 2", "is no JSON", "has no 'verdict'", "No such file"):
        assert part in words


def test_nothing_to_judge_is_no_pass(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file of any is given"):
        Files().readings()
    with pytest.raises(UsageError, match="without --synthetic"):
        Files(metadata=tmp_path / "m.yaml").readings()


def test_every_record_has_a_maker() -> None:
    assert all(maker.startswith("pass --") for maker in (*MAKERS.values(), REPORT))
