"""What a verdict makes of records, where the right one is known."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from synthvae.audit import one_run
from synthvae.audit.advice import advice_of
from synthvae.audit.f_dp import f_dp_bound_of
from synthvae.audit.one_run import THEOREM, bound_of
from synthvae.audit.policy import Policy
from synthvae.audit.promises import epsilon_audited
from synthvae.audit.records import (
    Attack,
    Claim,
    Control,
    Criterion,
    EpsilonBound,
    Excess,
    Sizes,
    Verdict,
)
from synthvae.audit.shares import excess, rate
from synthvae.audit.trial import Candidate, tried
from synthvae.audit.verdict import verdict_of
from synthvae.errors import UsageError
from synthvae.evaluation.records import Interval

NAMES = ("null control", "drift control", "positive control, attacks", "positive control, copies")


def controls(**passed: bool | None) -> list[Control]:
    return [
        Control(n, passed.get(n.split()[0], True), 0.5, Interval(0.4, 0.6), 9, 9, "", 0)
        for n in NAMES
    ]


def sizes(members: int, others: int) -> Sizes:
    return Sizes(members, others, 1000, 0, 0, 0, 0, members, others)


def attacks_on(rng: np.random.Generator, n: int, shift: float, count: int = 3) -> list[Attack]:
    """Simulated scores: each attack sees membership through noise of its own."""
    member, second = np.arange(2 * n) < n, np.arange(2 * n) % 2 == 1
    candidates = [
        Candidate(f"attack {k}", "released table", "all rows", scores)
        for k, scores in enumerate(member * shift + rng.normal(size=(count, 2 * n)))
    ]
    candidates += [replace(each, who="exposed rows") for each in candidates]
    return tried(candidates, member, second, seed=0, deals=9)[0]


def risks_on(rng: np.random.Generator, n: int, chance: float, more: float = 0.0) -> list[Excess]:
    return [
        excess(
            name,
            rate(int(rng.binomial(n, chance + more)), n),
            rate(int(rng.binomial(n, chance)), n),
            ("column",),
            0,
        )
        for name in ("singling out", "linkability", "inference")
    ]


def judged(
    n: int, shift: float = 0.0, more: float = 0.0, seed: int = 0, **options: object
) -> Verdict:
    rng = np.random.default_rng(seed)
    given = {"controls": controls(), "policy": Policy(), **options}
    return verdict_of(
        attacks_on(rng, n, shift),
        risks_on(rng, n, 0.1, more),
        [excess("exact copies", rate(0, n), rate(0, n), (), 0)],
        given["controls"],
        given.get("bounds", ()),
        given.get("claim"),
        given["policy"],
        sizes(n, n),
    )


def test_three_outcomes():
    passed = judged(4000)
    assert (passed.outcome, passed.exit_code, passed.reasons) == ("PASS", 0, ())
    leaky = judged(4000, shift=1.0)
    assert (leaky.outcome, leaky.exit_code) == ("FAIL", 1)
    assert "limit 0.600" in leaky.reasons[0]
    close = judged(4000, shift=0.36)  # an AUC of 0.60, the limit itself
    assert (close.outcome, close.exit_code) == ("INCONCLUSIVE", 4)


@pytest.mark.parametrize("n", [60, 200, 499])
def test_nothing_passes_below_500_rows_a_side(n: int):
    for seed in range(20):
        found = judged(n, seed=seed)
        assert found.outcome != "PASS"
        assert all(e.outcome != "PASS" for e in found.criteria)
    assert any(e.rows == 500 and "fewer than the 500" in e.reason for e in found.criteria)


def test_few_rows_still_fail():
    assert judged(200, shift=2.0).outcome == "FAIL"


def test_rows_that_would_decide_do_decide():
    open_ones = [e for e in judged(700, seed=1).criteria if e.outcome == "INCONCLUSIVE"]
    assert [e.name.split(",")[0] for e in open_ones] == ["exact copies"]
    enough = open_ones[0].rows
    assert enough is not None
    found = excess("exact copies", rate(0, enough), rate(0, enough), (), 0)
    assert found.interval.high <= open_ones[0].limit
    fewer = excess("exact copies", rate(0, enough // 2), rate(0, enough // 2), (), 0)
    assert fewer.interval.high > open_ones[0].limit


def test_controls_take_back_what_they_cast_doubt_on():
    drifted = judged(4000, shift=1.0, controls=controls(drift=False))
    assert drifted.outcome == "INCONCLUSIVE"
    unvouched = judged(4000, shift=1.0, controls=controls(null=None))
    assert "too few rows for the controls" in unvouched.reasons[0]
    assert re.search(r": 0\.7\d\d \(0\.\d+ to 0\.\d+\); too few", unvouched.reasons[0])
    powerless = judged(4000, controls=controls(positive=False))
    assert powerless.outcome == "INCONCLUSIVE"
    assert "no power" in powerless.reasons[0]
    assert judged(4000, shift=1.0, controls=controls(positive=False)).outcome == "FAIL"


def open_rows() -> list[Criterion]:
    return [replace(each, outcome="INCONCLUSIVE", rows=2000) for each in judged(4000).criteria]


def test_advice_says_where_rows_are_to_be_had():
    def told(members: int, others: int, real: int, **passed: bool) -> str:
        rows = Sizes(real, others, 1000, 0, 0, 0, 0, members, others)
        given = judged(4000, controls=controls(**passed)).criteria
        open_ones = [replace(each, outcome="INCONCLUSIVE", rows=2000) for each in given]
        return "; ".join(advice_of(open_ones, controls(**passed), Policy(), rows))

    assert told(4000, 1000, 9000) == (
        "about 2,000 rows a side would decide it, and there are 4,000 and 1,000: leave more out "
        "(`synthvae fit --holdout 0.2`), or pass more rows that were not learnt with --holdout"
    )
    assert "take a larger table and leave 2,000 rows of it out" in told(900, 100, 900)
    mixed = Sizes(3000, 1000, 1000, 0, 500, 500, 500, 2500, 500)
    wrong, *_ = advice_of(open_rows(), controls(), Policy(), mixed)
    assert "50 % of its rows stand in the real table too: check" in wrong
    most = Sizes(1000, 1000, 1000, 0, 900, 900, 900, 100, 100)
    assert "90 % of its rows stand" in advice_of(open_rows(), controls(), Policy(), most)[0]
    by_chance = Sizes(3000, 1000, 1000, 0, 1500, 500, 480, 1500, 500)
    assert "right file" not in str(advice_of(open_rows(), controls(), Policy(), by_chance))
    repeated = Sizes(9000, 2000, 1000, 0, 5000, 1000, 0, 4000, 1000)
    (half,) = advice_of(open_rows(), controls(), Policy(), repeated)
    assert "`synthvae fit --holdout 0.4`" in half  # every second row that is left out is a repeat
    assert told(4000, 4000, 9000) == ""
    sampled = Sizes(9000, 9000, 1000, 0, 0, 0, 0, 1000, 1000)
    (why,) = advice_of(open_rows(), controls(), Policy(), sampled)
    assert "the 1,000 rows a side that attacks look at, and they look at no more" in why
    assert "copies that were put in do not stand out" in told(4000, 4000, 9000, positive=False)
    assert "drift control: draw the holdout at random" in told(4000, 4000, 9000, drift=False)
    assert judged(4000).advice == ()
    assert (
        "half of what rows can decide, 4,700 all of it, and there are 200" in judged(200).advice[0]
    )


def test_advice_tells_rows_from_the_model_file():
    given = judged(4000).criteria
    names = ("AUC of 'a', all rows, from the model", "AUC of 'a', all rows, from released tables")

    def told(*failing: str) -> tuple[str, ...]:
        failed = [replace(given[0], name=name, outcome="FAIL") for name in failing]
        return advice_of([*failed, *given[1:]], controls(), Policy(), sizes(4000, 4000))

    assert told(names[0]) == (
        "all that failed takes the model file: keep the file where the table is and release rows "
        "alone, or fit with --epsilon",
    )
    assert told(*names) == ()


def test_no_attack_on_exposed_rows_is_no_pass_for_them():
    n, rng = 4000, np.random.default_rng(0)
    attacks = [each for each in attacks_on(rng, n, 0.0) if each.who == "all rows"]
    found = verdict_of(attacks, [], [], controls(), (), None, Policy(), sizes(n, n))
    told = {each.name: each.outcome for each in found.criteria}
    for name in unanswered("exposed rows, from released tables"):
        assert told.pop(name) == "INCONCLUSIVE"
    assert set(told.values()) == {"PASS"}
    assert "too few rows to measure it" in found.reasons[0]


def unanswered(where: str) -> list[str]:
    return [f"AUC of attacks, {where}", f"members found at 1 % false alarms, {where}"]


def test_a_side_on_which_every_attack_had_too_few_rows_is_open():
    """Scores of a model that cover a dozen rows are no attack, and no reason for a pass."""
    n, rng = 4000, np.random.default_rng(0)
    member, second = np.arange(2 * n) < n, np.arange(2 * n) % 2 == 1
    scores = np.where(np.arange(2 * n) % 600 == 0, 0.5, np.nan)
    few = [Candidate("score", "model", who, scores) for who in ("all rows", "exposed rows")]
    assert tried(few, member, second, seed=0)[0] == []
    attacks = attacks_on(rng, n, 0.0)
    given = ([], [], controls(), (), None, Policy(), sizes(n, n))
    assert verdict_of(attacks, *given).outcome == "PASS"
    found = verdict_of(attacks, *given, accesses={each.access for each in few})
    open_ones = [each.name for each in found.criteria if each.outcome == "INCONCLUSIVE"]
    assert open_ones == [
        name
        for who in ("all rows", "exposed rows")
        for name in unanswered(f"{who}, from the model")
    ]


COPIED = ("exact copies", "near copies", "rare combinations", "reused values")


@pytest.mark.parametrize("doubt", ["null", "drift"])
def test_of_tables_that_differ_only_exact_copies_convict(doubt: str):
    n, rng = 4000, np.random.default_rng(0)
    copies = [excess(name, rate(900, n), rate(0, n), ("column",), 0) for name in COPIED]
    given = (attacks_on(rng, n, 0.0), risks_on(rng, n, 0.1), copies)
    for passed, expected in ((True, ["FAIL"] * 4), (False, ["FAIL", *["INCONCLUSIVE"] * 3])):
        found = verdict_of(*given, controls(**{doubt: passed}), (), None, Policy(), sizes(n, n))
        assert [each.outcome for each in found.criteria[-4:]] == expected


def promised(found: Verdict) -> dict[str, str]:
    start = "epsilon by "
    named = (each for each in found.criteria if each.name.startswith(start))
    return {each.name.removeprefix(start): each.outcome for each in named}


def test_only_coins_and_a_theorem_about_epsilon_contradict_a_promise():
    rng = np.random.default_rng(0)
    included = rng.random(1000) < 0.5
    scores = included * 4.0 + rng.normal(size=1000)
    bounds = (bound_of("coins", scores, included), f_dp_bound_of("coins", scores, included))
    assert min(each.epsilon for each in bounds) > 2
    found = judged(4000, shift=2.0, bounds=bounds, claim=Claim(0.5, 1e-5))
    told = promised(found)
    assert told.pop(f"coins ({THEOREM})") == "FAIL"
    assert list(told.values()) == ["INCONCLUSIVE"]  # the attack's; mu-GDP is not asked
    strict = found.criteria[0].strict
    assert strict.low < judged(4000, shift=2.0).criteria[0].strict.low  # one more to answer for


def test_a_bound_just_above_a_promise_is_not_enough_for_all_criteria_together():
    bound = EpsilonBound("coins", THEOREM, 1.0, 0.0, 0.95, 1000, 200, 160)
    assert 0.5 < one_run.epsilon(1000, 200, 160, 0.0, 0.999) < 0.99
    told = promised(judged(4000, bounds=(bound,), claim=Claim(0.99, 1e-5)))
    assert told[f"coins ({THEOREM})"] == "INCONCLUSIVE"
    told = promised(judged(4000, bounds=(bound,), claim=Claim(1.0, 1e-5)))
    assert told[f"coins ({THEOREM})"] == "PASS"


@pytest.mark.parametrize("doubt", [{"null": False}, {"drift": False}, {"drift": None}])
def test_an_attacks_own_bound_needs_the_controls_and_that_of_coins_does_not(doubt):
    bound = EpsilonBound("coins", THEOREM, 0.0, 1e-5, 0.95, 1000, 10, 5)
    options = {"bounds": (bound,), "claim": Claim(3.0, 1e-5)}
    assert set(promised(judged(4000, **options)).values()) == {"PASS"}
    told = promised(judged(4000, controls=controls(**doubt), **options))
    assert sorted(told.values()) == ["INCONCLUSIVE", "PASS"]
    assert told[f"coins ({THEOREM})"] == "PASS"


def test_words():
    for found in (judged(4000), judged(4000, shift=1.0), judged(300)):
        text = found.sentence.lower()
        assert "evidence" in text
        assert "anonym" not in text
        assert "compl" not in text


@pytest.mark.slow
def test_false_alarms_over_200_simulated_null_audits():
    """The strictest policy there can be, with every limit at chance itself: still at most one
    audit of twenty fails."""
    least = 1e-9
    strict = Policy(
        auc=0.5,
        tpr=0.0101,
        exact_copies=least,
        singling_out=least,
        linkability=least,
        inference=least,
    )
    outcomes = [judged(800, seed=seed, policy=strict).outcome for seed in range(200)]
    assert outcomes.count("FAIL") <= 10
    assert outcomes.count("PASS") == 0


def test_a_policy_that_is_none_is_refused():
    with pytest.raises(UsageError, match="'auc' is between 0 and 1"):
        Policy(auc=1.5)
    with pytest.raises(UsageError, match="'rows' is at least 500"):
        Policy(rows=10)


def test_the_largest_of_many_bounds_on_epsilon_answers_for_all_of_them():
    """At 95 % each, the largest of many looks would nearly always refute something."""
    alone, among = (attacks_on(np.random.default_rng(3), 1000, 1.0, count)[0] for count in (1, 40))
    assert alone.auc == among.auc
    assert alone.epsilon > among.epsilon > 0
    included = np.arange(400) % 2 > 0
    scores = np.random.default_rng(3).normal(size=400) + 3 * included
    coins = [bound_of("coins", scores, included), f_dp_bound_of("coins", scores, included)]
    single = [epsilon_audited([], [each]) for each in coins]
    assert all(each.epsilon > sure > 0 for each, sure in zip(coins, single, strict=True))
    both = epsilon_audited([among], coins)
    assert max(single) > both > among.epsilon
    assert epsilon_audited([], []) is None


def test_canaries_too_few_for_a_promise_do_not_speak_for_it():
    right = EpsilonBound("coins", THEOREM, 2.8, 1e-5, 0.95, 250, 250, 250)
    found = judged(4000, bounds=(right,), claim=Claim(8.0, 1e-5))
    assert f"coins ({THEOREM})" not in promised(found)
    assert "250 canaries show an epsilon of 3.75" in found.advice[-1]
    assert (
        promised(judged(4000, bounds=(right,), claim=Claim(1.0, 1e-5)))[f"coins ({THEOREM})"]
        == "FAIL"
    )


@pytest.mark.parametrize(("repeated", "outcome"), [(0, "FAIL"), (1000, "INCONCLUSIVE")])
def test_exact_copies_count_against_a_failed_control_if_chance_does_not_bring_them(
    repeated: int, outcome: str
):
    copied = [excess("exact copies", rate(300, 4000), rate(0, 4000), (), 0)]
    rows = replace(sizes(4000, 4000), repeated_real=repeated)
    told = verdict_of([], [], copied, controls(drift=False), (), None, Policy(), rows)
    assert told.outcome == outcome


def test_rows_that_decide_are_rows_of_the_smaller_side():
    few = excess("exact copies", rate(200, 39_000), rate(0, 1000), (), 0)
    told = verdict_of([], [], [few], controls(), (), None, Policy(), sizes(39_000, 1000))
    enough = told.criteria[0].rows
    assert told.outcome == "INCONCLUSIVE"
    assert enough is not None
    assert 1000 < enough < 10_000
    more = excess("exact copies", rate(200, 39_000), rate(0, enough), (), 0)
    assert (
        verdict_of([], [], [more], controls(), (), None, Policy(), sizes(39_000, enough)).outcome
        == "FAIL"
    )
