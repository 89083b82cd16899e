"""What users write in `synthvae.yaml`: strict, laid over a preset."""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from synthvae.codecs.people import LOCALE
from synthvae.constraints import declared
from synthvae.errors import MetadataError, Problems, UsageError, hint
from synthvae.metadata import load_mapping
from synthvae.model.presets import PRESETS
from synthvae.model.spec import PARTS, ModelSpec, TrainingSpec
from synthvae.suppression import Rare

DEFAULT_PRESET = "arvae"
PIPELINE = "run"  # a section of the same file that is no setting: see `workflow.declared`


@dataclass(frozen=True)
class PrivacySpec:
    """What a fit may cost: `epsilon` (None: it is not private) and `delta`, for one `unit`: a row,
    or all rows with one value of a column, of which `contributions` count. `engine`: what learns
    (see `private.ENGINES`); `rows`: about how many there are, a number that is public."""

    epsilon: float | None = None
    delta: float = 1e-5
    unit: str = "row"
    contributions: int = 1
    engine: Literal["auto", "marginals", "dpsgd", "warm"] = "auto"
    rows: int = 50_000

    def __post_init__(self) -> None:
        set_to = [f.name for f in dataclasses.fields(self) if getattr(self, f.name) != f.default]
        if set_to and self.epsilon is None:
            raise ValueError(
                f"a private fit has an epsilon, but {', '.join(set_to)} is set without one; add "
                "epsilon: 3, or leave the others out"
            )


@dataclass(frozen=True)
class Settings:
    """Everything that shapes a fit beside the table and its metadata.

    `target`: the column that `evaluate` predicts; `condition`: columns to be given rather than
    modelled; `missing_values`: more written forms that mean 'no value'; `holdout`: the share of the
    rows that are left out, for an audit to compare with (see `holdout.count_of`); `constraints`:
    what holds in every row (see `constraints.declared`); `rare`: what is too rare to be learnt;
    `locale`: of made-up names and addresses, as Faker has it.
    """

    preset: str = DEFAULT_PRESET
    seed: int = 0
    target: str | None = None
    condition: tuple[str, ...] = ()
    missing_values: tuple[str, ...] = ()
    holdout: float = 0.0
    constraints: tuple[Mapping[str, Any], ...] = ()
    rare: Rare = field(default_factory=Rare)
    locale: str = LOCALE
    model: ModelSpec = field(default_factory=lambda: PRESETS[DEFAULT_PRESET].model)
    training: TrainingSpec = field(default_factory=lambda: PRESETS[DEFAULT_PRESET].training)
    privacy: PrivacySpec = field(default_factory=PrivacySpec)

    def __post_init__(self) -> None:
        if not 0 <= self.holdout <= 0.5:
            raise ValueError(f"holdout is a share from 0 to 0.5, but it is {self.holdout}")
        declared.parse(self.constraints)
        if not re.fullmatch("[a-z]{2,3}_[A-Z]{2}", self.locale):
            raise ValueError(f"locale is a language and a country, de_DE, but it is {self.locale}")
        decoder, regime = self.model.decoder.kind, self.training.regime.kind
        if regime == "adversarial" and decoder != "parallel":
            raise ValueError(
                "regime: adversarial shows its critic rows drawn in one pass, but decoder: "
                f"{decoder} reads what it has drawn so far; combine it with decoder: "
                "{kind: parallel}, or use regime: {kind: plain}"
            )
        if regime == "adversarial" and self.model.latent.space.slots:
            raise ValueError(
                "regime: adversarial shows its critic rows drawn from the prior, but the prior of "
                f"latent: {self.model.latent.kind} is fitted after training; combine it with "
                "latent: {kind: gaussian}, or use regime: {kind: plain}"
            )

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def read(path: Path) -> Settings:
    """Settings from a YAML or JSON file. MetadataError with every reason found."""
    return parse(load_mapping(path, "settings"), f"'{path}'")


def parse(content: Mapping[str, Any], source: str = "settings") -> Settings:
    """Settings from plain data: the preset's, with `content` laid over them."""
    preset = content.get("preset", DEFAULT_PRESET)
    if not isinstance(preset, str) or preset not in PRESETS:
        raise UsageError(
            f"a preset is one of {', '.join(PRESETS)}, but in {source} it is '{preset}'; "
            f"{hint(str(preset), PRESETS)}"
        )
    chosen = PRESETS[preset]
    base = Settings(preset=preset, model=chosen.model, training=chosen.training)
    problems = Problems()
    own = {key: value for key, value in content.items() if key != PIPELINE}
    settings: Settings = _laid_over(base, own, source, problems)
    problems.raise_as(MetadataError)
    if chosen.needs_condition and not settings.condition:
        raise UsageError(
            f"preset '{preset}' is conditioned on columns, but none are named; "
            "name them with --condition-on COLUMN, or under 'condition'"
        )
    return settings


def _laid_over(base: Any, content: Mapping[str, Any], where: str, problems: Problems) -> Any:
    """`base` (a dataclass) with the fields that `content` names replaced."""
    hints = get_type_hints(type(base))
    changes: dict[str, Any] = {}
    for key, value in content.items():
        if key not in hints:
            problems.add(f"{where}: unknown key '{key}'; {hint(str(key), hints)}")
            continue
        changes[key] = _value(
            getattr(base, key), value, hints[key], f"{where}: {key}", key, problems
        )
    try:
        return dataclasses.replace(base, **changes)
    except ValueError as error:
        problems.add(f"{where}: {error}")
        return base


def _value(old: Any, new: Any, kind: Any, where: str, key: str, problems: Problems) -> Any:
    if dataclasses.is_dataclass(old):
        if not isinstance(new, Mapping):
            problems.add(f"{where} is a mapping of keys, but it is {new!r}; see the README")
            return old
        if key in PARTS:
            old = _part(old, new.get("kind"), where, PARTS[key], problems)
            new = {name: value for name, value in new.items() if name != "kind"}
        return _laid_over(old, new, where, problems)
    if get_origin(kind) is tuple and isinstance(new, (list, tuple)):
        item = get_args(kind)[0]
        return tuple(_value(None, entry, item, where, key, problems) for entry in new)
    if _fits(0.5, kind) and isinstance(new, int) and not isinstance(new, bool):
        return float(new)
    if not _fits(new, kind):
        problems.add(f"{where} is {_named(kind)}, but it is {new!r}; correct it")
        return old
    return new


def _part(old: Any, kind: Any, where: str, table: Mapping[str, type], problems: Problems) -> Any:
    """The spec to lay over: the preset's own, or another part's defaults if `kind` names one."""
    if kind in (None, old.kind):
        return old
    if not isinstance(kind, str) or kind not in table:
        problems.add(f"{where}: unknown kind '{kind}'; {hint(str(kind), table)}")
        return old
    return table[kind]()


def _fits(value: Any, kind: Any) -> bool:
    origin = get_origin(kind)
    if origin is Literal:
        return value in get_args(kind)
    if origin in (Union, types.UnionType):
        return any(_fits(value, option) for option in get_args(kind))
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind if isinstance(kind, type) else object)


def _named(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return f"one of {', '.join(map(str, get_args(kind)))}"
    names = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
    return names.get(kind, "a list" if get_origin(kind) is tuple else str(kind))
