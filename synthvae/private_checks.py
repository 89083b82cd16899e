"""Declarations and settings that make a private fit impossible: said before anything is paid for,
and without a look at the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from importlib.util import find_spec

import numpy as np

from synthvae import pipeline
from synthvae.codecs.arranging import groups_of
from synthvae.codecs.identifier import declared_forms
from synthvae.codecs.people import check_provider
from synthvae.codecs.personal import provider_of
from synthvae.constraints.reading import Reader
from synthvae.constraints.rules import Bounds, Equation, Rule
from synthvae.errors import PrivacyError, Problems, SchemaError, UsageError
from synthvae.marginals.domain import Declared, counted_in
from synthvae.metadata import Metadata
from synthvae.privacy.budget import Budget
from synthvae.refining import refuse
from synthvae.schema import unknown_sdtype
from synthvae.settings import Settings
from synthvae.written import PER_SECOND, write_moments

_NOT_FAKER = (*pipeline.LEARNT, "id")


def described_for(
    settings: Settings, metadata: Metadata | None, names: Collection[str]
) -> Metadata:
    """The metadata of a table with columns `names`. SchemaError if there is none, if what it says
    of made-up columns can't be done, or if the columns that `settings` name are not fit for it."""
    if metadata is None:
        raise SchemaError(
            "under differential privacy the kinds of columns are declared, since to look is to "
            "leak, but no metadata is given; `synthvae detect TABLE --private -o metadata.yaml` "
            "writes a draft without values: review it, and pass it with --metadata"
        )
    sdtypes = {name: column.sdtype for name, column in metadata.columns.items()}
    pipeline.check_columns(settings, {name: sdtypes.get(name, "numerical") for name in names})
    _check_made_up(metadata, settings.locale)
    return metadata


def _check_made_up(metadata: Metadata, locale: str) -> None:
    reasons: list[str] = []
    for name, column in metadata.columns.items():
        form = column.options.get("regex_format")
        try:
            if column.sdtype == "id" and form is not None:
                declared_forms(name, str(form))
            elif column.sdtype not in (*pipeline.LEARNT, "id") and not unknown_sdtype(
                name, column.sdtype
            ):
                check_provider(name, provider_of(column.sdtype), locale)
        except SchemaError as error:
            reasons += [reason for reason in error.reasons if reason not in reasons]
    if reasons:
        raise SchemaError(*reasons)


def check_computed(rules: Sequence[Rule]) -> None:
    """SchemaError where a column is computed twice, or both computed and counted with others."""
    problems, together = Problems(), {name for group in groups_of(rules) for name in group}
    times = Counter(rule.column for rule in rules if isinstance(rule, Equation))
    for name, count in times.items():
        if count > 1:
            problems.add(
                f"a column is computed once, but {count} formulas compute '{name}'; keep one"
            )
        if name in together:
            problems.add(
                f"a column is computed or goes together with others, but '{name}' does both; drop "
                "its formula, or leave it out of the combination"
            )
    problems.raise_as(SchemaError)


def check_ranges(
    rules: Sequence[Rule], columns: Sequence[Declared], readers: Mapping[str, Reader]
) -> None:
    """SchemaError where nothing that a column's declared ends allow is within a range."""
    problems, known = Problems(), {column.name: column for column in columns}
    for rule in rules:
        if not isinstance(rule, Bounds) or known[rule.column].kind not in ("number", "moment"):
            continue
        column = known[rule.column]
        least, most = (_counted(end, column, readers[rule.column]) for end in (rule.min, rule.max))
        for which, end, first, last in (
            ("largest", column.high, least, column.high),
            ("smallest", column.low, column.low, most),
        ):
            if end is None or first is None or last is None:
                continue
            if first > last or (rule.strict and first == last):
                problems.add(
                    f"column '{rule.column}': a range ({rule.words}) holds some of the values that "
                    f"are declared, but the {which} of these is {_written(end, column)}; correct "
                    "one of the two"
                )
    problems.raise_as(SchemaError)


def _counted(end: float | str | None, column: Declared, reader: Reader) -> float | None:
    """An end of a range in the units of what is declared of `column`."""
    if end is None or column.kind == "number":
        return None if end is None else float(end)
    return reader.moment(str(end)) * PER_SECOND[counted_in(column.format)] / 1e6


def _written(end: float, column: Declared) -> str:
    if column.kind == "number":
        return f"{end:g}"
    texts = write_moments(np.array([end]), column.format, counted_in(column.format))
    return str(texts[0])


def check_training(engine: str, settings: Settings, budget: Budget, constrained: bool) -> None:
    """Refuses what training on rows can't do. UsageError, or PrivacyError of a part."""
    if budget.contributions > 1:
        raise UsageError(
            "training on rows draws single rows, which protects units of one row, but "
            f"contributions is {budget.contributions}; set it to 1, or use --dp-engine marginals"
        )
    if constrained:
        raise UsageError(
            "constraints of a private fit are kept by rows drawn from counts, but engine "
            f"'{engine}' trains on the rows themselves; use --dp-engine marginals"
        )
    if find_spec("opacus") is None:
        raise PrivacyError(
            "private steps add their noise with Opacus, but Opacus isn't installed; "
            "pip install 'synthvae[dp]'"
        )
    refuse(settings)
