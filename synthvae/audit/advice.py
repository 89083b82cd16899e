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
COARSE = (
    "do not stand out among the released rows, and more rows would not help: give finer columns, "
    "or more of them"
)
_FAR, _SOME = 1.5, 0.05  # chance brings about as many rows back as stand in a table twice
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
    found += [*_of_holdout(sizes), *_of_sides(told), *_of_power(told, policy)]
    least = int(policy.rows)
    wanted = sorted(max(each.rows, least) for each in open_ones if each.rows)
    if not wanted and min(sizes.members, sizes.others) < least:
        wanted = [least]
    return (*found, *_of_rows(wanted, sizes))


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


def _of_holdout(sizes: Sizes) -> list[str]:
    """Where held-out rows stand in the table far more often than rows of the table that are not
    among them stand there twice."""
    both, twice = (
        part / max(whole, 1)
        for part, whole in (
            (sizes.in_both, sizes.holdout),
            (sizes.repeated_real - sizes.in_both, sizes.real),
        )
    )
    if both <= _FAR * max(twice, 0.0) + _SOME:
        return []
    return [
        f"the holdout is of rows that were not learnt, but {100 * both:.0f} % of its rows stand in "
        "the real table too: check that it is the right file"
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
    found = []
    if _state(told, checks.POSITIVE) is False:
        few = told[checks.POSITIVE].value > policy.auc
        why = "stand out, but by too few rows to be sure; give more" if few else COARSE
        found.append(f"{checks.POSITIVE}: copies that were put in {why}")
    if _state(told, checks.POSITIVE_COPIES) is False:
        found.append(
            f"{checks.POSITIVE_COPIES}: so many rows come back by chance that copies that were put "
            "in don't show; give finer columns, more of them, or more rows"
        )
    return found


def _of_rows(each: Sequence[int], sizes: Sizes) -> list[str]:
    """How to come by the rows that decide half of the criteria of which `each` is asked for, from
    few to many."""
    total, least = sizes.real + sizes.holdout, min(sizes.members, sizes.others)
    missing = [rows for rows in each if rows > least]
    if not missing:
        return []
    if sizes.members + sizes.repeated_real < sizes.real and (
        sizes.others + sizes.repeated_holdout < sizes.holdout
    ):
        return [
            f"what is open lies too close to its limit for the {least:,} rows a side that attacks "
            "look at, and they look at no more"
        ]
    wanted, most = missing[(len(missing) - 1) // 2], missing[-1]
    fact = f"about {wanted:,} rows a side would decide " + (
        f"half of what rows can decide, {most:,} all of it" if most > wanted else "it"
    )
    fact += f", and there are {sizes.members:,} and {sizes.others:,}: "
    alone = max(sizes.others, 1) / max(sizes.holdout, 1)  # of rows left out, that are no repeats
    if sizes.others < wanted <= min(_MOST * total * alone, sizes.members):
        share = math.ceil(_STEP * wanted / alone / total) / _STEP
        return [fact + f"leave more out (`synthvae fit --holdout {share:g}`), or pass more rows "
                "that were not learnt with --holdout"]  # fmt: skip
    return [
        fact + f"take a larger table and leave {wanted:,} rows of it out (`synthvae fit "
        "--holdout`), or pass rows that were not learnt with --holdout"
    ]


def _state(told: dict[str, Control], name: str) -> bool | None:
    return told[name].passed if name in told else None
