"""The sum over a batch of each row's gradient, none longer than a bound.

No row's gradient is ever written down. One pass forward and back gives every layer's input and the
gradient at its output; the rules of `rowwise` turn these into the norms of the rows' gradients, and
then into the sum of gradients that were scaled down to the bound. The weights stand still
meanwhile, so that the way back ends at the outputs and a step costs about as much as a plain one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import local
from typing import Any

import torch
from torch import Tensor, nn

from synthvae.errors import TrainingError
from synthvae.model.compute import Team
from synthvae.model.crew import shared
from synthvae.training.descent import SHARDS, Batch, Loss
from synthvae.training.flat import Flat
from synthvae.training.rowwise import RULES, Rule

_AT_ONCE = 1024  # rows: what they leave behind on the way forward stays in the cache
_ROUNDING = 1e-4  # by this share gradients stay below the bound, for what norms and sums round


@dataclass(frozen=True)
class Layer:
    """A module with weights, and the rule for its class."""

    name: str
    module: nn.Module
    rule: Rule

    @property
    def parameters(self) -> list[nn.Parameter]:
        return list(self.module.parameters())


@dataclass
class Use:
    """What a layer met in one pass: its input `a`, its `output`, the gradient `d` there."""

    layer: Layer
    a: Any
    output: Tensor
    d: Tensor

    def squares(self) -> Tensor:
        return self.layer.rule.squares(self.layer.module, self.a, self.d)


class _Uses(local):
    """Of this thread, the uses of the pass that is being made; None: no pass is."""

    now: dict[str, Use] | None = None


def layers_of(model: nn.Module) -> list[Layer]:
    """The layers of `model` that are trained. TrainingError for weights without a rule."""
    found: list[Layer] = []
    unknown: list[str] = []

    def visit(name: str, module: nn.Module) -> None:
        if not any(p.requires_grad for p in module.parameters()):
            return
        rule = RULES.get(type(module))
        if rule is not None:
            found.append(Layer(name, module, rule))
            return
        if any(p.requires_grad for p in module.parameters(recurse=False)):
            unknown.append(f"{name or 'the model'} ({type(module).__name__})")
        for own, child in module.named_children():
            visit(f"{name}.{own}".lstrip("."), child)

    visit("", model)
    if unknown:
        raise TrainingError(
            "under privacy every weight is in a layer whose gradients are clipped row by row, but "
            f"that can't be done for {', '.join(unknown)}; choose other parts, or write a rule "
            "for it in training/rowwise.py"
        )
    return found


class ClippedSum:
    """Sums over batches of the gradients of `loss`(batch) [B], each row's at most `bound` long; a
    row whose gradient is not finite counts as 0. To be used while `watching`."""

    def __init__(self, model: nn.Module, loss: Loss, bound: float, team: Team) -> None:
        self.model, self.loss = model, loss
        self.bound, self.limit = bound, bound * (1 - _ROUNDING)
        self.layers = layers_of(model)
        self.parameters = [p for layer in self.layers for p in layer.parameters]
        self.flat = Flat(self.parameters)
        self.memory = [shared(len(self.flat.vector)) for _ in range(SHARDS)]
        self.views = [self.flat.views(memory) for memory in self.memory]
        self.uses = _Uses()
        self.crew = team.crew(self._of_shard)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Layers tell what they meet, and weights take no gradient."""
        hooks = [layer.module.register_forward_hook(self._meet(layer)) for layer in self.layers]
        for parameter in self.parameters:
            parameter.requires_grad_(False)
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()
            for parameter in self.parameters:
                parameter.requires_grad_(True)

    def of(self, batch: Batch) -> Tensor:
        """[P]: the sum; the next one is written over it."""
        shards = batch.shards() if batch.whole else []
        if not shards:
            return self.memory[0].zero_()
        self.crew.all(list(enumerate(shards)))
        total, *others = self.memory[: len(shards)]
        for other in others:
            total += other
        return total

    def in_use(self) -> Tensor:
        """[P]: 1 for what is a weight; 0 for what only fills a matrix up, or the vector."""
        marks = torch.zeros_like(self.flat.vector)
        of_each = [mark for layer in self.layers for mark in layer.rule.in_use(layer.module)]
        for view, mark in zip(self.flat.views(marks), of_each, strict=True):
            view.copy_(mark)
        return marks

    def _of_shard(self, task: tuple[int, Batch]) -> None:
        shard, batch = task
        self.memory[shard].zero_()
        for start in range(0, len(batch.rows), _AT_ONCE):
            self._add(batch.at(slice(start, start + _AT_ONCE)), self.views[shard])

    def _add(self, batch: Batch, sums: Sequence[Tensor]) -> None:
        uses = self.passed(batch)
        squares = sum(use.squares() for use in uses)
        assert isinstance(squares, Tensor)
        finite = torch.isfinite(squares)
        if not finite.all():  # 0 times infinity is not 0: such rows must not be there at all
            if finite.any():
                self._add(batch.at(finite), sums)
            return
        factor = self.factor(squares).to(sums[0].dtype)
        own = dict(zip(self.parameters, sums, strict=True))
        for use in uses:
            scaled = use.d * factor.view(-1, *[1] * (use.d.dim() - 1))
            places = [own[p] for p in use.layer.parameters]
            use.layer.rule.add(use.layer.module, use.a, scaled, places)

    def factor(self, squares: Tensor) -> Tensor:
        """[B]: what takes rows of these squared norms to the bound, 1 if they are within."""
        return self.limit / squares.sqrt().clamp(min=self.limit)

    def passed(self, batch: Batch) -> list[Use]:
        """One pass: every layer's use, in the order of `layers`."""
        self.uses.now = {}
        try:
            loss = self.loss(batch).sum()
            met = self.uses.now
        finally:
            self.uses.now = None
        uses = [met[layer.name] for layer in self.layers if layer.name in met]
        gradients = torch.autograd.grad(loss, [u.output for u in uses], materialize_grads=True)
        for use, gradient in zip(uses, gradients, strict=True):
            use.d = gradient
            _by_row(use, len(batch.rows))
        return uses

    def _meet(self, layer: Layer) -> Any:
        def hook(_: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor | None:
            met = self.uses.now
            if met is None:
                return None
            if layer.name in met:
                raise TrainingError(_shared(layer))
            a = inputs[0].detach() if isinstance(inputs[0], Tensor) else inputs[0]
            output = layer.rule.by_row(a, output)
            if not output.requires_grad:
                output.requires_grad_()
            met[layer.name] = Use(layer, a, output, output)
            return output

        return hook


def _by_row(use: Use, rows: int) -> None:
    if len(use.d) != rows or len(use.a) != rows:
        raise TrainingError(_shared(use.layer))


def _shared(layer: Layer) -> str:
    return (
        "under privacy a layer meets each row of a batch once, but "
        f"{layer.name} ({type(layer.module).__name__}) meets rows more often, or what is no row; "
        "choose other parts"
    )
