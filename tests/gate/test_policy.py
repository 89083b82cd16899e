"""A policy is read strictly: what is misspelt would be a gate that stands open."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthvae.errors import MetadataError
from synthvae.gate.policy import Rule, parse, read
from synthvae.gate.profiles import PROFILES, REASONS, text_of
from synthvae.gate.records import MAKERS


def test_rules_come_in_the_order_of_the_file_with_both_ends() -> None:
    rules = {
        "fidelity.shape_ratio": {"min": 0.5, "max": 2},
        "utility.gap": [{"max": 0.05, "level": "warn"}, {"max": 0.1, "why": "churn"}],
    }
    found = parse({"version": 1, "rules": rules, "profile": "own"}, name="nightly")
    assert (found.name, found.profile) == ("nightly", "own")
    assert found.rules == (
        Rule("fidelity.shape_ratio", "low", 0.5),
        Rule("fidelity.shape_ratio", "high", 2.0),
        Rule("utility.gap", "high", 0.05, "warn"),
        Rule("utility.gap", "high", 0.1, "fail", "churn"),
    )


def test_an_outcome_is_a_word_or_its_number() -> None:
    for limit in ("INCONCLUSIVE", 0):
        (rule,) = parse({"version": 1, "rules": {"privacy.verdict": {"min": limit}}}).rules
        assert (rule.limit, rule.words) == (0, "at least INCONCLUSIVE")


def test_all_that_is_wrong_is_said_at_once() -> None:
    rules = {
        "fidelity.shape_ration": {"max": 2},
        "utility.gap": {"maximum": 0.05},
        "copies.exact": {"max": 5},
        "rows": {"min": "many", "level": "fial"},
        "fidelity.pair_ratio": {"min": 2, "max": 1},
        "fidelity.c2st": 0.6,
        "privacy.attack_auc": {"max": True},
        "privacy.verdict": {"min": "PASSED"},
    }
    with pytest.raises(MetadataError) as caught:
        parse({"version": 2, "rulse": {}, "rules": rules}, "'p.yaml'")
    words = "\n".join(caught.value.reasons)
    for part in (
        "'p.yaml': unknown key 'rulse'; did you mean 'rules'?",
        "version is 1, but it is 2",
        "unknown record 'fidelity.shape_ration'; did you mean 'fidelity.shape_ratio'?",
        "utility.gap: unknown key 'maximum'; did you mean 'max'?",
        "utility.gap has a limit, but neither max nor min is set",
        "copies.exact: max is a share from 0 to 1, but it is 5; write 0.05 for 5 %",
        "rows: level is fail or warn, but it is 'fial'; did you mean 'fail'?",
        "rows: min is a number, but it is 'many'",
        "fidelity.pair_ratio: min is at most max, but 2 is more than that",
        "fidelity.c2st is a mapping such as {max: 1.5}, but it is 0.6",
        "privacy.attack_auc: max is a number, but it is True",
        "privacy.verdict: min is PASS or INCONCLUSIVE or FAIL, but it is 'PASSED'",
    ):
        assert part in words
    assert len(caught.value.reasons) == 12


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds None"),
        ("- a", "keys with values"),
        ("version: 1\nrules: {}", "a gate without a rule would let everything pass"),
        ("version: 1\nrules:\n  rows: {min: 1}\n  rows: {min: 2}\n", "'rows' stands twice"),
        ("version: 1\nversion: 1\nrules: {rows: {min: 1}}", "'version' stands twice"),
        ("{", "can't be read"),
    ],
)
def test_files_that_are_no_policy(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(text)
    with pytest.raises(MetadataError, match=words):
        read(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MetadataError, match=r"does not exist; `synthvae policy init --profile"):
        read(tmp_path / "none.yaml")


def test_a_record_that_only_a_report_has_may_be_named(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("version: 1\nrules: {training.loss: {max: 3}}\n")
    with pytest.raises(MetadataError, match=r"unknown record 'training.loss'"):
        read(path)
    assert read(path, ["training.loss"]).rules[0].limit == 3


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_a_policy_with_a_reason_for_each_limit(name: str, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(text_of(name))
    found = read(path)
    assert (found.name, found.profile) == (name, name)
    assert {rule.record for rule in found.rules} == set(PROFILES[name].limits)
    assert max(map(len, path.read_text().splitlines())) <= 98
    words = " ".join(path.read_text().replace("#", "").split())
    for record in PROFILES[name].limits:
        assert record in MAKERS
        assert REASONS[record] in words


def test_what_leaves_the_house_is_asked_for_more() -> None:
    asked = {name: set(profile.limits) for name, profile in PROFILES.items()}
    assert asked["internal-test"] < asked["share-with-partner"]
    assert "privacy.epsilon" in asked["publish"] - asked["share-with-partner"]
