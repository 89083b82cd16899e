"""The limits that a verdict goes by, in one place, with the reason for each."""

from __future__ import annotations

from dataclasses import dataclass, fields

from synthvae.errors import UsageError


@dataclass(frozen=True)
class Policy:
    """What is still accepted. Change a limit with a reason of your own; the result shows it.

    The defaults are a proposal, not a law. Shares are of training rows, beyond what happens to
    rows that the generator never saw.
    """

    auc: float = 0.60
    """Of the best attack. At 0.60 the better guess between a member and a stranger is right six
    times in ten; a Gaussian mechanism with epsilon 1.2 (delta 1e-5) permits as much."""

    tpr: float = 0.05
    """Members found at 1 % false alarms. An average hides people; this counts those whom an
    attacker may name: five times as many as by chance. Epsilon 3 permits 5.4 %."""

    exact_copies: float = 0.002
    """One row in 500. A copy is a disclosed row, whatever the averages say; below that, 2,000
    rows can't tell a few copies from none."""

    near_copies: float = 0.02
    """Rows that agree in all columns but one. More happen by chance, so more rows would be needed
    to show a smaller limit."""

    rare_combinations: float = 0.10
    """Pairs of values that one real row holds, and that come back. Few rows hold one, and many of
    them come back by chance, so that intervals are wide: 0.04 on either side for 20,000 rows."""

    reused: float = 0.002
    """Values of keys and personal data, which are to be made up and never to be copied."""

    singling_out: float = 0.05
    linkability: float = 0.05
    inference: float = 0.05
    """One training row in twenty for whom the attack succeeds and would not for a stranger."""

    rows: float = 500
    """Rows a side below which nothing passes: at 250 tested ones the AUC is known to 0.05."""

    def __post_init__(self) -> None:
        for part in fields(self):
            value = getattr(self, part.name)
            whole = part.name == "rows"
            if not (value >= 500 if whole else 0 < value < 1):
                rule = "at least 500" if whole else "between 0 and 1"
                raise UsageError(
                    f"the policy's '{part.name}' is {rule}, but it is {value!r}; change it"
                )
