"""What to do about an audit that failed for the model file alone, or could not decide: what it
lacked, and where that is to be had."""

from __future__ import annotations

import math
from collections.abc import Sequence

from synthvae.audit import controls as checks
from synthvae.audit.criteria import FROM_MODEL
from synthvae.audit.policy import Policy
from synthvae.audit.records import Control, Criterion, Sizes

_MOST = 0.5  # of a table that can be left out, and both sides have as many
_STEP = 20  # shares to leave out are told in twentieths


def advice_of(
    criteria: Sequence[Criterion], controls: Sequence[Control], policy: Policy, sizes: Sizes
) -> tuple[str, ...]:
    """One sentence for each thing that can be done."""
    open_ones = [each for each in criteria if each.outcome == "INCONCLUSIVE"]
    found = _of_model(criteria, open_ones)
    if not open_ones:
        return tuple(found)
    told = {each.name: each for each in controls}
    found += [*_of_sides(told), *_of_power(told, policy)]
    wanted = [each.rows for each in open_ones if each.rows]
    if min(sizes.members, sizes.others) < policy.rows:
        wanted.append(int(policy.rows))
    return (*found, *_of_rows(max(wanted, default=0), sizes))


def _of_model(criteria: Sequence[Criterion], open_ones: Sequence[Criterion]) -> list[str]:
    """Where rows may go out and the file may not."""
    failed = [each for each in criteria if each.outcome == "FAIL"]
    if not failed or not all(each.name.endswith(FROM_MODEL) for each in failed):
        return []
    others = sum(not each.name.endswith(FROM_MODEL) for each in open_ones)
    return [
        "all that failed takes the model file: keep the file where the table is and release rows "
        "alone, or fit with --epsilon"
        + (f"; of rows alone {others} criteria are open" if others else "")
    ]


def _of_sides(told: dict[str, Control]) -> list[str]:
    failed = [name for name in (checks.NULL, checks.DRIFT) if _state(told, name) is False]
    if not failed:
        return []
    return [
        f"{' and '.join(failed)}: draw the holdout at random from the table, as `synthvae fit` "
        "does; if it was, audit again with another --seed, since it happens by chance too"
    ]


def _of_power(told: dict[str, Control], policy: Policy) -> list[str]:
    control = told.get(checks.POSITIVE)
    if control is None or control.passed is not False:
        return []
    if control.value <= policy.auc:
        return [
            f"{checks.POSITIVE}: copies of rows do not stand out among the released rows, however "
            "many rows there are: leave out fewer columns, or give them finer; the count of copies "
            "is all that this audit can tell"
        ]
    return [
        f"{checks.POSITIVE}: copies stand out, but with so few rows nobody can be sure; give more"
    ]


def _of_rows(wanted: int, sizes: Sizes) -> list[str]:
    """How to come by so many rows on each side."""
    total = sizes.real + sizes.holdout
    if wanted <= min(sizes.members, sizes.others):
        return []
    fact = f"about {wanted:,} rows a side would decide, and there are {sizes.members:,} and "
    fact += f"{sizes.others:,}: "
    if sizes.others < wanted <= min(_MOST * total, sizes.members):
        share = math.ceil(_STEP * wanted / total) / _STEP
        return [fact + f"leave more out (`synthvae fit --holdout {share:g}`), or pass more rows "
                "that were not learnt with --holdout"]  # fmt: skip
    return [
        fact + f"take a larger table and leave {wanted:,} rows of it out (`synthvae fit "
        "--holdout`), or pass rows that were not learnt with --holdout"
    ]


def _state(told: dict[str, Control], name: str) -> bool | None:
    return told[name].passed if name in told else None
