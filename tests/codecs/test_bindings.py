"""Columns learnt as others: restored exactly, and under the rule whatever is drawn in between."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from synthvae.codecs.bindings import Bindings
from synthvae.codecs.derived import Derived
from synthvae.codecs.differences import Difference
from synthvae.codecs.relations import Combined, column_of
from synthvae.constraints.checks import kept
from synthvae.constraints.declared import parse
from synthvae.detect import detect
from synthvae.errors import SchemaError
from synthvae.metadata import ColumnMetadata, Metadata
from synthvae.schema import resolve
from synthvae.table import Column, Table

Columns = dict[str, list[str | None]]
quick = settings(max_examples=50, deadline=None)


def table_of(columns: Columns) -> Table:
    return Table(tuple(column_of(n, pa.array(t, pa.string())) for n, t in columns.items()))


def bind(columns: Columns, *rules: dict[str, Any], **sdtypes: str) -> tuple[Bindings, Table]:
    table = table_of(columns)
    metadata = detect(table)
    own = {name: ColumnMetadata(kind) for name, kind in sdtypes.items()}
    metadata = Metadata({**metadata.columns, **own})
    return Bindings.fit(parse(rules), resolve(metadata, table), table), table


def texts_of(column: Column) -> list[str]:
    return [column.texts[code] if code >= 0 else "" for code in column.codes.tolist()]


def restored(bindings: Bindings, table: Table) -> Columns:
    """Through the learnt columns and back; and through JSON."""
    bindings = Bindings.from_json(json.loads(json.dumps(bindings.to_json())))
    learnt = bindings.forward(table)
    read = {c.name: pa.array(texts_of(c), pa.string()) for c in learnt.columns}
    found = bindings.backward(read, "text")
    return {n: [t or "" for t in text.to_pylist()] for n, text in found.items()}


cents = st.integers(-10_000, 10_000).map(lambda ticks: f"{ticks / 100:.2f}")
amounts = st.integers(0, 5_000).map(lambda ticks: ticks / 10)
maybe = st.booleans()


@quick
@given(
    st.lists(
        st.tuples(st.integers(-500, 500), st.integers(0, 300), maybe), min_size=30, max_size=60
    )
)
def test_an_upper_number_comes_back_from_its_difference(rows):
    low = [None if gone else f"{a / 10:.1f}" for a, _, gone in rows]
    high = [f"{(a + d) / 10:.2f}" for a, d, _ in rows]
    assume(len(set(high)) > 1 and any(low))
    columns: Columns = {"low": low, "high": high}
    bindings, table = bind(
        columns,
        {"kind": "inequality", "low": "low", "high": "high"},
        low="numerical",
        high="numerical",
    )
    assert isinstance(bindings.relations[0], Difference)
    values = np.array([float(text) for text in restored(bindings, table)["high"]])
    lowest, highest = bindings.relations[0].bounds
    assert values.tolist() == np.clip([float(t) for t in high], lowest, highest).tolist()


@quick
@given(
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 40)), min_size=30, max_size=60),
    st.lists(st.integers(0, 100), min_size=30, max_size=30),
    st.booleans(),
)
def test_whatever_difference_is_drawn_the_later_date_is_later(rows, drawn, strict):
    start = [date(2020, 1, 1) + timedelta(days=a) for a, _ in rows]
    end = [a + timedelta(days=d + strict) for a, (_, d) in zip(start, rows, strict=True)]
    columns: Columns = {
        "a": [d.strftime("%d/%m/%Y") for d in start],
        "b": [d.strftime("%Y-%m-%d") for d in end],
    }
    options = {a: {"datetime_format": f} for a, f in (("a", "%d/%m/%Y"), ("b", "%Y-%m-%d"))}
    table = table_of(columns)
    metadata = Metadata({name: ColumnMetadata("datetime", own) for name, own in options.items()})
    rule = {"kind": "inequality", "low": "a", "high": "b", "strict": strict}
    bindings = Bindings.fit(parse([rule]), resolve(metadata, table), table)
    micros = [str(days * 86_400_000_000 + 3_600_000_000 * (days % 24)) for days in drawn]
    read = {"a": pa.array(columns["a"][:30]), "b": pa.array(micros)}
    written = bindings.backward(read, "text")["b"]
    new = Table((column_of("a", read["a"]), column_of("b", written)))
    broken = ~kept(bindings.rules[0], new, bindings.readers)
    # A lower date that stands at the upper column's end has no room; such rows are drawn again.
    top = max(d for d in end)
    assert not any(b and start[i] < top for i, b in enumerate(broken[:30].tolist()))
    assert all(len(text) == 10 and text[4] == "-" for text in written.to_pylist())


@quick
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["x", 'y,"z', ""]), st.integers(0, 3)),
        min_size=5,
        max_size=40,
    )
)
def test_combinations_come_back_and_no_others(rows):
    columns: Columns = {
        "one": [a for a, _, _ in rows],
        "two": [b or None for _, b, _ in rows],
        "three": [str(c) for _, _, c in rows],
    }
    kinds = dict.fromkeys(columns, "categorical")
    assume(any(columns["two"]))
    bindings, table = bind(
        columns,
        {"kind": "fixed_combinations", "columns": ["one", "two"]},
        {"kind": "fixed_combinations", "columns": ["two", "three"]},
        **kinds,
    )
    (relation,) = bindings.relations
    assert isinstance(relation, Combined)
    assert relation.columns == ("one", "two", "three")
    assert restored(bindings, table) == {n: [t or "" for t in c] for n, c in columns.items()}


@quick
@given(st.lists(st.sampled_from(["r", "g", "b", None]), min_size=10, max_size=40))
def test_one_hot_comes_back(rows):
    assume(any(rows))
    columns: Columns = {
        name: [None if row is None else str(int(row == name)) for row in rows] for name in "rgb"
    }
    bindings, table = bind(
        columns, {"kind": "one_hot", "columns": list("rgb")}, **dict.fromkeys("rgb", "numerical")
    )
    assert restored(bindings, table) == {n: [t or "" for t in c] for n, c in columns.items()}


@quick
@given(
    st.lists(
        st.tuples(st.integers(1, 9999), st.integers(1, 9), maybe, maybe), min_size=10, max_size=40
    )
)
def test_a_computed_column_comes_back_from_its_operands(rows):
    columns: Columns = {
        "price": [None if gone else f"{p / 100:.2f}" for p, _, gone, _ in rows],
        "n": [str(n) for _, n, _, _ in rows],
        "total": [None if gone or hidden else f"{p * n / 100:.2f}" for p, n, gone, hidden in rows],
    }
    assume(any(columns["total"]))
    bindings, table = bind(
        columns,
        {"kind": "formula", "column": "total", "equals": "price * n"},
        **dict.fromkeys(columns, "numerical"),
    )
    assert isinstance(bindings.relations[0], Derived)
    assert restored(bindings, table) == {"total": [t or "" for t in columns["total"]]}


@pytest.mark.parametrize(
    ("totals", "written"),
    [
        (["30", "50", "70"], "53"),  # all on a grid of 20, which is the table's and not the rule's
        (["30.0", "50.0", "70.0"], "53.5"),
        (["30.00", "50.00", "70.00"], "53.50"),
    ],
)
def test_a_computed_column_has_the_table_s_decimals_and_no_grid(totals: list[str], written: str):
    columns: Columns = {
        "a": [str(i) for i in range(1, 31)],
        "b": [str(int(float(totals[i % 3])) - i - 1) for i in range(30)],
        "total": totals * 10,
    }
    rule = {"kind": "formula", "column": "total", "equals": "a + b"}
    bindings, _ = bind(columns, rule, **dict.fromkeys(columns, "numerical"))
    bindings = Bindings.from_json(json.loads(json.dumps(bindings.to_json())))
    b = "50" if "." not in written else "50.5"
    drawn = {"a": pa.array(["3"]), "b": pa.array([b])}
    assert bindings.backward(drawn, "text")["total"].to_pylist() == [written]
    assert bindings.backward(drawn, "typed")["total"].to_pylist() == [float(written)]
    row = pa.table({**drawn, "total": pa.array([written])})
    assert bindings.kept(row).all()
    assert not bindings.kept(row.set_column(2, "total", pa.array(["50"]))).any()


def test_what_a_formula_is_off_by_is_at_least_what_rounding_takes():
    columns: Columns = {n: [str(i) for i in range(30)] for n in ("a", "b")}
    for tolerance, off, good in ((0.0, "7.6", True), (0.0, "7.4", False), (3.0, "5.5", True)):
        rule = {"kind": "formula", "column": "b", "equals": "a", "tolerance": tolerance}
        bindings, _ = bind(columns, rule, a="numerical", b="numerical")
        row = pa.table({"a": pa.array([off]), "b": pa.array(["8"])})
        assert bindings.kept(row).tolist() == [good]


@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        ({"kind": "inequality", "low": "a", "high": "b"}, [3]),
        ({"kind": "inequality", "low": "a", "high": "b", "strict": True}, [2, 3]),
        ({"kind": "range", "column": "a", "min": 2, "max": 8}, [1, 4]),
        ({"kind": "range", "column": "a", "min": 1, "strict": True}, [1]),
        ({"kind": "formula", "column": "b", "equals": "a + 1"}, [2, 3, 4]),
        ({"kind": "increments", "column": "b", "step": 2}, [3, 4]),
        ({"kind": "not_null", "columns": ["a", "b"]}, [5]),
        ({"kind": "regex", "column": "c", "pattern": "[A-Z][0-9]"}, [4]),
        ({"kind": "unique", "columns": ["c"]}, [2]),
        ({"kind": "one_hot", "columns": ["d", "e"]}, [2, 4]),
    ],
)
def test_rows_that_break_a_rule_are_counted_and_named(rule: dict[str, Any], broken: list[int]):
    columns: Columns = {
        "a": ["1", "2", "5", "9", None],
        "b": ["2", "2", "3", "11", "12"],
        "c": ["A1", "A1", "B2", "c3", None],
        "d": ["1", "1", "0", "0", None],
        "e": ["0", "1", "1", "0", None],
    }
    kinds = {
        "a": "numerical",
        "b": "numerical",
        "c": "categorical",
        "d": "numerical",
        "e": "categorical",
    }
    with pytest.raises(SchemaError) as caught:
        bind(columns, rule, **kinds)
    (reason,) = caught.value.reasons
    assert f"broken in {len(broken)} of 5 rows" in reason
    shown = ", ".join(map(str, broken[:3]))
    assert f"first of them {shown}" in reason
    assert "drop the constraint" in reason
    assert "11" not in reason.replace("constraint", "")  # no value


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"kind": "inequality", "low": "a", "high": "bee"}, "names 'bee'"),
        ({"kind": "inequality", "low": "a", "high": "c"}, "numbers with numbers"),
        ({"kind": "range", "column": "a", "min": "2020-01-01"}, "has a bound '2020-01-01'"),
        ({"kind": "formula", "column": "a", "equals": "2 * c"}, "takes numbers"),
        ({"kind": "regex", "column": "k", "pattern": ".*"}, "regex_format"),
        ({"kind": "range", "column": "c", "min": 1}, "numbers or dates"),
    ],
)
def test_rules_that_do_not_fit_the_columns(rule: dict[str, Any], words: str):
    columns: Columns = {"a": ["1", "2"], "b": ["2", "2"], "c": ["x", "y"], "k": ["K1", "K2"]}
    kinds = {"a": "numerical", "b": "numerical", "c": "categorical", "k": "id"}
    with pytest.raises(SchemaError) as caught:
        bind(columns, rule, **kinds)
    assert words in str(caught.value)


def test_chains_and_circles():
    columns: Columns = {n: [str(i * 10 + j) for i in range(40)] for j, n in enumerate("abc")}
    kinds = dict.fromkeys("abc", "numerical")
    rules = [
        {"kind": "inequality", "low": "b", "high": "c"},
        {"kind": "inequality", "low": "a", "high": "b"},
        {"kind": "inequality", "low": "a", "high": "c"},
    ]
    bindings, table = bind(columns, *rules, **kinds)
    assert [relation.restores for relation in bindings.relations] == [("b",), ("c",)]
    assert restored(bindings, table)["c"] == columns["c"]
    same: Columns = dict.fromkeys("ab", columns["a"])
    bindings, _ = bind(
        same,
        {"kind": "inequality", "low": "a", "high": "b"},
        {"kind": "inequality", "low": "b", "high": "a"},
        a="numerical",
        b="numerical",
    )
    assert len(bindings.relations) == 1  # the other one is checked
    with pytest.raises(SchemaError, match="close a circle"):
        bind(
            same,
            {"kind": "formula", "column": "a", "equals": "b"},
            {"kind": "formula", "column": "b", "equals": "a"},
            a="numerical",
            b="numerical",
        )


def test_the_typed_view_of_restored_columns():
    columns: Columns = {
        "city": ["a", "b", None, "a"] * 10,
        "flag": ["true", "false", "true", "true"] * 10,
        "n": ["1", "2", None, "1"] * 10,
        "lo": ["1.5", "2.5", "3.5", None] * 10,
        "hi": ["1.50", "3.25", None, "4.00"] * 10,
    }
    kinds = {"city": "categorical", "flag": "boolean", "n": "numerical"}
    bindings, table = bind(
        columns,
        {"kind": "fixed_combinations", "columns": ["city", "flag", "n"]},
        {"kind": "inequality", "low": "lo", "high": "hi"},
        **kinds,
        lo="numerical",
        hi="numerical",
    )
    learnt = bindings.forward(table)
    read = {c.name: pa.array(texts_of(c), pa.string()) for c in learnt.columns}
    typed = bindings.backward(read, "typed")
    assert typed["city"].to_pylist() == columns["city"]
    assert typed["flag"].to_pylist() == [text == "true" for text in columns["flag"]]
    assert typed["n"].to_pylist() == [int(text) if text else None for text in columns["n"]]
    assert typed["hi"].to_pylist() == [float(text) if text else None for text in columns["hi"]]
    assert all(array.type == bindings.type_of(n, "typed") for n, array in typed.items())
    nothing = bindings.backward({**read, "city & flag & n": pa.array([""] * 40)}, "typed")
    assert nothing["city"].null_count == nothing["n"].null_count == 40
