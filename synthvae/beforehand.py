"""What is wrong with a table, said before some of its rows are left out for an audit: all rows are
looked at then, and named by their numbers in the file."""

from __future__ import annotations

from synthvae.constraints.checks import check_rules, check_table
from synthvae.constraints.declared import rules_of
from synthvae.constraints.reading import readers_of
from synthvae.detect import detect
from synthvae.metadata import Metadata
from synthvae.schema import resolve
from synthvae.settings import Settings
from synthvae.table import Table


def check_whole(table: Table, metadata: Metadata | None, settings: Settings) -> None:
    """SchemaError with every reason why `table` is not what `metadata` and the constraints say. Not
    for a private fit, which says nothing of rows."""
    if metadata is None and not settings.constraints:
        return  # nothing was said of it
    described = metadata or detect(table)
    schema = resolve(described, table, settings.missing_values)
    if rules := rules_of(settings.constraints, described):
        readers = readers_of(schema, table)
        check_rules(rules, readers, settings.condition)
        check_table(rules, table, readers)
