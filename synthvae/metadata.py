"""What users write about a table: SDV-compatible metadata, read strictly, written as V1.

Read are V1, SINGLE_TABLE_V1 and V2, YAML or JSON. An unknown key is an error with a hint, never
ignored: a typing error in a privacy setting must not pass.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from synthvae.errors import MetadataError, Problems, hint

CORE = ("numerical", "categorical", "boolean", "datetime", "id", "text", "unknown")
TODO = "TODO"  # stands where a value is to be declared
VERSIONS = ("V1", "SINGLE_TABLE_V1", "V2")
_PERSONAL = frozenset(["pii", "range_is_nullable"])
_KEYS: Mapping[str, frozenset[str]] = {
    "numerical": frozenset(
        ["computer_representation", "range_min", "range_max", "range_is_nullable", "decimal_places"]
    ),
    "categorical": frozenset(
        ["order", "order_by", "range_values", "range_is_nullable", "high_cardinality"]
    ),
    "boolean": frozenset(["range_is_nullable"]),
    "datetime": frozenset(["datetime_format", "range_min", "range_max", "range_is_nullable"]),
    "id": frozenset(["regex_format", "range_is_nullable"]),
    "text": _PERSONAL | {"regex_format"},
}
DECLARABLE: Mapping[str, tuple[str, ...]] = {
    "numerical": ("range_min", "range_max", "decimal_places", "range_is_nullable"),
    "datetime": ("range_min", "range_max", "range_is_nullable"),
    "categorical": ("range_values", "range_is_nullable"),
    "boolean": ("range_is_nullable",),
}
_TABLE_KEYS = frozenset(
    [
        "columns",
        "primary_key",
        "alternate_keys",
        "sequence_key",
        "sequence_index",
        "column_relationships",
        "constraints",
    ]
)


@dataclass(frozen=True)
class ColumnMetadata:
    """`sdtype` and its options; what is declared here is public."""

    sdtype: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def to_sdv(self) -> dict[str, Any]:
        return {"sdtype": self.sdtype, **self.options}


@dataclass(frozen=True)
class Metadata:
    """One table: its name, its columns in order, and its keys."""

    columns: Mapping[str, ColumnMetadata]
    table: str = "table"
    keys: Mapping[str, Any] = field(default_factory=dict)

    def to_sdv(self, version: str = "V1") -> dict[str, Any]:
        """The content of an SDV metadata file."""
        columns = {name: column.to_sdv() for name, column in self.columns.items()}
        table = {**self.keys, "columns": columns}
        return {
            "METADATA_SPEC_VERSION": version,
            "tables": {self.table: table},
            "relationships": [],
        }


def write(metadata: Metadata, path: str, version: str = "V1") -> bytes:
    """The bytes of a metadata file: JSON if `path` ends so, else YAML."""
    content = metadata.to_sdv(version)
    if path.endswith(".json"):
        return (json.dumps(content, indent=2) + "\n").encode()
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True).encode()


def read(path: Path) -> Metadata:
    """Metadata from a YAML or JSON file. MetadataError with every reason found."""
    return parse(load_mapping(path, "metadata"), f"'{path}'")


def given(metadata: Mapping[str, Any] | str | Path | None) -> Metadata | None:
    """Metadata from a file or its content; None if there is none."""
    if isinstance(metadata, str | Path):
        return read(Path(metadata))
    return None if metadata is None else parse(metadata, "metadata")


class _Plain(yaml.SafeLoader):
    """YAML of which an unquoted 2020-01-31 is the text that stands there, as JSON has it: a date
    would neither be a bound of a constraint nor go into a model file."""


_Plain.yaml_implicit_resolvers = {
    first: [each for each in resolvers if each[0] != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load_yaml(text: str) -> Any:
    """What YAML or JSON holds. yaml.YAMLError, or a ValueError, if it is neither."""
    return yaml.load(text, _Plain)  # a safe loader


def load_mapping(path: Path, what: str) -> dict[str, Any]:
    """A YAML or JSON file that holds one mapping."""
    if not path.is_file():
        state = "is a folder" if path.is_dir() else "does not exist"
        raise MetadataError(f"{what} is a file, but '{path}' {state}; check the path")
    try:
        content = load_yaml(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise MetadataError(
            f"{what} is YAML or JSON, but '{path}' can't be read as such: {reason}"
        ) from error
    if content is None:  # nothing in it, or nothing but comments
        return {}
    if not isinstance(content, dict):
        held = "a list" if isinstance(content, list) else f"'{str(content)[:40]}'"
        raise MetadataError(
            f"{what} is keys with values, but '{path}' holds {held}; see the README"
        )
    return content


def parse(content: Mapping[str, Any], source: str) -> Metadata:
    """Metadata from the content of an SDV file."""
    version = content.get(
        "METADATA_SPEC_VERSION", "SINGLE_TABLE_V1" if "columns" in content else None
    )
    if version not in VERSIONS:
        raise MetadataError(
            f"METADATA_SPEC_VERSION is one of {', '.join(VERSIONS)}, but in {source} it is "
            f"{version!r}; 'synthvae detect' writes a file to start from"
        )
    problems = Problems()
    name, table = "table", content
    root = {"METADATA_SPEC_VERSION", "tables", "relationships", "constraints"}
    if version == "SINGLE_TABLE_V1":
        root = {"METADATA_SPEC_VERSION", *_TABLE_KEYS}
    _strict(content, root, source, problems)
    if version != "SINGLE_TABLE_V1":
        name, table = _only_table(content, source)
        _strict(table, _TABLE_KEYS, f"table '{name}' of {source}", problems)
    columns = _columns(table.get("columns"), source, problems)
    keys = {key: table[key] for key in table if key in _TABLE_KEYS and key != "columns"}
    if "constraints" in content:
        keys["constraints"] = content["constraints"]
    _known_keys(keys, columns, source, problems)
    problems.raise_as(MetadataError)
    return Metadata(columns, name, keys)


def _only_table(content: Mapping[str, Any], source: str) -> tuple[str, Mapping[str, Any]]:
    tables = content.get("tables")
    if not isinstance(tables, dict) or len(tables) != 1:
        found = len(tables) if isinstance(tables, dict) else "no"
        raise MetadataError(
            f"synthvae learns one table at a time, but {source} describes {found} tables; "
            "write one metadata file for each table"
        )
    name, table = next(iter(tables.items()))
    if not isinstance(table, dict):
        raise MetadataError(f"table '{name}' of {source}: a table is a mapping; see the README")
    return str(name), table


def _columns(raw: Any, source: str, problems: Problems) -> dict[str, ColumnMetadata]:
    if not isinstance(raw, dict) or not raw:
        problems.add(f"a table has columns, but {source} names none; add them under 'columns'")
        return {}
    columns = {}
    for name, entry in raw.items():
        if not isinstance(entry, dict) or not isinstance(entry.get("sdtype"), str):
            problems.add(
                f"column '{name}': a column has an sdtype, but {source} gives none; add one"
            )
            continue
        options = {str(k): _plain(v) for k, v in entry.items() if k != "sdtype"}
        sdtype = str(entry["sdtype"])
        if sdtype == "ordinal":
            sdtype = "categorical"
        where = f"column '{name}' ({sdtype}) of {source}"
        _strict(options, _KEYS.get(sdtype, _PERSONAL), where, problems)
        columns[str(name)] = ColumnMetadata(sdtype, options)
    return columns


def _plain(value: Any) -> Any:
    """As JSON has it: a date, or an endless number, is text."""
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    known = value is None or isinstance(value, (str, int, float))
    return value if known and value not in (math.inf, -math.inf) else str(value)


def _known_keys(
    keys: Mapping[str, Any], columns: Mapping[str, Any], source: str, problems: Problems
) -> None:
    for key in ("primary_key", "alternate_keys", "sequence_key", "sequence_index"):
        for name in _names(keys.get(key)):
            if name not in columns:
                problems.add(
                    f"{key} names a column, but {source} has no column '{name}'; "
                    f"{hint(name, columns)}"
                )


def _names(named: Any) -> list[str]:
    """One name, or a list of names, or of lists of them: a key may be made of several columns."""
    if isinstance(named, list):
        return [name for part in named for name in _names(part)]
    return [] if named is None else [str(named)]


def _strict(
    entry: Mapping[str, Any], known: Collection[str], where: str, problems: Problems
) -> None:
    for key in entry:
        if key not in known:
            problems.add(f"{where}: unknown key '{key}'; {hint(str(key), known)}")
