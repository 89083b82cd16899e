"""The same rows are the same table, however they are written; other rows are another."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthvae.identity import identity
from synthvae.reading import read_table
from synthvae.table import from_frame


@pytest.fixture
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "n": rng.integers(0, 50, 200),
            "x": np.where(rng.random(200) < 0.1, np.nan, rng.normal(0, 1, 200).round(2)),
            "k": rng.choice(["a", "b", "c,d"], 200),
            "b": rng.random(200) < 0.5,
            "d": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 99, 200), "D"),
        }
    )


def test_order_and_format_do_not_matter(rows: pd.DataFrame, tmp_path: Path) -> None:
    own = identity(from_frame(rows))
    assert identity(from_frame(rows.sample(frac=1, random_state=1))) == own
    assert identity(from_frame(rows[["k", "d", "n", "b", "x"]])) == own
    assert identity(from_frame(rows.astype({"n": float}))) == own
    rows.to_csv(tmp_path / "rows.csv", index=False)
    rows.to_parquet(tmp_path / "rows.parquet")
    rows.astype({"n": float}).to_csv(tmp_path / "floats.csv", index=False)
    for name in ("rows.csv", "rows.parquet", "floats.csv"):
        assert identity(read_table(str(tmp_path / name))) == own, name


def test_any_change_of_the_rows_matters(rows: pd.DataFrame) -> None:
    own = identity(from_frame(rows))
    assert identity(from_frame(rows.iloc[:-1])) != own
    assert identity(from_frame(pd.concat([rows, rows.iloc[:1]]))) != own
    assert identity(from_frame(rows.rename(columns={"n": "m"}))) != own
    other = rows.copy()
    other.loc[7, "k"] = "a" if rows.loc[7, "k"] != "a" else "b"
    assert identity(from_frame(other)) != own
    swapped = rows.assign(n=rows["n"].iloc[::-1].to_numpy())
    assert identity(from_frame(swapped)) != own


def test_values_of_two_columns_that_change_places_are_another_table() -> None:
    one = pd.DataFrame({"a": ["x", "y"], "b": ["y", "z"]})
    other = pd.DataFrame({"a": ["y", "y"], "b": ["x", "z"]})
    assert identity(from_frame(one)) != identity(from_frame(other))


def test_a_frame_that_pandas_read_is_the_file(tmp_path: Path) -> None:
    """It is off in the last digit of a number, and codes of digits lose their zeros."""
    rng = np.random.default_rng(5)
    path = tmp_path / "rows.csv"
    frame = pd.DataFrame(
        {
            "x": rng.normal(0, 1, 300),
            "zip": [f"{code:05d}" for code in rng.integers(0, 99_999, 300)],
            "at": pd.Timestamp("2020-01-01", tz="UTC") + pd.to_timedelta(range(300), "h"),
            "zero": np.where(rng.random(300) < 0.5, -0.0, 7.0),
        }
    )
    frame.to_csv(path, index=False)
    own = identity(read_table(str(path)))
    assert identity(from_frame(pd.read_csv(path))) == own
    assert identity(from_frame(pd.read_csv(path, dtype={"zip": str}))) == own
    assert identity(from_frame(frame.assign(at=frame["at"].dt.tz_localize(None)))) == own
