"""The bank example is what its README says, and its simulator still makes it."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
import yaml

BANK = Path(__file__).parent.parent / "metadata_examples" / "bank"
TABLES = ["train.csv", "holdout.csv"]


def simulator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_bank", BANK / "make_bank.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(name: str) -> pd.DataFrame:
    """Every cell as it is written; an empty one is ''."""
    return pd.read_csv(BANK / name, dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def bank() -> pd.DataFrame:
    return pd.concat([read(name) for name in TABLES], ignore_index=True)


def test_the_simulator_writes_the_committed_files_byte_for_byte(tmp_path: Path) -> None:
    simulator().write(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(TABLES)
    for name in TABLES:
        assert (tmp_path / name).read_bytes() == (BANK / name).read_bytes(), name


def test_another_seed_gives_another_bank() -> None:
    module = simulator()
    assert not module.simulate(50, seed=1).equals(module.simulate(50, seed=2))


def test_the_files_are_small_and_of_the_promised_size() -> None:
    assert [len(read(name)) for name in TABLES] == [6_000, 2_000]
    assert sum((BANK / name).stat().st_size for name in TABLES) < 1_000_000


def test_metadata_names_the_columns_in_order(bank: pd.DataFrame) -> None:
    metadata = yaml.safe_load((BANK / "metadata.yaml").read_text(encoding="utf-8"))
    assert list(metadata["tables"]["bank"]["columns"]) == list(bank.columns)


def test_ids_are_unique_and_fit_the_pattern_in_the_metadata(bank: pd.DataFrame) -> None:
    metadata = yaml.safe_load((BANK / "metadata.yaml").read_text(encoding="utf-8"))
    column = metadata["tables"]["bank"]["columns"]["customer_id"]
    assert bank["customer_id"].str.fullmatch(column["regex_format"]).all()
    assert bank["customer_id"].is_unique


def test_the_email_fits_the_name(bank: pd.DataFrame) -> None:
    name = bank["first_name"].str.lower() + "." + bank["last_name"].str.lower()
    local, host = bank["email"].str.split("@", expand=True).T.to_numpy()
    assert [a.rstrip("0123456789") for a in local] == name.tolist()
    assert set(host) == {"example.com", "example.net", "example.org"}  # reserved: nobody's address
    assert bank["email"].is_unique


@pytest.mark.parametrize("table", TABLES)
def test_private_banking_is_rare_in_both_tables(table: str) -> None:
    share = (read(table)["segment"] == "private banking").mean()
    assert 0.005 <= share <= 0.009


def test_the_credit_score_is_missing_far_more_often_for_the_young(bank: pd.DataFrame) -> None:
    missing = bank["credit_score"] == ""
    student = bank["segment"] == "student"
    young = ~student & (bank["birth_date"] > "1997")
    assert missing[student].mean() > 0.6
    assert missing[young].mean() > 0.3
    assert missing[~student & ~young].mean() < 0.06


def test_text_forms(bank: pd.DataFrame) -> None:
    for column in ("income", "balance", "monthly_card_spend"):
        assert bank[column].str.fullmatch(r"-?\d+\.\d\d").all(), column
    assert "007" in set(bank["branch_code"])
    assert bank["branch_code"].str.fullmatch(r"\d{3}").all()
    assert set(bank["is_active"]) == {"Yes", "No"}
    assert set(bank["churned"]) == {"true", "false"}
    assert {"N", "0", "1"} < set(bank["late_payments"])
    assert bank["late_payments"].str.fullmatch(r"N|\d+").all()


def test_dates_fit_their_formats_and_nobody_opens_an_account_as_a_child(bank: pd.DataFrame) -> None:
    birth = pd.to_datetime(bank["birth_date"], format="%Y-%m-%d")
    opened = pd.to_datetime(bank["opened_at"], format="%Y-%m-%d %H:%M")
    assert (opened >= birth + pd.DateOffset(years=18)).all()
    assert (opened.dt.normalize() < opened).any()  # times are real


def test_the_columns_depend_on_each_other(bank: pd.DataFrame) -> None:
    income, balance, spend = (
        bank[column].astype(float) for column in ("income", "balance", "monthly_card_spend")
    )
    churned = bank["churned"] == "true"
    assert 0.35 <= (spend == 0).mean() <= 0.45
    assert 0 < (balance < 0).mean() < 0.2
    assert income.corr(balance, method="spearman") > 0.3
    assert (
        churned[bank["is_active"] == "No"].mean() > 3 * churned[bank["is_active"] == "Yes"].mean()
    )
    assert churned[bank["n_products"] == "1"].mean() > 3 * churned[bank["n_products"] == "3"].mean()
