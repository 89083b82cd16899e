import torch

from synthvae.model.features import NumberFeatures


def test_written_side_by_side_they_are_the_same() -> None:
    features, places = NumberFeatures(4), torch.tensor([-9.0, -0.7, 0.0, 0.3, 9.0])
    out = torch.full((features.width, len(places)), torch.nan)
    features.write(places, out)
    assert torch.equal(out.T, features(places[:, None])[:, 0])
    assert (out[1:] >= 0).all()
    assert (out[1:, -1] == 1).all()
