"""Four spoilt tables are stopped, each for the right reason, and a good one passes.

The good table is a fresh draw of the bank's simulator: what a perfect generator would write.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from synthvae.audit import audit
from synthvae.evaluation import evaluate
from synthvae.evaluation.frames import frame
from synthvae.gate.judge import Outcome, judge
from synthvae.gate.policy import parse
from synthvae.gate.profiles import text_of
from synthvae.gate.sources import Files
from synthvae.metadata import read
from synthvae.schema import Schema, resolve
from synthvae.table import from_frame

pytestmark = pytest.mark.slow

BANK = Path(__file__).parent.parent.parent / "metadata_examples" / "bank"
ROWS = 2500  # 'private banking' then has 16 rows, and no copy of 2,500 rows is a share below 0.002


def simulate(seed: int) -> pd.DataFrame:
    spec = importlib.util.spec_from_file_location("make_bank", BANK / "make_bank.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: pd.DataFrame = module.simulate(ROWS, seed=seed)
    return made.astype(object)


TRAIN, HOLDOUT, GOOD = (simulate(seed) for seed in (1, 2, 3))


def shuffled() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return GOOD.apply(lambda column: rng.permutation(column.to_numpy()))


def copied() -> pd.DataFrame:
    return pd.concat([TRAIN[: ROWS // 20], GOOD[ROWS // 20 :]], ignore_index=True)


def constant() -> pd.DataFrame:
    return GOOD.assign(income=GOOD["income"].iloc[0])


def dropped() -> pd.DataFrame:
    return GOOD.assign(segment=GOOD["segment"].replace("private banking", "retail"))


def checked(table: pd.DataFrame, folder: Path) -> Outcome:
    """The whole way: records as files, read back and judged by the partner's profile."""
    tables = [from_frame(each) for each in (TRAIN, HOLDOUT, table)]
    schema = resolve(read(BANK / "metadata.yaml"), tables[0])
    learnt = ("numerical", "categorical", "boolean", "datetime")
    compared = Schema(tuple(c for c in schema.columns if c.sdtype in learnt))
    evaluation = evaluate(*(frame(t, compared.columns) for t in tables), target="churned")
    found = audit(*(frame(t, schema.columns) for t in tables),
                  {c.name: c.sdtype for c in schema.columns})  # fmt: skip
    for name, record in (("e", evaluation), ("a", found)):
        (folder / f"{name}.json").write_text(json.dumps(record.to_json()))
    table.to_csv(folder / "t.csv", index=False)
    files = Files(
        evaluation=folder / "e.json",
        audit=folder / "a.json",
        synthetic=str(folder / "t.csv"),
        metadata=BANK / "metadata.yaml",
    )
    policy = parse(yaml.safe_load(text_of("share-with-partner")))
    return judge(policy, files.readings())


def failed(outcome: Outcome) -> set[str]:
    return {line.record for line in outcome.lines if line.status == "fail"}


def test_a_good_table_passes(tmp_path: Path) -> None:
    found = checked(GOOD, tmp_path)
    assert found.passed, found
    # SDMetrics is not part of this test; its rule only warns.
    assert [each.record for each in found.lines if each.status == "missing"] == [
        "sdmetrics.diagnostic"
    ]


@pytest.mark.parametrize(
    ("spoil", "must", "may"),
    [
        pytest.param(
            shuffled,
            {"fidelity.pair_ratio", "fidelity.c2st_minus_floor"},
            set(),
            marks=pytest.mark.nightly,
        ),
        (copied, {"copies.exact", "copies.reused", "privacy.verdict"}, {"privacy."}),
        pytest.param(
            constant,
            {"fidelity.worst_column_minus_floor"},
            {"fidelity."},
            marks=pytest.mark.nightly,
        ),
        (dropped, {"fidelity.coverage"}, set()),
    ],
)
def test_a_spoilt_table_is_stopped_for_the_right_reason(
    spoil: Callable[[], pd.DataFrame], must: set[str], may: set[str], tmp_path: Path
) -> None:
    found = failed(checked(spoil(), tmp_path))
    assert must <= found
    assert all(record.startswith(tuple(may)) for record in found - must)
