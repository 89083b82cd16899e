import pytest
import torch

from synthvae.model.features import NumberFeatures, RowFeatures
from synthvae.model.order import Step
from synthvae.model.values import Dropout, Rows


def test_written_side_by_side_they_are_the_same() -> None:
    features, places = NumberFeatures(4), torch.tensor([-9.0, -0.7, 0.0, 0.3, 9.0])
    out = torch.full((features.width, len(places)), torch.nan)
    features.write(places, out)
    assert torch.equal(out.T, features(places[:, None])[:, 0])
    assert (out[1:] >= 0).all()
    assert (out[1:, -1] == 1).all()


def dropout(share: float = 0.0) -> Dropout:
    return Dropout(torch.Generator().manual_seed(3), share)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_dropout_drops_its_share_and_leaves_the_mean(share: float) -> None:
    ones = torch.ones(501, 211)  # no multiple of the four numbers of a draw
    dropped = dropout().of(ones, share)
    assert torch.equal(dropped.unique(), torch.tensor([0.0, 1 / (1 - share)]))
    error = 5 * (share * (1 - share) / ones.numel()) ** 0.5
    assert (dropped == 0).float().mean().item() == pytest.approx(share, abs=error)
    assert dropped.mean().item() == pytest.approx(1.0, abs=error / (1 - share))
    assert (dropped == 0).float().mean(dim=0).std() < 3 * (share * (1 - share) / 501) ** 0.5
    assert torch.equal(dropout().of(ones, share), dropped)
    assert dropout().of(ones, 0.0) is ones


def test_dropout_can_be_raised_and_never_lowered() -> None:
    ones = torch.ones(500, 200)
    for raised, share in ((0.8, 0.8), (0.1, 0.2)):
        dropped = dropout(raised).of(ones, 0.2)
        assert (dropped == 0).float().mean().item() == pytest.approx(share, abs=0.01)


def test_numbers_are_seen_whole_unless_dropout_is_raised() -> None:
    steps = [
        Step("colour", "categorical", 0, 3, ()),
        Step("age", "scalar", 0, 1, (-3.0, 3.0)),
    ]
    features = RowFeatures(steps, 8, 8, (0.5, 0.0))
    rows = Rows(torch.zeros(200, 1, dtype=torch.int32), torch.randn(200, 1))
    whole, thinned = features(rows), features(rows, dropout())
    assert torch.equal(thinned[:, 8:], whole[:, 8:])
    assert 0.4 < (thinned[:, :8] == 0).float().mean().item() < 0.6
    raised = features(rows, dropout(0.8))
    there = whole[:, 8:] != 0
    assert 0.7 < (raised[:, 8:][there] == 0).float().mean().item() < 0.9
