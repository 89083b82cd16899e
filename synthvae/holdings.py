"""What a model file holds about the rows that it was learnt from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from synthvae.codecs.table_codec import TableCodec
from synthvae.conditions import Conditions
from synthvae.training.findings import warnings

NOT_PRIVATE = (
    "This model was fitted without differential privacy: there is no proven limit on what it "
    "reveals about single rows."
)

_MEASURED = {
    "history": "losses of training and held-out rows after every epoch",
    "scores": "101 quantiles of the scores of held-out rows",
}


class Described(Protocol):
    """A model, with its weights (`artifact.Artifact`) or without (`artifact_header.Held`)."""

    @property
    def content(self) -> Mapping[str, Any]: ...


def describe(artifact: Described) -> dict[str, Any]:
    """Everything that `artifact` holds about the training rows, as plain JSON."""
    content = artifact.content
    codec = TableCodec.from_json(content["codec"])
    conditions = Conditions.from_json(content["conditions"])
    columns = {
        entry["name"]: {
            "kind": entry["kind"],
            **one.describe(),
            **({"withheld": withheld} if (withheld := codec.withheld.get(entry["name"])) else {}),
        }
        for entry, one in zip(content["codec"]["codecs"], codec.codecs, strict=True)
    }
    combinations = sum(len(factor.shares) for factor in conditions.factors)
    also = [
        "the weights, which are a function of the training rows",
        *(words for key, words in _MEASURED.items() if key in content["training"]),
        "the prior, and numbers on how well it follows the posteriors of the training rows",
        "the metadata that the fit was given, or that was detected",
    ]
    if "privacy" in content:
        also.append(
            "all of it follows from noisy counts of the table, and from private steps if there "
            "were any: what is called training rows here was drawn from those counts"
        )
    if combinations:
        also.append(f"shares of {combinations:,} combinations of {', '.join(codec.given)}")
    if codec.bindings.relations:
        also.append(
            "for columns that are learnt as others: how they are written, outer bounds, and of an "
            "inequality the median of the upper column"
        )
    if codec.order:
        also.append(
            "the order in which columns are written, the most dependent first: "
            f"{', '.join(codec.order)}"
        )
    return {
        "synthvae": content["synthvae"],
        "preset": content["settings"]["preset"],
        "columns": columns,
        "constraints": codec.bindings.describe(),
        "conditions": content["conditions"],
        "metadata": content["metadata"],
        "training": content["training"],
        "warnings": warnings(content["training"]),
        "also": also,
        "sampler_only": content.get("sampler_only"),
        "privacy": content.get("privacy", NOT_PRIVATE),
    }
