"""A model's rows, drawn, held to their schema, written, and noted down."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from synthvae import __version__, manifest
from synthvae.artifact import Artifact, load
from synthvae.constraints.predicates import named_function
from synthvae.fields import Field, fields_of
from synthvae.guarantee import Guarantee
from synthvae.holdings import NOT_PRIVATE
from synthvae.opening import sampler
from synthvae.outputs.formats import FORMATS
from synthvae.outputs.places import Place
from synthvae.outputs.record import Written, hash_of
from synthvae.outputs.shards import Cutter
from synthvae.outputs.stored import Range
from synthvae.requests import Request
from synthvae.sampling import Sampler
from synthvae.storage import View

Watch = Callable[[int], None]


class Draws(Protocol):
    """What has rows to deliver: a model's own, or completed ones."""

    @property
    def sha256(self) -> str:
        """The hash of the model file, in hexadecimals."""
        ...

    def source(
        self, request: Request, view: View, threads: int | None = None
    ) -> Callable[[int], Iterator[pa.Table]]:
        """The rows of `request` from any number on, checked on the way."""
        ...

    def schema(self, request: Request, view: View) -> pa.Schema:
        """Names and types of the rows; typed ones carry the manifest's statement."""
        ...

    def statement(self, request: Request) -> dict[str, Any]:
        """The manifest of the rows of `request`, but for the output."""
        ...


@dataclass(frozen=True)
class Drawer:
    """A model file, ready to draw rows that keep its schema."""

    artifact: Artifact
    sampler: Sampler
    sha256: str

    @staticmethod
    def of(model: Path) -> Drawer:
        """UsageError for a constraint that is code which nobody named."""
        artifact = load(model)
        drawer = Drawer(artifact, sampler(artifact), hash_of(model))
        for named in drawer.sampler.codec.bindings.predicates:
            named_function(named)  # before anything is written
        return drawer

    @property
    def fields(self) -> tuple[Field, ...]:
        return fields_of(self.sampler.codec)

    def source(
        self, request: Request, view: View, threads: int | None = None
    ) -> Callable[[int], Iterator[pa.Table]]:
        """The rows of `request` from any number on, checked on the way."""
        guarantee = Guarantee(self.fields, view, request.loose())
        return lambda first: guarantee.held(request.chunks(self.sampler, view, threads, first))

    def schema(self, request: Request, view: View) -> pa.Schema:
        """Names and types of the rows; typed ones carry the manifest's statement."""
        schema = self.sampler.codec.arrow_schema(view)
        if view == "text":
            return schema
        return schema.with_metadata(manifest.metadata_of(self.statement(request)))

    def drew(self, model: Mapping[str, Any]) -> bool:
        """Whether this is the `model` of a manifest, or draws the same rows: a sampler and the
        model that it was exported from do."""
        note = self.artifact.content.get("sampler_only")
        mine = {self.sha256} | ({note["source"]} if note and not note["half"] else set())
        return not mine.isdisjoint({model["sha256"], model.get("sampler_of")})

    def redrawn(
        self, request: Request, format: str, threads: int | None = None
    ) -> Callable[[Sequence[Range]], Iterator[pa.Table]]:
        """What draws ascending ranges of the rows of `request`, each as one table."""
        view = FORMATS[format].view
        empty = self.sampler.codec.arrow_schema(view).empty_table()

        def drawn(ranges: Sequence[Range]) -> Iterator[pa.Table]:
            at, stream = -1, Cutter(iter(()))
            for i, (first, last) in enumerate(ranges):
                if first != at:
                    # No row after those that are asked for is drawn, if that can be helped.
                    end = _run_end(ranges[i:]) if self.random_access(request) else request.rows
                    some = replace(request, rows=end)
                    stream = Cutter(some.chunks(self.sampler, view, threads, first))
                yield pa.concat_tables([empty, *stream.take(last - first)])
                at = last

        return drawn

    def random_access(self, request: Request) -> bool:
        """Whether rows can be drawn without those before them."""
        return request.random_access and not self.sampler.codec.bindings.unique

    def statement(self, request: Request) -> dict[str, Any]:
        """The manifest of the rows of `request`, but for the output."""
        return statement(self.artifact.content, self.sha256, request, self.fields)


def _run_end(ranges: Sequence[Range]) -> int:
    """The end of the first of `ranges` and of all that follow it without a gap."""
    end = ranges[0][1]
    for first, last in ranges[1:]:
        if first != end:
            break
        end = last
    return end


def deliver(
    drawer: Draws,
    request: Request,
    place: Place,
    resume: bool = False,
    threads: int | None = None,
    watch: Watch = lambda _: None,
) -> list[Written]:
    """Write the rows of `request` to `place`; `watch` is told how many are done."""
    view = place.form.view
    rows = drawer.source(request, view, threads)

    def source(first: int) -> Iterator[pa.Table]:
        for chunk in rows(first):
            yield chunk
            first += len(chunk)
            watch(first)

    run = {
        "synthvae": __version__,
        "model": drawer.sha256,
        "request": {**request.to_json(), "files": list(request.files)},
        "output": place.describe(),
    }
    return place.write(source, drawer.schema(request, view), request.rows, run, resume)


def statement(
    content: Mapping[str, Any], model: str, request: Request, fields: Sequence[Field]
) -> dict[str, Any]:
    """The manifest but for the output: `content` of the model's artifact, `model`: the hash of its
    file."""
    source = content.get("sampler_only")
    return {
        "format": manifest.FORMAT,
        "synthetic": True,
        "synthvae": __version__,
        "model": {
            "sha256": model,
            "preset": content["settings"]["preset"],
            "fitted_by": content["synthvae"],
            **({"sampler_of": source["source"]} if source and not source["half"] else {}),
        },
        "seed": request.seed,
        "rows": request.rows,
        "request": request.to_json(),
        "privacy": privacy_of(content),
        "calibrations": [],  # rows are as the model draws them
        "schema": [field.to_json() for field in fields],
    }


def privacy_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """What a certificate claims, or that there is none."""
    claimed = content.get("privacy")
    if claimed is None:
        return {"dp": False, "statement": f"not private: {NOT_PRIVATE}"}
    return dict(claimed["claim"])
