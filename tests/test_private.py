"""A private fit: what it needs, what it costs, and that its cost is known before anything else."""

import hashlib
import json
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthvae import Synthesizer, metadata, pipeline, private, private_checks
from synthvae.errors import PrivacyError, SchemaError, TableError, UsageError
from synthvae.holdings import describe
from synthvae.marginals import chain
from synthvae.marginals.engine import meet
from synthvae.privacy.ledger import Ledger
from synthvae.settings import Settings, parse
from synthvae.table import from_frame
from tests.conftest import Tape

COLUMNS = {
    "k": {"sdtype": "categorical", "range_values": ["a", "b"]},
    "n": {"sdtype": "numerical", "range_min": 0, "range_max": 9, "decimal_places": 0},
    "d": {"sdtype": "datetime", "datetime_format": "%Y-%m-%d"},
}
CONTENT = {"METADATA_SPEC_VERSION": "SINGLE_TABLE_V1", "columns": COLUMNS}
META = metadata.parse(CONTENT, "metadata")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "ITERATIONS", 3)
    monkeypatch.setattr(private, "ROWS", 200)


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(9)
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 300, 120), "D")
    return pd.DataFrame({"k": rng.choice(["a", "b"], 120), "n": rng.integers(0, 9, 120), "d": days})


TRAINING = {"epochs": 1, "batch": 100}


def meta(**sdtypes: str) -> metadata.Metadata:
    columns = {name: {"sdtype": sdtype} for name, sdtype in sdtypes.items()}
    return metadata.parse({**CONTENT, "columns": columns}, "metadata")


def named(regex_format: str) -> metadata.Metadata:
    columns = {**COLUMNS, "k": {"sdtype": "id", "regex_format": regex_format}}
    return metadata.parse({**CONTENT, "columns": columns}, "metadata")


def spending(condition: Sequence[str] = (), **privacy: Any) -> Settings:
    privacy = {"engine": "marginals", **privacy} if "epsilon" in privacy else privacy
    content = {"training": TRAINING, "condition": condition, "privacy": privacy}
    return parse({"preset": "tvae", **content})


def fit(frame: pd.DataFrame, **given: Any) -> Any:
    given = {"metadata": META, "settings": spending(epsilon=3.0), "noise": Tape(0.0), **given}
    return private.fit(from_frame(frame), **given)


def test_the_certificate_is_part_of_the_model(frame: pd.DataFrame) -> None:
    artifact = fit(frame)
    claim = artifact.content["privacy"]
    assert 2.99 < claim["claim"]["epsilon"] <= 3.0
    assert claim["accountant"]["delta_of_thresholds"] == 0
    assert claim["rows"] == 120
    assert artifact.content["training"]["rows"] == 200
    assert describe(artifact)["privacy"] == claim


def test_the_cost_is_told_before_anything_is_learnt(
    frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Ledger] = []
    monkeypatch.setattr(pipeline, "fit", lambda *_, **__: pytest.fail("learnt") if not told else 1)
    with pytest.raises(AttributeError):  # 1 has no content
        fit(frame, paid=told.append)
    assert told[0].spent == pytest.approx(1)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_fit_that_breaks_off_has_cost_what_it_cost(
    error: type[BaseException], frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: Any) -> None:
        raise error

    monkeypatch.setattr("synthvae.marginals.engine.count_pairs", stop)
    told: list[float] = []
    with pytest.raises(error):
        fit(frame, paid=lambda ledger: told.append(ledger.spent))
    assert told == [pytest.approx(0.2)]


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"settings": spending()}, UsageError, "no epsilon is given"),
        ({"settings": spending(epsilon=-1.0)}, UsageError, "privacy: epsilon is a number above 0"),
        ({"metadata": None}, SchemaError, "no metadata is given"),
        ({"settings": spending(epsilon=1.0, unit="who")}, SchemaError, "no column 'who'"),
        ({"metadata": meta(k="categorical")}, SchemaError, "column 'n' is not in the metadata"),
        ({"metadata": meta(k="emial", n="id", d="id")}, SchemaError, "but it is 'emial'"),
        ({"metadata": named("")}, SchemaError, "column 'k': a regex_format is made of"),
        ({"metadata": named("[")}, SchemaError, "column 'k': a regex_format is made of"),
        ({"metadata": named("(?=a)b")}, SchemaError, "column 'k': a regex_format is made of"),
        (
            {
                "metadata": meta(k="name", n="id", d="id"),
                "settings": replace(spending(epsilon=1.0), locale="xx_XX"),
            },
            SchemaError,
            "'xx_XX' is none",
        ),
        ({"settings": spending(epsilon=1.0, condition=["x"])}, SchemaError, "no column 'x'"),
        (
            {
                "settings": spending(epsilon=1.0, condition=["k"]),
                "metadata": meta(k="id", n="id", d="id"),
            },
            SchemaError,
            "column 'k' is made up",
        ),
    ],
)
def test_what_is_refused_costs_nothing(
    given: dict[str, Any], error: type[Exception], words: str, frame: pd.DataFrame
) -> None:
    with pytest.raises(error, match=words):
        fit(frame, **given, paid=lambda _: pytest.fail("it cost something"))


def test_private_steps_without_opacus_cost_nothing(
    frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_checks, "find_spec", lambda name: None)
    with pytest.raises(PrivacyError, match="pip install 'synthvae"):
        fit(
            frame,
            settings=spending(epsilon=3.0, engine="warm"),
            paid=lambda _: pytest.fail("it cost something"),
        )


@pytest.mark.parametrize(
    ("odd", "plain"), [("unknown", [1.0, 2.0]), ("?", [True, False]), (2.5, ["a", "b"])]
)
def test_one_odd_object_changes_how_no_other_is_met(odd: object, plain: list[object]) -> None:
    few, more = (
        from_frame(pd.DataFrame({"c": pd.Series(values, dtype=object)}), one_by_one=True)["c"]
        for values in (plain * 50, [*plain * 50, odd])
    )
    assert [more.texts[i] for i in more.codes[:100]] == [few.texts[i] for i in few.codes]
    assert few.storage == more.storage


@pytest.mark.parametrize("format", ["%d.%m.%Y", "%Y-%m-%d"])
@pytest.mark.parametrize("kind", [pd.Timestamp, lambda text: pd.Timestamp(text).date()])
def test_dates_that_are_objects_are_met_in_the_declared_format(format: str, kind: Any) -> None:
    days = [kind("2020-03-01"), None, kind("2021-12-31")] * 9
    content = {"d": {"sdtype": "datetime", "datetime_format": format}}
    described = metadata.parse({**CONTENT, "columns": content}, "metadata")
    table = from_frame(pd.DataFrame({"d": pd.Series(days, dtype=object)}), one_by_one=True)
    met = meet(table, described).table["d"]
    wanted = [pd.Timestamp(day).strftime(format) for day in ("2020-03-01", "2021-12-31")]
    assert [met.texts[i] for i in met.codes if i >= 0] == wanted * 9
    assert met.n_null == 9


def test_objects_are_met_as_arrow_writes_them() -> None:
    """So that a model that was fitted one by one reads the same frame later."""
    frame = pd.DataFrame({"x": [1.0, 2.5, None], "yes": [True, False, None], "n": [3, 4, None]})
    plain, alone = (from_frame(frame.astype(object), one_by_one=way) for way in (False, True))
    for column in plain.columns:
        other = alone[column.name]
        assert [column.texts[i] for i in column.codes] == [other.texts[i] for i in other.codes]


def test_discovery_of_categories_takes_a_part_of_delta(frame: pd.DataFrame) -> None:
    columns: dict[str, Any] = {**COLUMNS, "k": {"sdtype": "categorical", "range_values": None}}
    artifact = fit(frame, metadata=metadata.parse({**CONTENT, "columns": columns}, "metadata"))
    assert artifact.content["privacy"]["accountant"]["delta_of_thresholds"] == pytest.approx(1e-6)


def test_a_synthesizer_with_a_budget_keeps_it(
    frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthvae.privacy.ledger.SecureNoise", Tape)
    settings = {"privacy": {"epsilon": 2.9}, "training": TRAINING}
    fitted = Synthesizer("tvae", settings=settings).fit(frame, CONTENT, history=None)
    assert fitted.artifact.content["privacy"]["claim"]["dp"]
    drawn = fitted.sample(50)
    assert set(drawn["k"]) <= {"a", "b"}
    assert drawn["n"].between(0, 9).all()
    assert pd.to_datetime(drawn["d"]).dt.year.between(1900, 2100).all()


def fitted_on(frame: pd.DataFrame, **given: Any) -> Synthesizer:
    fitted = Synthesizer("tvae")
    fitted._artifact = fit(frame, **given)
    return fitted


@pytest.mark.parametrize(("column", "value"), [("k", "c"), ("k", None), ("n", None), ("d", None)])
def test_cells_that_were_never_drawn_are_unknown(
    column: str, value: Any, frame: pd.DataFrame
) -> None:
    """Noise hides what few rows have, such as a category or a gap."""
    fitted = fitted_on(frame)
    strange = frame.copy()
    strange[column] = strange[column].astype(object)
    strange.loc[3, column] = value
    with pytest.warns(UserWarning, match=rf"there are some in '{column}' \(1 rows\)"):
        scores = fitted.score(strange)
    assert np.isfinite(scores["score"]).all()
    assert (scores[f"nats:{column}"] == 0).tolist() == [at == 3 for at in range(len(frame))]
    assert len(fitted.encode(strange)) == len(frame)
    if value is not None:
        assert fitted.impute(strange)[column][3] == value


def test_texts_are_read_as_they_were_counted(frame: pd.DataFrame) -> None:
    """What has no name is `__other__`, what means no value is null, where these were drawn."""
    kinds = np.array(["a", "undeclared", "NA", "?"])
    settings = replace(spending(epsilon=3.0), missing_values=("?",))
    fitted = fitted_on(frame.assign(k=kinds[np.arange(len(frame)) % 4]), settings=settings)
    assert set(fitted.sample(300)["k"].fillna("null")) == {"a", "__other__", "null"}
    scores = [fitted.score(frame.assign(k=k))["nats:k"] for k in ("never seen", "__other__")]
    assert (scores[0] == scores[1]).all()
    nulls = [fitted.score(frame.assign(k=k))["nats:k"] for k in ("NA", "?", None)]
    assert (nulls[0] == nulls[1]).all()
    assert (nulls[0] == nulls[2]).all()
    assert (nulls[0] != scores[0]).any()
    assert (nulls[0] > 0).all()


def test_a_model_that_is_not_private_takes_no_category_for_other(frame: pd.DataFrame) -> None:
    others = frame.assign(k=np.where(np.arange(len(frame)) % 2, "a", "__other__"))
    fitted = Synthesizer("tvae", settings={"training": TRAINING}).fit(others)
    with pytest.raises(SchemaError, match="check the spelling"):
        fitted.score(frame.assign(k="typo"))


def test_a_column_of_which_nothing_was_drawn_is_named(frame: pd.DataFrame) -> None:
    words = frame.assign(k="undeclared", n="text")
    fitted = fitted_on(words)
    assert fitted.artifact.content["training"]["hollow"] == ["k", "n"]
    assert "was drawn of column 'k', 'n'; check" in describe(fitted.artifact)["warnings"][0]
    assert fitted_on(frame).artifact.content["training"]["hollow"] == []


@pytest.mark.parametrize("strange", ["data.csv", [1, 2], None])
def test_what_is_no_frame_is_said(strange: Any) -> None:
    with pytest.raises(TableError, match="a table is a pandas DataFrame, but it is a"):
        Synthesizer("tvae").fit(strange, CONTENT)


def test_an_empty_frame_is_said_once(frame: pd.DataFrame) -> None:
    with pytest.raises(TableError) as found:
        Synthesizer("tvae", settings={"privacy": {"epsilon": 1}}).fit(frame.iloc[:0], CONTENT)
    assert str(found.value).count("a table has rows") == 1


def test_metadata_may_be_a_file(frame: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "metadata.json"
    path.write_text(json.dumps(CONTENT))
    settings = {"training": TRAINING}
    one = Synthesizer("tvae", settings=settings).fit(frame, path).sample(5, seed=1)
    other = Synthesizer("tvae", settings=settings).fit(frame, CONTENT).sample(5, seed=1)
    pd.testing.assert_frame_equal(one, other)


def test_fits_of_the_same_frame_add_up(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = {"privacy": {"epsilon": 1.5}, "training": TRAINING}
    Synthesizer("tvae", settings=settings).fit(frame, CONTENT)
    with pytest.warns(UserWarning, match=r"^fit 2 of the same rows: .* epsilon 2\.\d+ at"):
        Synthesizer("tvae", settings=settings).fit(frame, CONTENT)
    kept = json.loads(Path("privacy-history.json").read_text())["fits"]
    Synthesizer("tvae", settings=settings).fit(frame, CONTENT, history=None)
    assert len(kept) == len(json.loads(Path("privacy-history.json").read_text())["fits"]) == 2


def test_a_saved_model_has_its_certificate_beside_it(frame: pd.DataFrame, tmp_path: Path) -> None:
    """And none of the model that stood there before."""
    model, beside = tmp_path / "m.synthvae", tmp_path / "m.privacy_certificate.json"
    settings = {"privacy": {"epsilon": 1.5}, "training": TRAINING}
    fitted = Synthesizer("tvae", settings=settings).fit(frame, CONTENT, history=None)
    fitted.save(model)
    written = json.loads(beside.read_text())
    assert written["claim"] == fitted.artifact.content["privacy"]["claim"]
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    assert written["hashes"] == {"m.synthvae": f"sha256:{digest}"}
    Synthesizer("tvae", settings={"training": TRAINING}).fit(frame).save(model)
    assert not beside.exists()


def test_a_model_that_is_saved_leaves_what_belongs_to_others(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    settings = {"privacy": {"epsilon": 1.5}, "training": TRAINING, "holdout": 0.2}
    model, held = tmp_path / "m.synthvae", tmp_path / "m.synthvae.holdout.json"
    certificate = tmp_path / "m.privacy_certificate.json"
    frames = pd.concat([frame] * 30, ignore_index=True)
    Synthesizer("tvae", settings=settings).fit(frames, CONTENT, history=None).save(model)
    noted, certified = held.read_bytes(), json.loads(certificate.read_text())
    Synthesizer.load(model).save(model)
    assert held.read_bytes() == noted
    assert json.loads(certificate.read_text()) == certified
    with pytest.raises(UsageError, match="call fit"):
        Synthesizer("tvae").save(model)
    Synthesizer("tvae", settings={"training": TRAINING}).fit(frame).save(tmp_path / "m.plain")
    assert json.loads(certificate.read_text()) == certified


def test_a_history_that_cannot_be_written_is_refused_before_anything_is_paid(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthvae.private.draw_private", lambda *_: pytest.fail("paid"))
    settings = {"privacy": {"epsilon": 1.5}, "training": TRAINING}
    with pytest.raises(PrivacyError, match="nothing can be written"):
        Synthesizer("tvae", settings=settings).fit(frame, CONTENT, history=tmp_path / "no" / "h")


def test_a_warning_that_is_an_error_costs_no_model(frame: pd.DataFrame, tmp_path: Path) -> None:
    settings = {"privacy": {"epsilon": 1.5}, "training": TRAINING}
    model = Synthesizer("tvae", settings=settings)
    model.fit(frame, CONTENT, history=tmp_path / "h")
    first = model.artifact
    with pytest.warns(UserWarning, match="fit 2") as warned:
        model.fit(frame, CONTENT, history=tmp_path / "h")
    assert warned[0].filename == __file__
    second = model.artifact
    assert second is not first
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="fit 3"):
            model.fit(frame, CONTENT, history=tmp_path / "h")
    assert model.artifact is not second
