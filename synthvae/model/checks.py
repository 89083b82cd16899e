"""Ranges of the fields of specs; the keyword is the name in the message."""

from __future__ import annotations

import math


def positive(**fields: float | None) -> None:
    """ValueError for a field that is not above 0; None passes."""
    for name, value in fields.items():
        if value is not None and not 0 < value < math.inf:
            raise ValueError(f"{name} is above 0, but it is {value}; correct it")


def not_negative(**fields: float) -> None:
    """ValueError for a field below 0."""
    for name, value in fields.items():
        if not 0 <= value < math.inf:
            raise ValueError(f"{name} is 0 or more, but it is {value}; correct it")


def positive_widths(**fields: tuple[int, ...]) -> None:
    """ValueError for layers that are none, or without units."""
    for name, widths in fields.items():
        if not widths or min(widths) < 1:
            raise ValueError(f"{name} lists widths above 0, but it is {list(widths)}; correct it")


def share(**fields: float) -> None:
    """ValueError for a field that is not from 0 up to, without, 1."""
    for name, value in fields.items():
        if not 0 <= value < 1:
            raise ValueError(f"{name} is a share from 0 to below 1, but it is {value}; correct it")


MOST_CODES = 4096  # a slot: the prior has an output for each


def codes_a_slot(**fields: int) -> None:
    """ValueError for codes a slot that are no choice, or more than a prior can tell apart."""
    for name, codes in fields.items():
        if not 2 <= codes <= MOST_CODES:
            raise ValueError(
                f"{name} make 2 to {MOST_CODES:,} codes a slot, but they make {codes:,}; correct "
                "it, and take more slots rather than more codes"
            )
