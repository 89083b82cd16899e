"""A report takes over what is of its own rows and model, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from synthvae.detect import detect
from synthvae.errors import EvidenceError
from synthvae.holdout import sha256
from synthvae.report.content import Evidence
from synthvae.reporting_evidence import check_evidence, judged_of
from synthvae.reporting_inputs import Asked, Trio
from synthvae.schema import resolve
from synthvae.table import from_frame

TABLE = from_frame(pd.DataFrame({"x": [1, 2, 3]}))
TRIO = Trio(TABLE, TABLE, TABLE, resolve(detect(TABLE), TABLE), False)
CLAIM = {"dp": True, "epsilon": 1.0, "delta": 1e-6}


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    model = tmp_path / "m.synthvae"
    model.write_bytes(b"a model")
    return Asked("real.csv", synthetic="new.csv", model=model, certificate=Path("c.json"))


def test_its_own_is_taken_and_so_is_what_does_not_say(asked: Asked) -> None:
    own = judged_of(asked, TRIO)
    assert own == {"synthetic": TABLE.fingerprint(), "model": f"sha256:{sha256(asked.model)}"}
    hashes = {"m.synthvae": own["model"]}
    check_evidence(asked, Evidence(audit={"judged": own}), judged_of(asked, TRIO))
    check_evidence(asked, Evidence(audit={}, certificate={"claim": CLAIM}), judged_of(asked, TRIO))
    check_evidence(
        asked, Evidence(certificate={"claim": CLAIM, "hashes": hashes}), judged_of(asked, TRIO)
    )


def test_all_that_is_of_something_else_is_said_at_once(asked: Asked) -> None:
    others: dict[str, Any] = {"synthetic": "other", "model": "sha256:other"}
    lie = {"claim": CLAIM | {"dp": False}, "hashes": {"other.synthvae": "sha256:other"}}
    with pytest.raises(EvidenceError) as caught:
        check_evidence(
            asked, Evidence(audit={"judged": others}, certificate=lie), judged_of(asked, TRIO)
        )
    told = "\n".join(caught.value.reasons)
    assert len(caught.value.reasons) == 4
    for words in ("of others than 'new.csv'", "another file", "does not", "other.synthvae"):
        assert words in told


def test_what_the_model_says_of_columns_is_not_said_twice(
    cli: Any, model_file: Path, csv: Path
) -> None:
    words = ("evaluate", "-m", model_file, "--real", csv, "--synthetic", csv)
    done = cli(*words, "--metadata", "none.yaml")
    assert done.exit_code == 2, done.output
    assert "columns are what the model says that they are" in " ".join(done.output.split())


def test_missing_values_are_a_list(cli: Any, csv: Path, tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    for given in ("9", "xy"):
        config.write_text(f"missing_values: {given}\n")
        done = cli("evaluate", "--real", csv, "--holdout", csv, "--synthetic", csv, "-c", config)
        assert done.exit_code == 3, done.output
        assert "missing_values is a list of texts" in " ".join(done.output.split())
