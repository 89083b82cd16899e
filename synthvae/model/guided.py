"""Rows that an autoregressive decoder writes within limits: each block given the latent and what
stands before it, gates where blocks are limited, and only rows that passed are written on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from synthvae.model.draft import Draft
from synthvae.model.heads import draw_codes
from synthvae.model.limits import Guidance, Limits, Survivors, Weights, within_ends
from synthvae.model.order import Step
from synthvae.model.values import Noise, Rows

if TYPE_CHECKING:
    from synthvae.model.decoders.autoregressive import AutoregressiveDecoder


def limited(steps: Sequence[Step], limits: Limits) -> list[int]:
    """The steps that write a limited block."""
    where = {"categorical": limits.classes, "scalar": limits.scalars}
    return [i for i, step in enumerate(steps) if step.at in where[step.kind]]


class Guided:
    """`task` given to `decoder`."""

    def __init__(self, decoder: AutoregressiveDecoder, task: Guidance) -> None:
        self.decoder, self.heads, self.limits = decoder, task.heads, task.limits
        self.gate, self.level, self.task = task.gate, task.level, task
        self.stages = {i: stage for stage, i in enumerate(limited(decoder.steps, self.limits))}
        self.last = max(self.stages, default=-1)

    def draw(self, z: Tensor, given: Tensor | None, noise: Noise) -> Survivors:
        """z [n, Z] -> modelled rows that passed all gates. `given` as in `Draft`."""
        draft, weights = Draft(self.decoder, z, given), Weights(self.task.steered)
        index, log_weight = torch.arange(len(z)), weights.log()
        for i, step in enumerate(self.decoder.steps):
            outputs = self.decoder.out.of_step(i, draft.hidden(i))
            if step.kind == "categorical":
                self._write_class(draft, i, step, outputs, noise.uniform[index, step.at], weights)
            else:
                self._write_scalar(draft, step, outputs, noise.at(index), weights)
            draft.finish(i)
            if i in self.stages:
                stage, log_weight = self.stages[i], weights.log()
                kept, raised = self.gate(stage, log_weight, self.level[index, 1 + stage])
                draft.keep(kept)
                weights.keep(kept, raised)
                index, log_weight = index[kept], log_weight[kept]
        return Survivors(Rows(draft.codes, draft.scalars), index, log_weight)

    def _write_class(
        self,
        draft: Draft,
        i: int,
        step: Step,
        outputs: Tensor,
        uniform: Tensor,
        weights: Weights,
    ) -> None:
        if step.at in self.limits.set_codes:
            code = torch.full((len(outputs),), self.limits.set_codes[step.at])
            return draft.write_class(step, code)
        logits, own = outputs[:, : step.size], self.heads.span(step.at)
        if step.at in self.limits.classes:
            before = torch.logsumexp(logits, dim=1)
            logits = logits + self.limits.never[own]
            weights.limit(torch.logsumexp(logits, dim=1) - before)
        tilt = self.limits.tilt
        steers = tilt is not None and i <= self.last and bool(tilt[own].any())
        plain = logits
        if tilt is not None and steers:
            logits = plain + weights.steered[:, None] * tilt[own]
        code = draw_codes(logits[:, None], uniform[:, None])[:, 0].clamp(max=step.size - 1)
        if tilt is not None and steers:
            more = torch.logsumexp(plain + tilt[own], dim=1) - torch.logsumexp(plain, dim=1)
            weights.steer(tilt[own][code] - more)
        return draft.write_class(step, code)

    def _write_scalar(
        self, draft: Draft, step: Step, outputs: Tensor, noise: Noise, weights: Weights
    ) -> None:
        at, scalars = step.at, self.heads.scalars
        if at in self.limits.set_scalars:
            return draft.write_scalar(
                step, outputs.new_full((len(outputs),), self.limits.set_scalars[at])
            )
        uniform = noise.uniform[:, len(self.heads.layout.sizes) + at]
        if at not in self.limits.scalars:
            block = slice(at, at + 1)
            drawn = scalars.draw(outputs[:, None], block, uniform[:, None], noise.normal[:, block])
            return draft.write_scalar(step, drawn[:, 0])
        mixture = scalars.mixture(outputs, at)
        spans = self.limits.scalars[at].of_rows(draft.codes)
        spans = within_ends(mixture, spans, scalars.ends)
        weights.limit(mixture.mass(spans))
        value = mixture.draw(spans, uniform, torch.special.ndtr(noise.normal[:, at]))
        return draft.write_scalar(step, value.float())
