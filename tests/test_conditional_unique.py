"""Rows that meet a condition, of a model under a rule of uniqueness: no two are alike."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain, islice, repeat
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest

from synthvae import Synthesizer, opening
from synthvae.artifact import Artifact
from synthvae.codecs.bindings import Bindings
from synthvae.completing import Completer
from synthvae.conditional import Conditional, Kind
from synthvae.delivery import Drawer, deliver
from synthvae.distinct import REPEATED, Known, distinct
from synthvae.errors import UsageError
from synthvae.keys import pooled
from synthvae.layout import Encoded
from synthvae.obeying import Obeyed
from synthvae.outputs.places import place_of
from synthvae.requests import Request
from synthvae.sampling import Sampler
from synthvae.storage import View
from synthvae.table import from_frame

KEY = ["group", "visits", "active"]
WHERE = "group != 'low'"


def fit(frame: pd.DataFrame, preset: str, *columns: str, **settings: object) -> Artifact:
    rule = {"kind": "unique", "columns": list(columns)}
    training = {"epochs": 1, "batch": 100}
    model = Synthesizer(preset, settings={"constraints": [rule], "training": training, **settings})
    described = {
        name: {"sdtype": "id"}
        if name == "customer_id"
        else {"sdtype": "numerical"}
        if frame[name].dtype.kind in "if"
        else {"sdtype": "categorical"}
        for name in frame
    }
    metadata = {"METADATA_SPEC_VERSION": "SINGLE_TABLE_V1", "columns": described}
    return model.fit(frame.drop_duplicates(list(columns)), metadata).artifact


@pytest.fixture(scope="module", params=["arvae", "tvae"])
def unique(request: pytest.FixtureRequest, frame: pd.DataFrame) -> Artifact:
    return fit(frame[["customer_id", *KEY]], request.param, *KEY)


@pytest.fixture(scope="module")
def file(unique: Artifact, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("unique") / "m.synthvae"
    unique.save(path)
    return path


def met(
    sampler: Sampler, rows: int, where: str | None = WHERE, view: View = "text", **asked
) -> pd.DataFrame:
    kind = Kind.of(sampler, where, asked.pop("given", {}), asked.pop("values", {}))
    chunks = Conditional(sampler, kind).chunks(rows, 3, view, **{"patience": 1e9, **asked})
    return pa.concat_tables(chunks).to_pandas()


def test_no_two_rows_are_alike(unique: Artifact) -> None:
    rows = met(opening.sampler(unique), 40)
    assert len(rows) == 40
    assert not rows.duplicated(KEY).any()
    assert (rows["group"] != "low").all()
    assert rows["customer_id"].is_unique


def test_some_rows_do_repeat_without_the_rule(unique: Artifact) -> None:
    """Else the test above could not fail."""
    sampler = opening.sampler(unique)
    sampler.codec.bindings.__dict__["unique"] = ()
    assert met(sampler, 40).duplicated(KEY).any()


def test_rows_do_not_depend_on_n_threads_or_view(unique: Artifact) -> None:
    sampler = opening.sampler(unique)
    many = met(sampler, 40)
    for n in (1, 17):
        pd.testing.assert_frame_equal(met(sampler, n), many.head(n))
    pd.testing.assert_frame_equal(met(sampler, 40, threads=2), many)
    typed = met(sampler, 40, view="typed")
    assert typed["visits"].astype(str).tolist() == many["visits"].tolist()
    assert typed["customer_id"].tolist() == many["customer_id"].tolist()


def test_a_shortfall_is_said_and_never_cut_short(unique: Artifact) -> None:
    with pytest.raises(UsageError, match=r"hardly any new ones, and .* are missing") as caught:
        met(opening.sampler(unique), 5000)
    assert "'group', 'visits', 'active'" in str(caught.value)
    assert "widen the condition" in str(caught.value)


def test_columns_that_are_set_count_as_they_are_shown(frame: pd.DataFrame) -> None:
    artifact = fit(frame[["group", "visits", "score"]], "arvae", "visits", "score")
    rows = met(opening.sampler(artifact), 60, None, values={"visits": "3"})
    assert set(rows["visits"]) == {"3"}
    assert rows["score"].is_unique


def test_given_columns_count_as_they_are_shown(frame: pd.DataFrame) -> None:
    """A number that is given is learnt as a cell of many: all of them are the one that is shown."""
    artifact = fit(frame[["group", "spend"]], "cvae", "spend", "group", condition=["spend"])
    with pytest.raises(UsageError, match="hardly any new ones"):
        met(opening.sampler(artifact), 5, "group != 'rare'", given={"spend": "12.5"})


def test_a_key_of_a_pooled_column_and_others_stays_unique(frame: pd.DataFrame) -> None:
    some = frame[["customer_id", "group"]].assign(customer_id=[f"K-{i % 300}" for i in range(600)])
    sampler = opening.sampler(fit(some, "arvae", "customer_id", "group"))
    pool = from_frame(pd.DataFrame({"k": [f"P-{i}" for i in range(40)]}))["k"]
    sampler.codec = pooled(sampler.codec, {"customer_id": pool})
    rows = met(sampler, 60, "group in ['low', 'mid']")
    assert rows["customer_id"].duplicated().any()
    assert not rows.duplicated(["customer_id", "group"]).any()


@pytest.mark.parametrize("name", ["o.csv", "parts/"])
def test_a_run_goes_on_to_the_same_bytes(
    name: str, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthvae.outputs.single.KEEP_FROM", 1)
    monkeypatch.setattr("synthvae.outputs.staging.ROW_GROUP", 8)
    monkeypatch.setattr("synthvae.conditional._ACCEPTED", 1)
    monkeypatch.setattr(Sampler, "block_rows", 16)
    drawer, request = Drawer.of(file), Request(40, 3, where=WHERE)
    format = "csv" if name.endswith("/") else None
    whole, broken = (
        place_of(f"{tmp_path}/{kind}-{name}", format, 9 if format else None) for kind in "ab"
    )

    def stop(rows: int) -> None:
        if rows > 20:
            raise KeyboardInterrupt

    deliver(drawer, request, whole)
    with pytest.raises(KeyboardInterrupt):
        deliver(drawer, request, broken, watch=stop)
    deliver(drawer, request, broken, resume=True)
    assert contents(whole.path) == contents(broken.path)


def contents(path: Path | None) -> dict[str, bytes]:
    assert path is not None
    files = [path] if path.is_file() else sorted(path.iterdir())
    return {"" if file == path else file.name: file.read_bytes() for file in files}


def test_what_is_written_is_proved_and_drawn_anew(cli, file: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.csv"
    done = cli("sample", "-m", file, "-n", 40, "--where", WHERE, "-o", out)
    assert done.exit_code == 0, done.output
    assert not pacsv.read_csv(out).to_pandas().duplicated(KEY).any()
    proved = cli("verify", out, "-m", file, "--json")
    assert proved.exit_code == 0, proved.output
    assert json.loads(proved.stdout)["redrawn"] == 40
    asked = ("-n", 5000, "--where", WHERE, "--max-seconds", 1e9)
    short = cli("sample", "-m", file, *asked, "-o", out, "--force")
    assert short.exit_code == 2
    assert "hardly any new ones" in short.stderr
    assert out.read_text().count("\n") == 41  # the file of before


def test_patience_tells_of_repeats(unique: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthvae.acceptance._FAIR", 0.0)
    with pytest.raises(UsageError, match="candidates met it and were like none before"):
        met(opening.sampler(unique), 10**6, patience=1.0)


def test_completed_rows_still_refuse_the_rule(file: Path) -> None:
    with pytest.raises(UsageError, match="given cells stay as they are"):
        Completer.of(file, from_frame(pd.DataFrame({"visits": [3]})), 0, "text")


def blocks_of(bindings: Bindings, visits: Iterable[int]) -> Iterator[Obeyed]:
    """One row a block."""
    assert [rule.columns for rule in bindings.unique] == [tuple(KEY)]
    for number in visits:
        row = {"group": ["mid"], "visits": [str(number)], "active": ["True"]}
        yield Obeyed(Encoded.empty(1), pa.table(row))


def test_blocks_of_few_rows_are_judged_together(
    unique: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a rare condition a block brings a row or none: twenty repeats are no shortfall yet."""
    monkeypatch.setattr("synthvae.distinct.STRETCH", stretch := REPEATED + 5)
    bindings = opening.sampler(unique).codec.bindings
    some = blocks_of(bindings, chain([0] * (stretch - 1), range(9)))
    assert sum(len(one.table) for one in distinct(some, Known(bindings), 9)) == 9
    ever = blocks_of(bindings, islice(repeat(0), (REPEATED + 1) * stretch))
    with pytest.raises(UsageError, match=r"after 1 rows .* 8 are missing"):
        deque(distinct(ever, Known(bindings), 9), maxlen=0)
