"""Simulate the customers of a bank that does not exist, as a table awkward in the usual ways.

    python metadata_examples/bank/make_bank.py

writes train.csv and holdout.csv beside this file, the same bytes every time. Each function adds
columns to those made before it, so the order of the functions is the order of the causes:

    person -> segment, income -> account -> loan, credit score -> churn

Money is formatted here rather than by pandas, since exactly two decimals is part of the example.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

SEED = 20240229
TRAIN_ROWS, HOLDOUT_ROWS = 6_000, 2_000
TODAY = pd.Timestamp("2024-12-31")
FIRST_BRANCH_OPENED = pd.Timestamp("2004-03-01")

FIRST_NAMES = """
Ada Alan Amir Ana Ben Bo Carl Chen Clara Dana David Elif Elsa Emil Eva Femi Finn Gita Grace Hana
Hugo Ida Ines Ivan Jack Jana Joao Juan Kai Lea Leo Lin Luca Maja Max Mia Nina Noah Omar Otto Paul
Rita Rosa Sam Sofia Tara Tom Uma Vera Yara Zoe
"""
LAST_NAMES = """
Adler Amato Bauer Bell Berg Blanc Boyd Brandt Costa Cruz Diaz Dietz Engel Evans Farah Fox Garcia
Gross Haas Hill Ito Ivanov Jain Jones Kaya Keller Khan King Kowal Lang Lee Lopez Lund Maier Meyer
Mora Moreau Nagy Nair Novak Okafor Olsen Park Patel Petit Quinn Rao Reid Rossi Roth Sato Silva
Singh Stein Tan Torres Ueda Vega Vogel Wang Weber Wolf Wood Yilmaz Young Zhang
"""
BRANCHES = "001 002 003 004 007 009 011 012 015 020 023 031 040 044 058 101 102 110"


def sigmoid(x: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-np.asarray(x, dtype=float))))


def money(amounts: pd.Series) -> pd.Series:
    return amounts.map("{:.2f}".format)


def person(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Who the customer is, where and since when."""
    first, last = (rng.choice(names.split(), rows) for names in (FIRST_NAMES, LAST_NAMES))
    address = pd.Series([f"{f}.{n}".lower() for f, n in zip(first, last, strict=True)])
    namesake = address.groupby(address).cumcount().map(lambda k: str(k + 1) if k else "")
    host = rng.choice(["com", "net", "org"], rows, p=[0.6, 0.2, 0.2])

    age = 18.2 + 74 * rng.beta(1.6, 2.8, rows)  # years
    birth = (TODAY - pd.to_timedelta(np.floor(365.25 * age), unit="D")).normalize()
    of_age = birth + pd.DateOffset(years=18)
    earliest = of_age.where(of_age > FIRST_BRANCH_OPENED, FIRST_BRANCH_OPENED)
    day = earliest + pd.to_timedelta(np.floor((TODAY - earliest).days * rng.random(rows)), unit="D")
    online = rng.random(rows) < sigmoid((45 - age) / 8)  # the young sign up at any hour
    minute = np.where(online, rng.integers(0, 24 * 60, rows), rng.integers(9 * 60, 16 * 60, rows))

    branches = BRANCHES.split()
    weights = 1 / np.arange(1, len(branches) + 1)
    return pd.DataFrame(
        {
            "customer_id": [f"C-{n:06d}" for n in rng.choice(1_000_000, rows, replace=False)],
            "first_name": first,
            "last_name": last,
            "email": address + namesake + "@example." + host,
            "birth_date": birth.strftime("%Y-%m-%d"),
            "opened_at": (day + pd.to_timedelta(minute, unit="min")).strftime("%Y-%m-%d %H:%M"),
            "branch_code": rng.choice(branches, rows, p=weights / weights.sum()),
            "age": age,  # not a column of the files; the later functions need it
        }
    )


def segment_and_income(rng: np.random.Generator, bank: pd.DataFrame) -> None:
    """Income peaks in the fifties; the segment follows it, and private banking multiplies it."""
    rows, age = len(bank), bank["age"]
    student = (age < 28) & (rng.random(rows) < 0.6)
    log_income = 10.4 - 0.0006 * (age - 52) ** 2 + 0.45 * rng.standard_normal(rows)
    income = np.exp(log_income) * np.where(student, 0.3, 1.0)
    income *= np.where(bank["branch_code"].isin(["007", "011"]), 1.3, 1.0)  # the expensive quarter
    wish = income**2 * ~student
    private = rng.random(rows) < 0.007 * wish / wish.mean()  # 0.6 % of the customers made
    premium = rng.random(rows) < sigmoid((income - 52_000) / 6_000)
    bank["segment"] = np.select(
        [student, private, premium], ["student", "private banking", "premium"], "retail"
    )
    bank["income"] = (income * np.where(private, 3.5, 1.0)).round(2)


def account(rng: np.random.Generator, bank: pd.DataFrame) -> None:
    """What the customer does with the account: many do nothing."""
    rows, income = len(bank), bank["income"]
    active = rng.random(rows) < np.where(bank["segment"] == "student", 0.85, 0.74)
    spends = rng.random(rows) < np.where(active, 0.76, 0.10)
    savings = income * (0.05 + 0.012 * (bank["age"] - 18)) * np.exp(0.8 * rng.standard_normal(rows))
    overdrawn = rng.random(rows) < np.where(income < 25_000, 0.2, 0.07)
    overdraft = -0.06 * income * rng.random(rows)
    spend = income / 12 * 0.3 * np.exp(0.6 * rng.standard_normal(rows))
    bank["balance"] = np.where(overdrawn, overdraft, savings).round(2)
    bank["monthly_card_spend"] = np.where(spends, spend, 0).round(2)
    bank["n_products"] = 1 + rng.binomial(5, np.where(active, 0.25, 0.10) + 0.1 * (income > 60_000))
    bank["is_active"] = np.where(active, "Yes", "No")


def loan_and_credit(rng: np.random.Generator, bank: pd.DataFrame) -> None:
    """Late payments are 'N' without a loan; the young seldom have the history a score needs."""
    rows, age = len(bank), bank["age"]
    student = bank["segment"] == "student"
    loan = rng.random(rows) < np.where(student, 0.1, sigmoid(1.2 - ((age - 42) / 14) ** 2))
    late = rng.poisson(np.where(bank["balance"] < 0, 2.0, 0.4))
    score = 640 + 1.2 * (age - 40) + 40 * np.log(bank["income"] / 35_000) - 28 * late * loan
    score = np.clip(score + 45 * rng.standard_normal(rows), 300, 850).round().astype(int)
    missing = rng.random(rows) < np.select([student, age < 28], [0.7, 0.4], 0.04)
    bank["credit_score"] = score.astype(str).mask(missing, "")
    bank["late_payments"] = pd.Series(late).astype(str).where(loan, "N")
    trouble = late * loan - 0.8 * (bank["n_products"] - 1) - 0.0012 * bank["monthly_card_spend"]
    leaving = -1.2 + 1.6 * (bank["is_active"] == "No") + 0.7 * trouble
    bank["churned"] = np.where(rng.random(rows) < sigmoid(leaving), "true", "false")


def simulate(rows: int = TRAIN_ROWS + HOLDOUT_ROWS, seed: int = SEED) -> pd.DataFrame:
    """The whole table, every cell in the form in which it is written."""
    rng = np.random.default_rng(seed)
    bank = person(rng, rows)
    segment_and_income(rng, bank)
    account(rng, bank)
    loan_and_credit(rng, bank)
    for column in ("income", "balance", "monthly_card_spend"):
        bank[column] = money(bank[column])
    return bank.drop(columns="age")


def write(folder: Path) -> None:
    bank = simulate()
    parts = {"train.csv": bank[:TRAIN_ROWS], "holdout.csv": bank[TRAIN_ROWS:]}
    for name, part in parts.items():
        part.to_csv(folder / name, index=False, lineterminator="\n")


if __name__ == "__main__":
    write(Path(__file__).parent)
