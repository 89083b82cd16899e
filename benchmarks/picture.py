"""`docs/bank.svg`: the demo's synthetic rows over the real ones. Run after `make demo`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
REAL, NEW = "#9aa5b1", "#d1495b"  # told apart in grey print and by colour-blind readers
WIDTH, HEIGHT, GAP, TOP, COLUMNS = 250, 130, 34, 46, 3
PANELS = (
    ("income", "income"),
    ("monthly_card_spend", "monthly_card_spend (40 % zeros)"),
    ("birth_date", "birth_date"),
    ("segment", "segment (a category of 0.7 %)"),
    ("late_payments", "late_payments (numbers and the code N)"),
    ("missing", "credit_score missing, by segment"),
)


def shares(real: pd.DataFrame, new: pd.DataFrame, name: str) -> tuple[list[float], list[float]]:
    """Heights of a panel's bars, on bins of the real table."""
    if name == "missing":
        first, second = (f["credit_score"].isna().groupby(f["segment"]).mean() for f in (real, new))
        return first.tolist(), second.reindex(first.index).fillna(0).tolist()
    columns = [frame[name].dropna() for frame in (real, new)]
    if name == "birth_date":
        columns = [pd.to_datetime(c).dt.year for c in columns]
    if columns[0].dtype == object or columns[0].nunique() < 15:
        order = columns[0].value_counts().index
        found = [c.value_counts(normalize=True).reindex(order).fillna(0) for c in columns]
        return found[0].tolist(), found[1].tolist()
    edges = np.linspace(columns[0].min(), columns[0].quantile(0.98), 31)
    return tuple((np.histogram(c, edges)[0] / len(c)).tolist() for c in columns)  # type: ignore[return-value]


def panel(title: str, bars: tuple[list[float], list[float]], left: int, top: int) -> str:
    real, new = bars
    highest, step = max(*real, *new), WIDTH / len(real)
    parts = [f'<text x="{left}" y="{top - 8}" class="t">{title}</text>']
    for i, (a, b) in enumerate(zip(real, new, strict=True)):
        x, tall, low = left + i * step, HEIGHT * a / highest, HEIGHT * b / highest
        parts.append(
            f'<rect x="{x:.1f}" y="{top + HEIGHT - tall:.1f}" width="{step * 0.92:.1f}" '
            f'height="{tall:.1f}" fill="{REAL}"/>'
            f'<rect x="{x:.1f}" y="{top + HEIGHT - low - 1.2:.1f}" width="{step * 0.92:.1f}" '
            f'height="2.4" fill="{NEW}"/>'
        )
    parts.append(f'<path d="M{left} {top + HEIGHT}h{WIDTH}" stroke="#52606d"/>')
    return "".join(parts)


def main() -> None:
    real = pd.read_csv(ROOT / "metadata_examples" / "bank" / "train.csv")
    new = pd.read_csv(ROOT / "demo-out" / "synthetic.csv")
    body = []
    for i, (name, title) in enumerate(PANELS):
        left = GAP + (i % COLUMNS) * (WIDTH + GAP)
        top = TOP + 30 + (i // COLUMNS) * (HEIGHT + 52)
        body.append(panel(title, shares(real, new, name), left, top))
    wide = GAP + COLUMNS * (WIDTH + GAP)
    tall = TOP + 2 * (HEIGHT + 52) + 12
    legend = (
        f'<rect x="{GAP}" y="16" width="14" height="14" fill="{REAL}"/>'
        f'<text x="{GAP + 20}" y="28" class="t">real (6,000 rows)</text>'
        f'<rect x="{GAP + 160}" y="22" width="14" height="3" fill="{NEW}"/>'
        f'<text x="{GAP + 180}" y="28" class="t">synthetic ({len(new):,} rows)</text>'
    )
    (ROOT / "docs" / "bank.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {tall}" width="{wide}">'
        "<title>Distributions of real and synthetic bank customers</title>"
        "<style>.t{font:13px system-ui,sans-serif;fill:#323f4b}</style>"
        f'<rect width="{wide}" height="{tall}" fill="#fff"/>{legend}{"".join(body)}</svg>\n'
    )


if __name__ == "__main__":
    main()
