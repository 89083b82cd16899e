"""The section `run` of a YAML file: what a pipeline starts from, and where it ends. Strict.

    run:
      data: train.csv
      holdout: holdout.csv      # rows that are not learnt; else those that the fit leaves out
      metadata: metadata.yaml   # else detected
      rows: 10000
      seed: 7
      format: parquet
      outputs: out
      policy: policy.yaml
      skip: [audit]

Paths are relative to the file. All other keys of the file are settings of the fit, as in
`synthvae.yaml`; or `settings:` names a file of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from synthvae.errors import MetadataError, Problems, hint
from synthvae.metadata import load_mapping

SECTION = "run"
FORMATS = ("csv", "csv.gz", "tsv", "parquet")
OPTIONAL = ("evaluate", "audit", "report")
_PATHS = ("data", "holdout", "metadata", "policy", "settings")


@dataclass(frozen=True)
class Declared:
    """`settings_file` has the fit's settings, `settings` what stands in it."""

    data: Path
    rows: int
    settings_file: Path
    settings: Mapping[str, Any]
    holdout: Path | None = None
    metadata: Path | None = None
    policy: Path | None = None
    seed: int = 0
    format: str = "csv"
    outputs: Path = Path("out")
    skip: tuple[str, ...] = ()

    @property
    def private(self) -> bool:
        """Whether each fit costs something that no step may spend unasked."""
        privacy = self.settings.get("privacy")
        return isinstance(privacy, Mapping) and privacy.get("epsilon") is not None

    def out(self, name: str) -> Path:
        """A file in the folder of outputs."""
        return self.outputs / name


def read(path: Path) -> Declared:
    """The pipeline in a file. MetadataError with every reason."""
    content = load_mapping(path, "a pipeline")
    where = f"'{path}': {SECTION}"
    section = content.pop(SECTION, None)
    if not isinstance(section, Mapping):
        raise MetadataError(
            f"a pipeline is declared under '{SECTION}', but '{path}' has "
            f"{'none' if section is None else repr(section)}; see docs/ci.md"
        )
    problems = Problems()
    _known(section, where, problems)
    given = _paths(section, path.parent, where, problems)
    file = given.pop("settings", None)
    content = _settings(file, content, where, problems)
    outputs = section.get("outputs", "out")
    if not isinstance(outputs, str):
        problems.add(f"{where}: outputs is the path of a folder, but it is {outputs!r}; correct it")
    rows = _whole(section, "rows", 1, None, where, problems)
    seed = _whole(section, "seed", 0, 0, where, problems)
    format = section.get("format", "csv")
    if format not in FORMATS:
        problems.add(
            f"{where}: format is one of {', '.join(FORMATS)}, but it is {format!r}; choose"
        )
    skip = _skip(section, where, problems)
    _refuse_undeclared(content, given, where, problems)
    problems.raise_as(MetadataError)
    return Declared(
        data=given["data"],
        rows=rows,
        settings_file=file or path,
        settings=content,
        holdout=given.get("holdout"),
        metadata=given.get("metadata"),
        policy=given.get("policy"),
        seed=seed,
        format=format,
        outputs=path.parent / str(outputs),
        skip=skip,
    )


def _settings(
    file: Path | None, beside: dict[str, Any], where: str, problems: Problems
) -> dict[str, Any]:
    """The settings of the fit: those `beside` the section, or those in a `file` of their own."""
    if file is None:
        return beside
    if beside:
        problems.add(
            f"{where}: settings stand in the file itself or in another, but '{file.name}' is named "
            f"beside {', '.join(map(str, beside))}; move them"
        )
        return beside
    return load_mapping(file, "settings") if file.is_file() else {}


def _known(section: Mapping[str, Any], where: str, problems: Problems) -> None:
    known = {field.name for field in fields(Declared)} - {"settings_file"}
    for key in section:
        if key not in known:
            problems.add(f"{where}: unknown key '{key}'; {hint(str(key), known)}")


def _paths(
    section: Mapping[str, Any], folder: Path, where: str, problems: Problems
) -> dict[str, Path]:
    found = {}
    for key in _PATHS:
        if section.get(key) is None:
            continue
        if not isinstance(section[key], str):
            problems.add(f"{where}: {key} is a path, but it is {section[key]!r}; correct it")
            continue
        found[key] = folder / section[key]
        if not found[key].is_file():
            problems.add(
                f"{where}: {key} is a file, but '{found[key]}' does not exist; paths are relative "
                "to the file that names them"
            )
    if section.get("data") is None:
        problems.add(f"{where}: a pipeline starts from a table, but data is not set; add it")
    return found


def _whole(
    section: Mapping[str, Any],
    key: str,
    least: int,
    default: int | None,
    where: str,
    problems: Problems,
) -> int:
    value = section.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        state = "is not set" if value is None else f"is {value!r}"
        problems.add(
            f"{where}: {key} is a whole number of at least {least}, but {state}; correct it"
        )
    return value if isinstance(value, int) else 0


def _skip(section: Mapping[str, Any], where: str, problems: Problems) -> tuple[str, ...]:
    named = section.get("skip", [])
    if not isinstance(named, list):
        problems.add(f"{where}: skip is a list of steps, but it is {named!r}; write [audit]")
        return ()
    for name in named:
        if name not in OPTIONAL:
            problems.add(
                f"{where}: skip names steps that can be left out, but not '{name}'; "
                f"{hint(str(name), OPTIONAL)}"
            )
    return tuple(map(str, named))


def _refuse_undeclared(
    settings: Mapping[str, Any], given: Mapping[str, Path], where: str, problems: Problems
) -> None:
    """Metadata that is read off the rows is not paid for, so a private fit takes none of it."""
    privacy = settings.get("privacy")
    private = isinstance(privacy, Mapping) and privacy.get("epsilon") is not None
    if private and "metadata" not in given:
        problems.add(
            f"{where}: a private fit has metadata that somebody declared, but metadata is not set; "
            "start from `synthvae detect --private`"
        )
