"""A table is drawn from counts alone: like the one it was counted on, if epsilon allows."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest

from synthvae.errors import SchemaError
from synthvae.marginals import chain, engine
from synthvae.marginals.domain import declared
from synthvae.marginals.engine import Drawn, draw_private, meet
from synthvae.metadata import ColumnMetadata, Metadata

ROWS = 3000


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chain, "ITERATIONS", 20)
        yield


@pytest.fixture(scope="module")
def texts() -> dict[str, list[str]]:
    """`b` follows `a`; `x` follows `a` and is missing for one in ten; days of a year."""
    rng = np.random.default_rng(6)
    a = rng.choice(["u", "v", "w"], ROWS, p=[0.5, 0.3, 0.2])
    follows = rng.random(ROWS) < 0.9
    b = np.where(follows, np.char.add(a, "1"), rng.choice(["u1", "v1", "w1"], ROWS))
    x = np.select([a == "u", a == "v"], [10.0, 50.0], 90.0) + np.round(rng.normal(0, 3, ROWS), 1)
    shown = [f"{v:.1f}" if m else "" for v, m in zip(x, rng.random(ROWS) > 0.1, strict=True)]
    days = np.datetime64("2021-01-01") + rng.integers(0, 365, ROWS)
    return {
        "a": a.tolist(),
        "b": b.tolist(),
        "x": shown,
        "yes": rng.choice(["TRUE", "FALSE"], ROWS, p=[0.8, 0.2]).tolist(),
        "day": [f"{d.astype(object):%d.%m.%Y}" for d in days],
        "id": [f"K-{i}" for i in range(ROWS)],
        "mail": [f"{i}@example.org" if i % 2 else "" for i in range(ROWS)],
    }


@pytest.fixture(scope="module")
def metadata(described: Callable[..., Metadata]) -> Metadata:
    day = {"sdtype": "datetime", "datetime_format": "%d.%m.%Y"}
    limits = {"range_min": "01.01.2021", "range_max": "31.12.2021"}
    return described(
        a="categorical",
        b={"sdtype": "categorical", "range_values": ["u1", "v1", "w1"]},
        x="numerical",
        yes="boolean",
        day={**day, **limits},
        id="id",
        mail="email",
    )


@pytest.fixture(scope="module")
def draw(
    texts: Any, metadata: Metadata, make_table: Any, make_ledger: Any
) -> Callable[[float], tuple[Drawn, dict[str, list[str | None]], Any]]:
    @cache
    def drawn(epsilon: float) -> tuple[Drawn, dict[str, list[str | None]], Any]:
        ledger = make_ledger(epsilon, scale=1.0)
        found = draw_private(meet(make_table(texts), metadata), ledger, 4000, 1)
        columns = found.table.columns
        return found, {c.name: [[*c.texts, None][k] for k in c.codes] for c in columns}, ledger

    return drawn


def shares(first: Any, second: Any) -> dict[Any, float]:
    pairs = list(zip(first, second, strict=True))
    return {pair: pairs.count(pair) / len(pairs) for pair in set(pairs)}


def distance(p: dict[Any, float], q: dict[Any, float]) -> float:
    return sum(abs(p.get(k, 0.0) - q.get(k, 0.0)) for k in {*p, *q}) / 2


def dependence(first: Any, second: Any) -> float:
    both = shares(first, second)
    alone = [{k: list(c).count(k) / len(c) for k in set(c)} for c in (first, second)]
    return distance(both, {(k, m): alone[0][k] * alone[1][m] for k in alone[0] for m in alone[1]})


def test_at_a_large_epsilon_pairs_are_those_of_the_table(draw: Any, texts: Any) -> None:
    found, new, ledger = draw(50.0)
    assert dependence(texts["a"], texts["b"]) > 0.4
    assert distance(shares(new["a"], new["b"]), shares(texts["a"], texts["b"])) < 0.05
    by_class = {
        k: [float(x) for a, x in zip(new["a"], new["x"], strict=True) if a == k and x]
        for k in "uvw"
    }
    assert [np.median(by_class[k]) for k in "uvw"] == pytest.approx([10, 50, 90], abs=3)
    assert found.rows == pytest.approx(ROWS, abs=20)
    assert ledger.spent == pytest.approx(1)


def test_at_a_tiny_epsilon_little_is_told(draw: Any) -> None:
    _, new, _ = draw(0.02)
    assert dependence(new["a"], new["b"]) < 0.15


def test_what_is_written_has_the_forms_of_the_table(draw: Any) -> None:
    found, new, _ = draw(50.0)
    assert found.table.names == ("a", "b", "x", "yes", "day", "id", "mail")
    assert len(found.table) == 4000
    assert set(new["a"]) == {"u", "v", "w"}
    assert set(new["b"]) == {"u1", "v1", "w1"}
    assert set(new["yes"]) == {"TRUE", "FALSE"}
    assert new["yes"].count("TRUE") / 4000 == pytest.approx(0.8, abs=0.03)
    assert new["x"].count(None) / 4000 == pytest.approx(0.1, abs=0.03)
    assert all(x is None or x == f"{float(x):.1f}" for x in new["x"])
    assert all(d[6:] == "2021" and "01" <= d[3:5] <= "12" for d in new["day"])
    assert len(set(new["day"])) > 300
    assert len(set(new["id"])) == 4000
    assert new["mail"].count(None) / 4000 == pytest.approx(0.5, abs=0.03)


def test_it_is_said_what_was_declared_and_what_was_paid_for(draw: Any) -> None:
    known = draw(50.0)[0].provenance
    assert known["a"] == {"kind": "declared", "categories": "paid", "missing": "paid"}
    assert known["b"]["categories"] == "declared"
    assert known["x"]["bounds"] == known["x"]["decimal places"] == "paid"
    assert known["day"]["bounds"] == "declared"
    assert known["yes"]["categories"] == "paid"
    assert known["id"] == {"kind": "declared", "missing": "paid"}


def test_the_ends_of_every_table_are_not_called_declared(described: Any) -> None:
    form = {"sdtype": "datetime", "datetime_format": "%Y-%m-%d"}
    ends = {"range_min": "2020-01-01", "range_max": "2020-12-31"}
    metadata = described(open=form, half={**form, "range_min": "2020-01-01"}, known=form | ends)
    found = {
        one.name: engine._provenance(one) for one in declared(metadata, ("open", "half", "known"))
    }
    assert [found[name]["bounds"] for name in found] == ["default", "default", "declared"]


def test_a_column_that_is_declared_to_be_whole_is_drawn_whole(
    texts: Any, metadata: Metadata, make_table: Any, make_ledger: Any
) -> None:
    """However large the noise: an epsilon at which missing stands out by chance here and there."""
    options = {
        name: {**c.options, "range_is_nullable": False} for name, c in metadata.columns.items()
    }
    whole = Metadata({n: ColumnMetadata(c.sdtype, options[n]) for n, c in metadata.columns.items()})
    for seed in range(3):
        ledger = make_ledger(0.02, scale=1.0)
        found = draw_private(meet(make_table(texts), whole), ledger, 500, seed)
        assert [column.n_null for column in found.table.columns] == [0] * 7
        assert {known["missing"] for known in found.provenance.values()} == {"declared"}


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_a_table_of_no_rows_is_counted_like_any_other(
    rows: int, texts: Any, metadata: Metadata, make_table: Any, make_ledger: Any
) -> None:
    table = make_table({name: column[:rows] for name, column in texts.items()})
    found = draw_private(meet(table, metadata), make_ledger(1.0, scale=1.0), 50, 1)
    assert len(found.table) == 50
    assert found.rows < 200


def test_columns_that_are_not_described_are_refused(
    texts: Any, metadata: Metadata, make_table: Any
) -> None:
    with pytest.raises(SchemaError, match="column 'more' is not in the metadata"):
        meet(make_table({**texts, "more": texts["a"]}), metadata)


def test_a_column_that_is_counted_badly_is_drawn_as_its_pairs_have_it(
    make_table: Any, make_ledger: Any, described: Any
) -> None:
    """Next to nothing of the budget is for single columns."""
    rng = np.random.default_rng(8)
    names = ["a", "b", "c"]
    texts = {n: rng.choice(["u", "v", "w"], 20_000, p=[0.6, 0.3, 0.1]).tolist() for n in names}
    metadata = described(
        **{n: {"sdtype": "categorical", "range_values": ["u", "v", "w"]} for n in names}
    )
    spending = engine.Spending(discovery=0.0, columns=3e-6, scores=0.05, pairs=0.9)
    ledger = make_ledger(1.0, scale=1.0)
    drawn = draw_private(meet(make_table(texts), metadata), ledger, 4000, 1, spending=spending)
    for name in names:
        column = drawn.table[name]
        shares = dict(zip(column.texts, column.counts / 4000, strict=True))
        assert shares == pytest.approx({"u": 0.6, "v": 0.3, "w": 0.1}, abs=0.03)
