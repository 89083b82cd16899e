"""What blocks of an encoded row may hold: the form in which a sampler is told of conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from synthvae.codecs.allowed import Allowed, Classes
from synthvae.layout import Layout


@dataclass(frozen=True)
class Restriction:
    """`classes`: of some class blocks (positions in `Encoded.codes`) which may be drawn [size].
    `spans`: of some scalars (positions in `Encoded.scalars`) closed intervals, [classes of the
    column's class block, k, 2] (1 if it has none), empty ones from infinity to minus infinity. A
    block that is not named may hold anything."""

    classes: Mapping[int, Classes] = field(default_factory=dict)
    spans: Mapping[int, NDArray[np.float64]] = field(default_factory=dict)

    @staticmethod
    def of(layout: Layout, allowed: Mapping[str, Allowed]) -> Restriction:
        """Of the columns of a whole layout, without what forbids nothing."""
        classes: dict[int, Classes] = {}
        spans: dict[int, NDArray[np.float64]] = {}
        for name, own in allowed.items():
            part = layout.of_column(name)
            pairs = zip(part.codes, own.classes, strict=True)
            classes |= {at: mask for at, mask in pairs if not mask.all()}
            if own.spans is not None:
                open_ends = (own.spans[:, 0] == [-np.inf, np.inf]).all()
                spans |= {} if open_ends else {part.scalars[0]: own.spans}
        return Restriction(classes, spans)

    def part(self, codes: tuple[int, ...], scalars: tuple[int, ...]) -> Restriction:
        """Of some blocks, counted anew."""
        return Restriction(
            {i: self.classes[at] for i, at in enumerate(codes) if at in self.classes},
            {i: self.spans[at] for i, at in enumerate(scalars) if at in self.spans},
        )

    def __bool__(self) -> bool:
        return bool(self.classes or self.spans)
