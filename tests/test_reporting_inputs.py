"""What a report draws by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from synthvae.artifact import load
from synthvae.reporting_inputs import FEWEST_DRAWN, Asked, trio_of


@pytest.mark.parametrize(("noisy", "drawn"), [(1234, 1234), (-3, FEWEST_DRAWN)])
def test_of_a_private_model_no_number_of_real_rows_is_told(
    csv: Path, model_file: Path, noisy: int, drawn: int
) -> None:
    """The number of drawn rows is public, and would be the number of rows that were learnt."""
    asked = Asked(str(csv), model=model_file, threads=1)
    plain = load(model_file)
    private = replace(plain, content={**plain.content, "privacy": {"rows": noisy}})
    open_one, kept = (trio_of(asked, each, lambda _: None) for each in (plain, private))
    assert len(open_one.synthetic) == len(open_one.real)
    assert len(kept.synthetic) == drawn != len(kept.real)
