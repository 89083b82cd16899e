import dataclasses

import pytest

from synthvae.model.decoders.autoregressive import AutoregressiveSpec
from synthvae.model.presets import PRESETS
from synthvae.model.size import sized

SPEC = PRESETS["arvae"].model


@pytest.mark.parametrize(("rows", "units"), [(300, 8), (9_000, 13), (36_000, 27), (1_000_000, 32)])
def test_units_follow_from_the_number_of_rows(rows: int, units: int) -> None:
    decoder = sized(SPEC, rows).decoder
    assert isinstance(decoder, AutoregressiveSpec)
    assert decoder.units == units


def test_what_is_set_stays() -> None:
    spec = dataclasses.replace(SPEC, decoder=AutoregressiveSpec(units=5))
    assert sized(spec, 300) == spec
    assert sized(PRESETS["tvae"].model, 300) == PRESETS["tvae"].model
