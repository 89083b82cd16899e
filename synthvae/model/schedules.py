"""How the rate comes into the loss while training goes on: pure functions, one class a schedule.

`done` is the share of the warm-up that lies behind, from 0 to 1. What `weight` returns goes back
into `cost`: the rate's weight, or where a capacity is set, nats.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from synthvae.model.checks import not_negative, positive


@dataclass(frozen=True)
class Linear:
    """The weight rises from 0 to beta (Bowman et al. 2016)."""

    kind: Literal["linear"] = "linear"
    private: ClassVar[bool | str] = True

    def weight(self, beta: float, done: float) -> float:
        return beta * done

    def cost(self, rate: Tensor, weight: float, beta: float) -> Tensor:
        """rate [B] -> [B] nats."""
        return weight * rate


@dataclass(frozen=True)
class Cyclical:
    """The weight rises from 0 to beta `cycles` times, over the share `rising` of each cycle, and
    stays there for the rest of it (Fu et al. 2019). Every cycle begins with a decoder that has
    learnt to use the latent in the one before."""

    kind: Literal["cyclical"] = "cyclical"
    private: ClassVar[bool | str] = True
    cycles: int = 4
    rising: float = 0.5

    def __post_init__(self) -> None:
        positive(cycles=self.cycles, rising=self.rising)
        if self.rising > 1:
            raise ValueError(f"rising is a share of a cycle, but it is {self.rising}; correct it")

    def weight(self, beta: float, done: float) -> float:
        if done >= 1:
            return beta
        return beta * min(1.0, done * self.cycles % 1 / self.rising)

    def cost(self, rate: Tensor, weight: float, beta: float) -> Tensor:
        """rate [B] -> [B] nats."""
        return weight * rate


@dataclass(frozen=True)
class Capacity:
    """Each row's rate is held at a capacity that rises from 0 to `nats`: beta * |rate - capacity|
    (Burgess et al. 2018, whose gamma is beta here). A large beta then can't empty the latent."""

    kind: Literal["capacity"] = "capacity"
    private: ClassVar[bool | str] = True
    nats: float = 5.0

    def __post_init__(self) -> None:
        not_negative(nats=self.nats)

    def weight(self, beta: float, done: float) -> float:
        return self.nats * done

    def cost(self, rate: Tensor, weight: float, beta: float) -> Tensor:
        """rate [B] -> [B] nats."""
        return beta * (rate - weight).abs()
