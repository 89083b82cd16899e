"""A whole audit: silent where nothing is, and each planted leak found where it was planted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from synthvae.audit import (
    STEPS,
    Audit,
    Claim,
    Effort,
    EpsilonBound,
    RowScores,
    audit,
    markdown,
)
from synthvae.audit.one_run import THEOREM
from synthvae.errors import TableError, UsageError

SDTYPES = {
    "key": "id",
    "group": "categorical",
    "x": "numerical",
    "y": "numerical",
    "visits": "numerical",
    "town": "categorical",
}
QUICK = Effort(rows=400, released=1500, more=3000, targets=400, trees=5, deals=499)


def table(seed: int, rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    group = rng.choice(list("abcd"), rows, p=[0.4, 0.3, 0.2, 0.1])
    x = rng.normal(size=rows) + (group == "a")
    return pd.DataFrame(
        {
            "key": [f"{seed}-{k:05d}" for k in range(rows)],
            "group": group.astype(object),
            "x": x.round(2),
            "y": (x + rng.normal(size=rows)).round(2),
            "visits": rng.poisson(3, rows).astype(float),
            "town": np.array([f"town {int(t)}" for t in rng.exponential(4, rows)], dtype=object),
        }
    )


REAL, HOLDOUT, FRESH = table(0, 2500), table(1, 1200), table(2, 2500)


def audited(synthetic: pd.DataFrame, **options: object) -> Audit:
    options = {"real": REAL, "holdout": HOLDOUT, "effort": QUICK, **options}
    return audit(synthetic=synthetic, sdtypes=SDTYPES, seed=3, **options)  # type: ignore[arg-type]


def failed(found: Audit) -> str:
    return "; ".join(each.name for each in found.verdict.criteria if each.outcome == "FAIL")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def harmless() -> Audit:
    heard: list[str] = []
    found = audited(FRESH, more=table(4, 4000), progress=heard.append)
    assert len(heard) == len(set(heard)) == STEPS
    return found


def test_fresh_rows_give_no_evidence(harmless: Audit):
    assert failed(harmless) == ""
    assert harmless.verdict.outcome in ("PASS", "INCONCLUSIVE")
    assert [each.name for each in harmless.controls if each.passed is not True] == []
    assert min(each.p_holm for each in harmless.attacks) > 0.05
    assert all(abs(each.value) < 0.08 for each in (*harmless.risks, *harmless.copies))


def test_every_number_says_what_it_rests_on(harmless: Audit):
    assert {each.who for each in harmless.attacks} == {"all rows", "exposed rows"}
    assert {each.access for each in harmless.attacks} == {"released table", "larger table"}
    for attack in harmless.attacks:
        assert attack.interval.low <= attack.auc <= attack.interval.high
        assert attack.members >= 10 <= attack.others
        assert attack.seed == 3
    assert harmless.sizes.members == harmless.sizes.others == 800
    assert any("800 of 2,5" in note or "800 of 2,4" in note for note in harmless.notes)


def test_the_public_result_shows_no_row(harmless: Audit):
    public = json.dumps(harmless.to_json(), allow_nan=False)
    assert "restricted" not in harmless.to_json()
    assert "town " not in public
    assert "0-0" not in public
    assert "threshold" not in public


def test_the_same_seed_gives_the_same_audit():
    small = Effort(rows=100, released=500, targets=100, trees=2, deals=9)
    first, second = (audited(FRESH, effort=small).to_json() for _ in range(2))
    assert first == second


def test_copied_rows_are_found_and_shown_in_the_restricted_record_alone():
    leaked = REAL.iloc[40:90].assign(key="new")
    found = audited(pd.concat([FRESH, leaked], ignore_index=True))
    assert "exact copies" in failed(found)
    assert found.verdict.exit_code == 1
    shown = found.restricted.to_json()["rows"]["exact copies"]
    assert {row["row"] for row in shown} <= set(range(40, 90)) | {row["row"] for row in shown[50:]}
    assert len(shown) >= 45
    assert shown[0]["town"] == REAL["town"].iloc[shown[0]["row"]]


def trades(seed: int, rows: int) -> pd.DataFrame:
    """`table` with a trade too, so that many rows hold a pair of town and trade of their own."""
    rng = np.random.default_rng((seed, 1))
    trade = [f"trade {int(t)}" for t in rng.exponential(8, rows)]
    town = [f"town {int(t)}" for t in rng.exponential(8, rows)]
    return table(seed, rows).assign(
        trade=pd.Series(trade, dtype=object), town=pd.Series(town, dtype=object)
    )


def test_copied_rare_combinations_are_found_and_fresh_ones_are_not():
    """Town, trade and visits of the training rows that hold them alone stand in fresh rows."""
    real, holdout, fresh = trades(0, 2500), trades(1, 1200), trades(2, 1500)
    rare = real.loc[real.groupby(["town", "trade", "visits"])["x"].transform("size") == 1]
    leaked = fresh.sample(len(rare), replace=True, random_state=0).assign(
        **{name: rare[name].to_numpy() for name in ("town", "trade", "visits")}, key="new"
    )
    kinds = {**SDTYPES, "trade": "categorical"}
    silent = audit(real, holdout, fresh, kinds, effort=QUICK, seed=3)
    found = audit(real, holdout, pd.concat([fresh, leaked]), kinds, effort=QUICK, seed=3)
    assert failed(silent) == ""
    assert failed(found) == "rare combinations, training rows beyond holdout rows"
    assert found.restricted.rows["rare combinations"]


def test_real_keys_reused_are_found():
    keys = np.where(np.arange(len(FRESH)) % 50 == 0, REAL["key"], FRESH["key"])
    found = audited(FRESH.assign(key=keys))
    assert failed(found) == "reused values of 'key', training rows beyond holdout rows"
    assert "key" not in {name for each in found.copies[:-1] for name in each.subject}


def test_a_memorising_generator_is_found_by_attacks_on_rows_it_blurred():
    rng = np.random.default_rng(5)
    blurred = REAL.assign(
        x=REAL["x"] + rng.normal(0, 0.03, len(REAL)),
        y=REAL["y"] + rng.normal(0, 0.03, len(REAL)),
        key=FRESH["key"],
    )
    found = audited(blurred)
    assert "AUC of" in failed(found)
    assert "singling out" in failed(found)
    best = max(found.attacks, key=lambda each: each.first_half_auc)
    assert best.auc > 0.8
    assert best.p_holm < 0.05
    assert best.epsilon > 1 < best.epsilon_one_run


def test_scores_of_a_model_are_judged_beside_the_table():
    rng = np.random.default_rng(6)
    ours, theirs = rng.normal(1.5, 1, len(REAL)), rng.normal(0, 1, len(HOLDOUT))
    ours[600:], theirs[600:] = np.nan, np.nan
    terms = rng.normal(size=(len(REAL), 3)), rng.normal(size=(len(HOLDOUT), 3))
    terms[0][:, 1] -= 1.5
    scores = {
        "-nats": RowScores(-ours, -theirs),
        "nats of columns": RowScores(*terms, access="shadow models"),
    }
    found = audited(FRESH, scores=scores)
    white = {e.name: e for e in found.attacks if e.who == "all rows" and e.name in scores}
    assert white["-nats"].auc == pytest.approx(0.856, abs=0.05)
    assert white["-nats"].members < 320  # half of those scored
    assert white["nats of columns"].auc == pytest.approx(0.856, abs=0.05)
    assert "from the model" in failed(found)
    assert "from released tables" not in failed(found)


def test_a_promise_is_held_against_its_bounds(harmless: Audit):
    bounds = [
        EpsilonBound("canaries", theorem, epsilon, 1e-5, 0.95, 1000, 500, 450)
        for theorem, epsilon in ((THEOREM, 1.8), ("another", 2.5))
    ]
    small = Effort(rows=60, released=200, targets=60, trees=2, deals=9)
    kept = audited(FRESH, bounds=bounds, claim=Claim(2.0, 1e-5), effort=small)
    broken = audited(FRESH, bounds=bounds, claim=Claim(1.0, 1e-5), effort=small)
    assert "epsilon" not in failed(kept)
    assert failed(broken) == f"epsilon by canaries ({THEOREM})"
    small_promise = audited(FRESH, bounds=bounds, claim=Claim(0.5, 1e-5), effort=small)
    assert f"| epsilon by canaries ({THEOREM}) | 1.80 (1.80 or more) | 0.50 |" in markdown(
        small_promise
    )
    assert harmless.claim is None
    with pytest.raises(UsageError, match="only at the promise's delta"):
        audited(FRESH, bounds=bounds, claim=Claim(2.0, 1e-4), effort=small)


def test_tables_drawn_differently_can_not_convict_a_generator():
    """The holdout is from another town: attacks tell the sides apart, and none has memorised."""
    moved = HOLDOUT.assign(x=HOLDOUT["x"] + 1, y=HOLDOUT["y"] + 2)
    found = audited(FRESH, holdout=moved)
    assert {e.name for e in found.controls if e.passed is False} == {"drift control"}
    told = [e for e in found.verdict.criteria if e.section in ("membership", "disclosure")]
    assert {each.outcome for each in told} == {"INCONCLUSIVE"}
    assert "differ by themselves" in told[0].reason


def test_rows_that_stand_twice_are_counted_and_left_out():
    real = pd.concat([REAL, REAL.iloc[:30], HOLDOUT.iloc[:20]], ignore_index=True)
    small = Effort(rows=60, released=200, targets=60, trees=2, deals=9)
    before, after = audited(FRESH, effort=small), audited(FRESH, real=real, effort=small)
    assert after.sizes.repeated_real - before.sizes.repeated_real == 30 + 30 + 20
    assert after.sizes.repeated_holdout - before.sizes.repeated_holdout == 20
    assert after.sizes.in_both - before.sizes.in_both == 20
    assert "stand more than once" in after.notes[0]


def test_without_kinds_of_columns_unique_text_is_a_key():
    small = Effort(rows=60, released=200, targets=60, trees=2, deals=9)
    found = audit(REAL, HOLDOUT, FRESH, effort=small)
    assert dict(found.left_out) == {"key": "not compared (id)"}


def test_frames_as_pandas_reads_them():
    """Booleans, moments, whole numbers with gaps, categories: the same audit as of plain text."""
    small = Effort(rows=60, released=200, targets=60, trees=2, deals=9)

    def typed(frame: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "flag": frame["x"] > 0,
                "when": pd.Timestamp("2020-01-01") + pd.to_timedelta(frame["visits"], "D"),
                "visits": frame["visits"].astype("Int64").mask(frame["x"] > 1.5),
                "group": frame["group"].astype("category"),
                "x": frame["x"],
                "town": frame["town"],
            },
        ).set_index(np.arange(len(frame)) * 3)

    def plain(frame: pd.DataFrame) -> pd.DataFrame:
        return typed(frame).astype({"flag": str, "when": str, "visits": float, "group": object})

    first, second = (
        audit(as_(REAL), as_(HOLDOUT), as_(FRESH), effort=small) for as_ in (typed, plain)
    )
    assert first.to_json() == second.to_json()


def test_every_reason_why_tables_can_not_be_audited():
    with pytest.raises(TableError) as error:
        audited(FRESH.drop(columns="x").assign(y="text"), holdout=HOLDOUT.iloc[:5])
    assert len(error.value.reasons) == 3
    with pytest.raises(TableError, match="one entry a row"):
        audited(FRESH, scores={"short": RowScores(np.zeros(3), np.zeros(len(HOLDOUT)))})
    coarse = [each[["group", "key"]] for each in (REAL, HOLDOUT, FRESH)]
    with pytest.raises(TableError, match="0 of the 1,200 holdout rows do"):
        audit(*coarse)
    with pytest.raises(TableError, match="no column is one"):
        audit(REAL, HOLDOUT, FRESH, dict.fromkeys(REAL, "id"))


def test_a_bar_in_a_name_does_not_part_a_cell(harmless: Audit):
    named = replace(harmless.verdict.criteria[0], name="inference of 'a | b'")
    text = markdown(replace(harmless, verdict=replace(harmless.verdict, criteria=(named,))))
    assert "| inference of 'a \\| b' |" in text


def test_the_text_has_the_headings_and_no_promise(harmless: Audit):
    text = markdown(harmless)
    assert "Unit of privacy (NIST SP 800-226)" in text
    assert all(f"ISO/IEC 27559, clause {clause}" in text for clause in (6, 7, 8, 9))
    assert harmless.verdict.outcome in text
    assert "anonym" not in text.lower()
    assert "compliant" not in text.lower()
    assert "town " not in text
    for attack in harmless.attacks:
        assert attack.name in text
