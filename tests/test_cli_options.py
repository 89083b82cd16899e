"""What is wrong in an option ends with exit code 2, what is wrong in a file with 3; both in words:
the rule, the fact, what to do."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

COLUMNS = {
    "customer_id": {"sdtype": "id"},
    "group": {"sdtype": "categorical"},
    "score": {"sdtype": "numerical"},
    "spend": {"sdtype": "numerical"},
    "visits": {"sdtype": "numerical"},
    "active": {"sdtype": "boolean"},
    "since": {"sdtype": "datetime", "datetime_format": "%Y-%m-%d"},
}


@pytest.fixture
def folder(tmp_path: Path, csv: Path, model_file: Path, frame: pd.DataFrame) -> Path:
    """All files that the commands below name."""
    for name, target in {"t.csv": csv, "m.synthvae": model_file}.items():
        (tmp_path / name).symlink_to(target)
    described = {"METADATA_SPEC_VERSION": "SINGLE_TABLE_V1", "columns": COLUMNS}
    for name, content in {
        "m.yaml": described,
        "target.yaml": {"target": "grup"},
        "condition.yaml": {"condition": ["grup"]},
        "preset.yaml": {"preset": "arvea"},
        "fine.yaml": {"training": {"epochs": 1}},
    }.items():
        (tmp_path / name).write_text(yaml.safe_dump(content))
    (tmp_path / "given.csv").write_text("grup\nlow\n")
    return tmp_path


SAMPLE = "sample -m m.synthvae -o o.csv"
FIT = "fit t.csv -o n.synthvae --epochs 1"
EVALUATE = "evaluate --real t.csv --holdout t.csv --synthetic t.csv"
REPORT = "report --real t.csv --holdout t.csv --synthetic t.csv --json o.json"
MEANT = "did you mean 'group'?"

OPTIONS = [
    ([*SAMPLE.split(), "-n", "5", "--where", "grup == 'low'"], MEANT),
    ([*SAMPLE.split(), "-n", "5", "--where", "group == 'lwo'"], "did you mean 'low'?"),
    ([*SAMPLE.split(), "-n", "5", "--where", "group > 'low'"], "holds categories; use =="),
    ([*SAMPLE.split(), "-n", "5", "--where", "visits > 1000"], "widen it"),
    ([*SAMPLE.split(), "-n", "5", "--where", "group == 'low'", "--set", "group=mid"], "leave one"),
    (f"{SAMPLE} -n 5 --set grup=low", MEANT),
    (f"{SAMPLE} -n 5 --set group=lwo", "did you mean 'low'?"),
    (f"{SAMPLE} -n 5 --set visits=1000", "choose another"),
    (f"{SAMPLE} -n 5 --balance grup", MEANT),
    (f"{SAMPLE} -n 5 --balance score", "balance another"),
    (f"{SAMPLE} --per grup=low:3", MEANT),
    (f"{SAMPLE} --per group=lwo:3", "did you mean 'low'?"),
    (f"{SAMPLE} -n 5 --given group=low", "fit with --condition-on"),
    (f"{SAMPLE} -n 5 --pool grup=t.csv:group", "'grup' is none"),
    (f"{SAMPLE} -n 5 --pool customer_id=t.csv:grup", "has no column 'grup'"),
    (f"{FIT} --condition-on grup", MEANT),
    (f"{FIT} --condition-on customer_id", "condition on another"),
    (f"{FIT} -c fine.yaml --preset arvea", "did you mean 'arvae'?"),
    (f"{FIT} --metadata m.yaml --epsilon 3 --privacy-unit grup", MEANT),
    (f"{EVALUATE} --target grup", MEANT),
    (f"{EVALUATE} --target customer_id", "'customer_id' is none"),
    (f"{REPORT} --target grup", MEANT),
    ("traverse -m m.synthvae --dim 99", "but it is 99; correct it"),
    ("traverse -m m.synthvae --dim 0 --table t.csv --row 9999", "9,999"),
    ("interpolate t.csv -m m.synthvae --from 1 --to 9999", "9,999"),
]
FILES = [
    (f"{SAMPLE} --conditions given.csv", MEANT),
    (f"{FIT} -c condition.yaml", MEANT),
    (f"{FIT} -c target.yaml --condition-on group", MEANT),
    (f"{FIT} -c preset.yaml --condition-on group", "did you mean 'arvae'?"),
    (f"{EVALUATE} -c target.yaml", MEANT),
]


@pytest.mark.parametrize(
    ("command", "words", "code"),
    [(*case, 2) for case in OPTIONS] + [(*case, 3) for case in FILES],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_options_and_files_have_codes_of_their_own(
    command: str | list[str],
    words: str,
    code: int,
    cli,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    done = cli(*(command.split() if isinstance(command, str) else command))
    told = " ".join(done.stderr.split())
    assert words in told
    assert told.startswith("error: ") or "rows, 7 columns" in told
    assert "; " in told
    assert done.exit_code == code, told
    assert not {"o.csv", "o.json", "n.synthvae"} & {path.name for path in folder.iterdir()}
