"""The likelihood-ratio attack where the likelihood ratio is known."""

from __future__ import annotations

import numpy as np
import pytest

from synthvae.audit import lira
from synthvae.audit.roc import auc

ROWS, MODELS = 400, 64


def simulated(models: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Scores with a level of each row's own, which membership raises by one deviation."""
    rng = np.random.default_rng(8)
    level = rng.normal(0, 5, ROWS)
    member = rng.random((models + 1, ROWS)) < 0.5
    scores = level + member + rng.normal(size=(models + 1, ROWS))
    return scores[0], scores[1:], member[1:], member[0]


@pytest.mark.parametrize("models", [16, MODELS])
def test_rows_are_held_against_themselves(models: int):
    target, scores, member, truth = simulated(models)
    for attack in (lira.online, lira.offline):
        found = attack(target, scores, member)
        assert auc(found[truth], found[~truth])[0] == pytest.approx(0.76, abs=0.05)
    assert auc(target[truth], target[~truth])[0] < 0.6


def test_the_online_score_is_the_log_ratio_of_two_normals():
    scores = np.array([[1.0], [3.0], [0.0], [2.0], [8.0]])
    member = np.array([[True], [True], [False], [False], [False]])
    # in: mean 2, variance 2; out: mean 10/3, variance 52/3; few models, and one row to pool
    found = lira.online(np.array([4.0]), scores, member)
    inside = -0.5 * np.log(2) - (4 - 2) ** 2 / 4
    outside = -0.5 * np.log(52 / 3) - (4 - 10 / 3) ** 2 / (2 * 52 / 3)
    assert found == pytest.approx([inside - outside])


def test_midway_holds_a_row_against_the_mean_of_all_models_and_no_term_decides():
    target, scores, _, truth = simulated(16)
    found = lira.midway(target[:, None], scores[:, :, None])
    assert auc(found[truth], found[~truth])[0] == pytest.approx(0.76, abs=0.05)
    one = lira.midway(np.array([[9.0, 1.0]]), np.zeros((2, 1, 2)))
    assert one == pytest.approx([lira.LIMIT + 1])  # 9 counts for no more than the limit


def test_the_middle_is_not_drawn_away_by_one_model():
    scores = np.zeros((16, 1, 1))
    scores[0] = -400
    assert lira.midway(np.array([[1.0]]), scores) == pytest.approx([1.2], abs=0.2)


def test_a_row_in_every_model_has_no_score():
    target, scores, member, _ = simulated(16)
    member[:, 0], member[:, 1] = True, False
    assert np.isnan(lira.online(target, scores, member)[:2]).all()
    assert np.isnan(lira.offline(target, scores, member)).tolist() == [True] + [False] * (ROWS - 1)
