"""Private fits from the command line: what they cost, say, write and refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from synthvae import private
from synthvae.marginals import chain
from synthvae.training import private_plan

COLUMNS = {
    "group": {"sdtype": "categorical", "range_values": ["low", "mid", "high", "rare"]},
    "score": {"sdtype": "numerical", "range_min": -5, "range_max": 15, "decimal_places": 2},
    "active": {"sdtype": "boolean"},
    "customer_id": {"sdtype": "id", "regex_format": "K-[0-9]{5}"},
}

SEVERAL = ("--epsilon", 3, "--privacy-unit", "customer_id", "--contributions", 2)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "ITERATIONS", 3)
    monkeypatch.setattr(private, "ROWS", 300)
    monkeypatch.setattr(private_plan, "STEPS", 3)


@pytest.fixture(scope="module")
def table(frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("private") / "table.csv"
    frame[list(COLUMNS)].to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def declared(table: Path) -> Path:
    content = {"METADATA_SPEC_VERSION": "SINGLE_TABLE_V1", "columns": COLUMNS}
    path = table.with_name("metadata.yaml")
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.fixture
def fit(cli, table: Path, declared: Path, tmp_path: Path):
    def run(*options: object):
        output = tmp_path / "model.synthvae"
        given = ("--preset", "tvae", "--epochs", "1", "--metadata", declared, "--force")
        return cli("fit", table, "-o", output, *given, *options)

    return run


def test_model_certificate_and_history(fit, cli, tmp_path: Path) -> None:
    result = fit("--epsilon", 3, "--json")
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)["private"]
    assert "a private number of rows, 4 columns" in result.stderr
    assert "600" not in result.stderr
    written = json.loads((tmp_path / "model.privacy_certificate.json").read_text())
    assert written["claim"] == said
    assert 2.98 < said["epsilon"] <= 3  # the fewer the steps, the coarser
    assert "model.synthvae" in written["hashes"]
    shown = json.loads(cli("inspect", tmp_path / "model.synthvae", "--json").stdout)
    assert shown["privacy"]["claim"] == said

    again = fit("--epsilon", 3)
    assert "fit 2 of the same rows: together they cost epsilon" in again.stderr
    fits = json.loads((tmp_path / "privacy-history.json").read_text())
    assert len(fits["fits"]) == 2

    rows = tmp_path / "rows.csv"
    assert cli("sample", "-n", 50, "-m", tmp_path / "model.synthvae", "-o", rows).exit_code == 0
    drawn = pd.read_csv(rows)
    assert list(drawn) == list(COLUMNS)
    assert drawn["score"].dropna().between(-5, 15).all()
    assert drawn["customer_id"].str.fullmatch(r"K-\d{5}").all()


def test_the_certificate_of_another_model_is_not_overwritten(
    cli, table: Path, declared: Path, tmp_path: Path
) -> None:
    """Models of one stem and other endings share its place."""
    other = tmp_path / "model.privacy_certificate.json"
    other.write_text("{}")
    model = tmp_path / "model.synthvae"
    result = cli("fit", table, "-o", model, "--metadata", declared, "--epsilon", 3)
    assert result.exit_code == 2
    assert "never overwritten unasked" in result.stderr
    assert other.read_text() == "{}"
    assert not (tmp_path / "privacy-history.json").exists()


def test_a_history_is_kept_where_it_is_asked_for(
    cli, table: Path, declared: Path, tmp_path: Path
) -> None:
    book = tmp_path / "kept" / "history.json"
    book.parent.mkdir()
    for at, folder in enumerate(("one", "two")):
        (tmp_path / folder).mkdir()
        done = cli("fit", table, "-o", tmp_path / folder / "m.synthvae", "--metadata", declared,
                   "--epsilon", 3, "--epochs", 1, "--history", book, "--json")  # fmt: skip
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout)["fits_of_these_rows"]["fits"] == at + 1
        assert ("added up from now on in" in done.stderr) == (at == 0)
        assert not (tmp_path / folder / "privacy-history.json").exists()


def test_what_is_no_budget_is_not_warned_of(fit) -> None:
    refused = fit("--epsilon", 3, "--delta", 2)
    assert refused.exit_code == 2
    assert "lower it" not in refused.stderr
    refused = fit("--epsilon", 3, "--privacy-unit", "nope")
    assert "one row is learnt" not in refused.stderr
    told = fit("--epsilon", 3, "--privacy-unit", "group")
    assert "of each value of 'group' one row is learnt" in " ".join(told.stderr.split())
    assert fit("--epsilon", "1e-9").exit_code == 2


def test_a_limit_on_attackers_chooses_epsilon(fit, tmp_path: Path) -> None:
    result = fit("--max-attack-tpr", "0.05@0.01", "--json")
    assert result.exit_code == 0, result.output
    claim = json.loads((tmp_path / "model.privacy_certificate.json").read_text())
    assert claim["claim"]["epsilon"] > 1.6  # exp(1.6) * 0.01, the bound of epsilon alone, is 0.05
    assert 0.045 < claim["attacker"]["limits"]["0.01"] <= 0.05


@pytest.mark.parametrize("engine", ["warm", "dpsgd"])
def test_engines_that_train_on_rows(engine: str, fit, tmp_path: Path) -> None:
    result = fit("--epsilon", 3, "--dp-engine", engine, "--json", "--log", tmp_path / "log")
    assert result.exit_code == 0, result.output
    latent = json.loads((tmp_path / "log" / "latent.json").read_text())
    assert latent == json.loads(result.stdout)["latent"]  # as it is after the private steps
    assert 2.98 < json.loads(result.stdout)["private"]["epsilon"] <= 3
    assert "of rows drawn from noisy counts, before private steps," in result.stderr
    written = json.loads((tmp_path / "model.privacy_certificate.json").read_text())
    assert "operating system" in written["randomness"]["training"]
    assert "opacus" in written["made_by"]


def test_an_audit_needs_rows_that_were_left_out(cli, declared: Path, tmp_path: Path) -> None:
    """A note of none is there all the same, for a table of a row as for one of many."""
    data, model = tmp_path / "few.csv", tmp_path / "few.synthvae"
    data.write_text("group,score,active,customer_id\nlow,1.00,True,K-00001\n")
    done = cli("fit", data, "-o", model, "--metadata", declared, "--epsilon", 3, "--epochs", 1)
    assert done.exit_code == 0, done.output
    assert (tmp_path / "few.synthvae.holdout.json").exists()
    refused = cli("audit", "--real", data, "-m", model)
    assert refused.exit_code == 2
    assert "none was left out" in " ".join(refused.stderr.split())


@pytest.mark.parametrize(("delta", "warned"), [(1e-5, False), (1e-3, True)])
def test_a_delta_that_protects_no_row_is_named(delta: float, warned: bool, fit) -> None:
    result = fit("--epsilon", 3, "--delta", delta)
    assert result.exit_code == 0
    assert ("one of 50,000 units" in " ".join(result.stderr.split())) == warned


def test_what_is_missing_is_written_out_to_be_pasted(cli, table: Path, tmp_path: Path) -> None:
    columns = {"group": COLUMNS["group"], "score": {"sdtype": "datetime", "range_min": "TODO"}}
    known, again = tmp_path / "known.yaml", tmp_path / "again.yaml"
    known.write_text(yaml.safe_dump({"columns": columns}))
    command = ("fit", table, "--epsilon", 3, "-o", tmp_path / "m.synthvae", "--metadata")
    first = cli(*command, known)
    assert first.exit_code == 3
    pasted = yaml.safe_load(first.stderr.split("to complete:\n")[1])
    assert pasted == {
        "score": {"sdtype": "datetime", "range_min": "TODO", "datetime_format": "TODO"},
        "active": {"sdtype": "TODO"},
        "customer_id": {"sdtype": "TODO"},
    }
    again.write_text(yaml.safe_dump({"columns": {**columns, **pasted}}))
    second = cli(*command, again)
    assert second.exit_code == 3
    assert "to complete:" not in second.stderr
    for name, key in (("score", "datetime_format"), ("active", "sdtype")):
        assert name in second.stderr
        assert key in second.stderr
    assert not (tmp_path / "m.synthvae").exists()


def test_units_of_several_rows(fit, tmp_path: Path) -> None:
    result = fit(*SEVERAL)
    assert result.exit_code == 0, result.output
    assert "for each value of 'customer_id'" in result.stderr


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--delta", 1e-6), 2, "a private fit has an epsilon, but delta is set"),
        (("--privacy-unit", "customer_id"), 2, "a private fit has an epsilon, but unit is set"),
        (("--epsilon", 3, "--max-attack-tpr", "0.05@0.01"), 2, "but both are given"),
        (("--max-attack-tpr", "often"), 2, "takes TPR@FPR"),
        (("--epsilon", 3, "--resume"), 2, "a private fit is not resumed"),
        (("--epsilon", 3, "--dp-engine", "magic"), 2, "dpsgd"),
        (
            (
                "--epsilon",
                3,
                "--dp-engine",
                "warm",
                "--contributions",
                2,
                "--privacy-unit",
                "group",
            ),
            2,
            "protects units of one row",
        ),
        (("--epsilon", 3, "--dp-engine", "dpsgd", "--preset", "vae-gan"), 3, "clips what each row"),
        (("--epsilon", 3, "--privacy-unit", "nobody"), 2, "no column 'nobody'"),
    ],
)
def test_refusals_cost_nothing(
    options: tuple[object, ...], code: int, words: str, fit, tmp_path: Path
) -> None:
    result = fit(*options)
    assert " ".join(words.split()) in " ".join(result.stderr.split())
    assert result.exit_code == code
    assert not list(tmp_path.iterdir())


def test_without_metadata_there_is_no_private_fit(cli, table: Path, tmp_path: Path) -> None:
    result = cli("fit", table, "-o", tmp_path / "model.synthvae", "--epsilon", 3)
    assert result.exit_code == 3
    assert "synthvae detect TABLE --private" in " ".join(result.stderr.split())


def test_some_rows_are_left_out_and_how_many_is_not_said(fit, cli, tmp_path: Path) -> None:
    result = fit("--epsilon", 3)
    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())
    note = json.loads((tmp_path / "model.synthvae.holdout.json").read_text())
    assert "some rows were left out for an audit" in said
    assert 30 < len(note["rows"]) < 95  # a tenth of 600, give or take
    assert f"{len(note['rows'])} rows" not in said
    certificate = (tmp_path / "model.privacy_certificate.json").read_text()
    assert note["salt"] not in certificate
    assert "the note of rows left out" in certificate


def test_the_bound_of_canaries_is_held_against_the_claim(
    fit, cli, table: Path, tmp_path: Path
) -> None:
    assert fit("--epsilon", 3).exit_code == 0
    done = cli("audit", "-m", tmp_path / "model.synthvae", "--real", table, "--deep", "--json")
    assert done.exit_code in (0, 4), done.output
    found = json.loads(done.stdout)
    assert 2.9 < found["claim"]["epsilon"] <= 3
    assert [bound["name"] for bound in found["bounds"]] == ["canaries in one more fit"] * 2
    assert all(bound["epsilon"] <= found["claim"]["epsilon"] for bound in found["bounds"])
    assert any("no shadow models" in note for note in found["notes"])


def test_a_pipeline_that_is_no_longer_private(
    cli, table: Path, declared: Path, tmp_path: Path
) -> None:
    """Its gate saw the certificate while it was, and does not see it afterwards."""
    pipeline, out = tmp_path / "synthvae.yaml", tmp_path / "out"
    rules = {"privacy.epsilon": {"max": 4}}
    (tmp_path / "policy.yaml").write_text(yaml.safe_dump({"version": 1, "rules": rules}))
    section = {"data": str(table), "metadata": str(declared), "rows": 30, "policy": "policy.yaml",
               "skip": ["evaluate", "audit", "report"]}  # fmt: skip
    content = {"preset": "tvae", "training": {"epochs": 1}, "run": section}
    pipeline.write_text(yaml.safe_dump({**content, "privacy": {"epsilon": 3}}))
    assert cli("run", pipeline).exit_code == 0
    done = cli("run", pipeline, "--json")
    assert json.loads(done.stdout)["steps"]["fit"]["reasons"] == []
    pipeline.write_text(yaml.safe_dump(content))
    done = cli("run", pipeline)
    assert done.exit_code == 1
    assert "no step of this pipeline measures privacy.epsilon" in done.stderr
    assert not (out / "model.privacy_certificate.json").exists()
    assert (out / "privacy-history.json").exists()
