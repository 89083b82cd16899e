"""When a name that only the rows know may be released."""

from __future__ import annotations

from scipy.special import ndtri


def threshold(sigma: float, delta: float, contributions: int, grain: float) -> float:
    """The noisy count above which a name is released.

    Counts of names that stand in the table get noise N(0, sigma^2) each; those above T come out.
    Two tables differ by one unit, which has k = `contributions` rows at most. On names that both
    tables hold, that is a Gaussian release of L2 sensitivity k. Names that the unit alone holds,
    m of them, have k rows together, so each has k - m + 1 at most, and the chance that one or more
    come out is at most m * P(N > T - (k - m + 1)), since the noises may be added up. It is at most
    delta for every m if

        T = max over m = 1 .. k of  (k - m + 1) + sigma * Phi^-1(1 - delta / m),

    which for rows is 1 + sigma * Phi^-1(1 - delta). Let d <= delta be that chance. The larger table
    releases no such name with chance 1 - d, and then what it releases is distributed as the
    Gaussian release. So both laws are mixtures of a (1 - d) part that is Gaussian and a d part that
    may be anything, and d is added to the delta of the Gaussian, whatever else is composed with it.

    Noise on a grid has a tail that is at most that of the continuous Gaussian one `grain` nearer.
    """
    most = contributions + 1
    bounds = (most - m - sigma * ndtri(delta / m) for m in range(1, most))
    return float(max(bounds)) + grain
