"""What a model tells of rows: nats that add up, at draws that all share, less a reference's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import torch

from synthvae import membership_scores, opening, pipeline
from synthvae.artifact import Artifact
from synthvae.audit import RowScores
from synthvae.membership_scores import (
    UNSEEN,
    Suspects,
    Terms,
    of_rows,
    read,
    readings,
    together,
    white_box,
)
from synthvae.scoring import scores
from synthvae.settings import parse
from synthvae.table import from_frame

Fitted = Callable[[str], Artifact]


@pytest.fixture(scope="module")
def learnt() -> tuple[pd.DataFrame, Artifact]:
    """2,400 rows of noise, some far more usual than others; a model learns 200 too well."""
    rng = np.random.default_rng(0)
    shares = 0.5 ** np.arange(1, 9) / (1 - 0.5**8)
    frame = pd.DataFrame({f"c{i}": rng.choice(list("abcdefgh"), 2400, p=shares) for i in range(8)})
    training = {"epochs": 20, "batch": 50, "validation": 0.0, "patience": 1000}
    settings = parse({"training": {**training, "learning_rate": 0.01}})
    return frame, pipeline.fit(from_frame(frame[:200]), None, settings, threads=1)


def suspects_of(learnt: tuple[pd.DataFrame, Artifact], holdout: int) -> Suspects:
    frame, artifact = learnt
    rest = frame[200 : 200 + holdout]
    return Suspects.of(artifact, from_frame(frame[:200]), from_frame(rest), 0)


def auc(members: np.ndarray, others: np.ndarray) -> float:
    return float((members[:, None] > others).mean() + (members[:, None] == others).mean() / 2)


@pytest.mark.parametrize("preset", ["tvae", "arvae", "vq-vae", "hvae", "cvae"])
def test_terms_are_those_of_the_bound(fitted: Fitted, frame: pd.DataFrame, preset: str) -> None:
    model, codec = opening.fitted(fitted(preset))
    rows = read(model, codec, from_frame(frame), 0)
    terms = Terms(model, codec)
    found = terms((rows,), 1)
    assert found.shape == (len(frame), len(terms.names))
    noise = torch.zeros(1, len(rows), model.space.size)  # the mean of the posterior
    whole = scores(model, rows.tensors, noise, "elbo").total
    np.testing.assert_allclose(found.sum(axis=1), whole.numpy(), rtol=1e-4, atol=1e-3)


def test_a_score_follows_from_the_row_and_not_from_its_place(
    fitted: Fitted, frame: pd.DataFrame
) -> None:
    model, codec = opening.fitted(fitted("tvae"))
    rows = read(model, codec, from_frame(frame), 0)
    terms = Terms(model, codec)
    order = np.random.default_rng(0).permutation(len(frame))
    other = terms(of_rows((rows,), order))
    np.testing.assert_allclose(other, terms((rows,))[order], rtol=1e-4, atol=1e-3)


def test_several_readings_add_up_to_the_log_of_their_mean_likelihood(
    fitted: Fitted, frame: pd.DataFrame
) -> None:
    model, codec = opening.fitted(fitted("tvae"))
    rows = readings(model, codec, from_frame(frame), 0)
    terms = Terms(model, codec)
    each = np.stack([terms((one,)).sum(axis=1) for one in rows]).astype(float)
    assert each.std(axis=0).max() > 0.1  # modes of numbers are drawn
    expected = -np.log(np.exp(-each).mean(axis=0))
    np.testing.assert_allclose(terms(rows).sum(axis=1), expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("preset", ["tvae", "arvae", "vq-vae"])
def test_a_cell_that_the_model_never_saw_costs_much(
    fitted: Fitted, frame: pd.DataFrame, preset: str
) -> None:
    model, codec = opening.fitted(fitted(preset))
    other = frame.copy()
    other.loc[2, "group"] = "never seen"
    terms = Terms(model, codec)
    found = terms((read(model, codec, from_frame(other), 0),))
    at = terms.names.index("group")
    assert found[2, at] == UNSEEN
    assert np.isfinite(found).all()
    assert (np.delete(found[:, at], 2) < UNSEEN).all()


def test_rows_learnt_by_heart_are_told_and_a_reference_tells_more(
    learnt: tuple[pd.DataFrame, Artifact],
) -> None:
    heard: list[str] = []
    found = white_box(suspects_of(learnt, 1200), 1, heard.append)
    assert len(heard) == 2
    plain, less = (found[name] for name in ("nats", "nats less a reference's"))
    assert auc(plain.real, plain.holdout) > 0.6
    assert auc(less.real, less.holdout) > auc(plain.real, plain.holdout)
    by_column = found["nats by column less a reference's"]
    np.testing.assert_allclose(by_column.real.sum(axis=1), less.real, rtol=1e-5, atol=1e-3)
    assert by_column.real.shape == (200, 9)


def test_without_a_thousand_rows_there_is_no_reference(
    learnt: tuple[pd.DataFrame, Artifact],
) -> None:
    found = white_box(suspects_of(learnt, 400), 1, lambda _: None)
    assert set(found) == {"nats", "nats by column", "amortisation gap"}


def test_references_tell_nothing_where_nothing_was_learnt(
    learnt: tuple[pd.DataFrame, Artifact],
) -> None:
    """Rows that neither the model nor a reference learnt, in the place of the training rows."""
    frame, artifact = learnt
    fresh, holdout = from_frame(frame[1600:2400]), from_frame(frame[200:1400])
    found = white_box(Suspects.of(artifact, fresh, holdout, 0), 2, lambda _: None)
    for scored in (found["nats"], found["nats less a reference's"]):
        assert abs(auc(scored.real, scored.holdout) - 0.5) < 0.07  # five deviations


def test_all_attacks_together_are_the_terms_of_one(
    learnt: tuple[pd.DataFrame, Artifact],
) -> None:
    found = white_box(suspects_of(learnt, 400), 1, lambda _: None)
    both = together(found)
    np.testing.assert_array_equal(both.real[:, 0], found["nats"].real)
    assert (both.holdout.shape, both.access) == ((400, 2), "model")
    deep = RowScores(found["nats"].real, found["nats"].holdout, "shadow models")
    assert together({**found, "deep": deep}).access == "shadow models"


def test_a_row_in_a_rare_form_is_asked_about_as_it_was_learnt() -> None:
    """Three rows have 1500, between 0 and five numbers of five rows each."""
    rng = np.random.default_rng(0)
    number = np.zeros(600, int)
    number[:3], number[3:28] = 1500, np.repeat(1900 + np.arange(5), 5)
    frame = pd.DataFrame({"n": number, "k": rng.choice(list("ab"), 600)})
    artifact = pipeline.fit(from_frame(frame), None, parse({"preset": "tvae"}), threads=1)
    model, codec = opening.fitted(artifact)
    asked = Suspects.of(artifact, from_frame(frame), from_frame(frame), 0).rows[0]
    raw = (read(model, codec, from_frame(frame), 0),)
    as_they_stand, as_learnt = (Terms(model, codec)(rows)[:3].sum() for rows in (raw, asked))
    assert as_learnt < as_they_stand


def test_only_so_many_rows_are_asked_about(
    learnt: tuple[pd.DataFrame, Artifact], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership_scores, "ASKED", 100)
    found = white_box(suspects_of(learnt, 400), 1, lambda _: None)["nats"]
    assert np.isfinite(found.real).sum() == np.isfinite(found.holdout).sum() == 100
    assert (len(found.real), len(found.holdout)) == (200, 400)


def test_torch_is_left_as_it_was(learnt: tuple[pd.DataFrame, Artifact]) -> None:
    before = torch.get_num_threads()
    white_box(suspects_of(learnt, 400), 1, lambda _: None)
    assert torch.get_num_threads() == before
