"""What if: columns that are set, columns before them as they were, columns after them following."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pyarrow as pa
import pytest

from synthvae import opening
from synthvae.artifact import Artifact
from synthvae.conditional import Conditional, Kind
from synthvae.errors import UsageError

Fitted = Callable[[str], Artifact]


def what_if(artifact: Artifact, n: int, where: str | None = None, **values: str) -> pd.DataFrame:
    sampler = opening.sampler(artifact)
    own = Conditional(sampler, Kind.of(sampler, where, {}, values))
    return pa.concat_tables(own.chunks(n, 5, "typed")).to_pandas()


def test_columns_before_stay_and_columns_after_follow(fitted: Fitted) -> None:
    artifact = fitted("arvae")
    order = [step.column for step in opening.sampler(artifact).model.decoder.steps]
    middle = next(n for n in ("group", "visits", "score") if 0 < order.index(n) < len(order) - 1)
    value = {"group": "rare", "visits": "9", "score": "6.5"}[middle]
    plain, changed = what_if(artifact, 4000), what_if(artifact, 4000, **{middle: value})
    assert set(changed[middle].astype(str)) == {value}
    for name in dict.fromkeys(order[: order.index(middle)]):
        assert changed[name].equals(plain[name])
    after = [n for n in dict.fromkeys(order[order.index(middle) + 1 :]) if n != middle]
    assert any(not changed[name].equals(plain[name]) for name in after)


def test_a_condition_goes_with_it(fitted: Fitted) -> None:
    rows = what_if(fitted("arvae"), 300, "active == true and spend > 0", visits="4")
    assert rows["active"].all()
    assert (rows["spend"] > 0).all()
    assert set(rows["visits"]) == {4}


@pytest.mark.parametrize(
    ("text", "expected"), [("true", True), ("True", True), ("FALSE", False), ("false", False)]
)
def test_a_value_is_shown_as_the_table_writes_it(text: str, expected: bool, fitted: Fitted) -> None:
    assert set(what_if(fitted("arvae"), 20, active=text)["active"]) == {expected}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"visit": "4"}, "did you mean 'visits'"),
        ({"visits": "4000"}, "it writes 0 to"),
        ({"group": "lwo"}, "did you mean 'low'"),
        ({"customer_id": "K-1"}, "made up"),
        ({"since": "soon"}, "holds dates"),
    ],
)
def test_values_that_can_not_be_are_errors(
    values: dict[str, str], words: str, fitted: Fitted
) -> None:
    with pytest.raises(UsageError) as caught:
        what_if(fitted("arvae"), 1, **values)
    assert words in str(caught.value)


def test_a_model_that_writes_all_at_once_is_not_asked(fitted: Fitted) -> None:
    with pytest.raises(UsageError, match="nothing would follow"):
        what_if(fitted("tvae"), 1, visits="4")
