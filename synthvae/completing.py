"""Partial rows, completed by a model file, ready to be delivered as drawn ones are.

What is given stays as it is, so nothing is promised of it but its type; what is drawn keeps what
the model promises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from synthvae import manifest
from synthvae.artifact import Artifact, load
from synthvae.constraints.predicates import named_function
from synthvae.delivery import statement
from synthvae.fields import Field, fields_of
from synthvae.guarantee import Guarantee
from synthvae.imputation import Imputer, Job
from synthvae.opening import completer
from synthvae.outputs.record import hash_of
from synthvae.requests import Request
from synthvae.row_conditions import partial_rows
from synthvae.sampling import after
from synthvae.storage import View
from synthvae.table import Table


@dataclass(frozen=True)
class Completer:
    """A model file and the `job` of completing partial rows, in the view of one output."""

    artifact: Artifact
    imputer: Imputer
    job: Job
    sha256: str

    @staticmethod
    def of(model: Path, table: Table, seed: int, view: View) -> Completer:
        """UsageError for a constraint that is code which nobody named; SchemaError for cells that
        the model never writes."""
        artifact = load(model)
        imputer = completer(artifact)
        for named in imputer.codec.bindings.predicates:
            named_function(named)  # before anything is written
        job = imputer.job(partial_rows(imputer.codec, table), seed, view)
        return Completer(artifact, imputer, job, hash_of(model))

    @property
    def given(self) -> tuple[str, ...]:
        """The columns that some cells were given of."""
        holes = self.job.matched.holes
        return tuple(name for name, unknown in holes.items() if not unknown.all())

    @property
    def request(self) -> Request:
        """All rows of the job."""
        table = self.job.table
        return Request(
            len(table), self.job.seed, conditions=self.given, files=(table.fingerprint(),)
        )

    @property
    def fields(self) -> tuple[Field, ...]:
        """What is promised of each column."""
        given, typed = self.given, self.job.view == "typed"
        found = []
        for field in fields_of(self.imputer.codec):
            kind = self.job.schema.field(field.name).type
            if field.name in given:
                field = Field(field.name, field.plain_type, pa.string(), missing=field.missing)
            found.append(replace(field, type=kind if typed else field.type, text=pa.string()))
        return tuple(found)

    def source(
        self, request: Request, view: View, threads: int | None = None
    ) -> Callable[[int], Iterator[pa.Table]]:
        """The rows of `request`, which is the job's, from any number on, checked on the way."""
        guarantee = Guarantee(self.fields, view)
        return lambda first: guarantee.held(
            after(self.imputer.chunks(self.job, threads=threads), first)
        )

    def schema(self, request: Request, view: View) -> pa.Schema:
        """Names and types of the rows; typed ones carry the manifest's statement."""
        if view == "text":
            return self.job.schema
        return self.job.schema.with_metadata(manifest.metadata_of(self.statement(request)))

    def statement(self, request: Request) -> dict[str, Any]:
        """The manifest of the rows of `request`, but for the output."""
        stated = statement(self.artifact.content, self.sha256, request, self.fields)
        if not self.given:
            return stated
        told = f"cells of {', '.join(self.given)} were given; nothing is promised of those"
        return {**stated, "privacy": {**stated["privacy"], "given": told}}
