"""What a private fit has to be told and was not, as metadata to paste."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import yaml

from synthvae.metadata import TODO, Metadata


def lacking(metadata: Metadata, names: Collection[str]) -> str:
    """Lines for `columns` of the metadata of a table with these `names`, TODO where its owner has
    to say; '' if nothing is missing. Nothing in it depends on the rows."""
    missing: dict[str, dict[str, Any]] = {}
    for name in names:
        column = metadata.columns.get(name)
        if column is None:
            missing[name] = {"sdtype": TODO}
        elif column.sdtype == "datetime" and not column.options.get("datetime_format"):
            missing[name] = column.to_sdv() | {"datetime_format": TODO}
    if not missing:
        return ""
    lines = yaml.safe_dump(missing, default_flow_style=None, sort_keys=False, allow_unicode=True)
    return (
        "what is missing, as YAML to paste under 'columns', in place of what is there of a column, "
        f"and to complete:\n{lines.rstrip()}"
    )
