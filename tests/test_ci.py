"""What CI is handed works as far as it can be tried without its runners: the action's steps in a
shell, the rest by its form."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

ROOT = Path(__file__).parent.parent
DOCS = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")


def filled(text: str, inputs: dict[str, str]) -> str:
    """With the runner's expressions replaced, all of them."""
    known = {f"inputs.{name}": entry["default"] for name, entry in ACTION["inputs"].items()}
    known |= {f"inputs.{name}": value for name, value in inputs.items()}
    known |= {"github.action_path": str(ROOT)}
    return EXPRESSION.sub(lambda found: known[found[1]], text)


def steps_with_a_shell() -> list[dict[str, Any]]:
    return [step for step in STEPS if "run" in step]


def test_no_input_is_pasted_into_a_script() -> None:
    """An input that holds a quote would be a command: scripts see variables alone."""
    assert ACTION["runs"]["using"] == "composite"
    assert len(steps_with_a_shell()) == 2
    for step in steps_with_a_shell():
        assert step["shell"] == "bash"
        assert not EXPRESSION.search(step["run"])


def test_every_expression_names_something_that_is_there() -> None:
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    for name in re.findall(r"inputs\.([\w-]+)", text):
        assert name in ACTION["inputs"], name
    ids = {step.get("id") for step in STEPS}
    for step in re.findall(r"steps\.(\w+)\.", text):
        assert step in ids, step
    assert all({"description", "default"} <= set(entry) for entry in ACTION["inputs"].values())


def taken(code: str, inputs: dict[str, str], failed: bool) -> list[dict[str, Any]]:
    """The steps that the runner takes if the pipeline ended in `code`; '': it was never reached."""
    known = {f"inputs.{name}": entry["default"] for name, entry in ACTION["inputs"].items()}
    known |= {f"inputs.{name}": value for name, value in inputs.items()}
    known |= {"steps.run.outputs.exit-code": code}
    known |= {"steps.restore.outputs.cache-primary-key": "k" * (inputs.get("cache") != "false")}

    def holds(condition: str) -> bool:
        implied = "always()" in condition or not failed
        text = re.sub(r"[\w-]+(\.[\w-]+)+", lambda name: repr(known[name[0]]), condition)
        text = text.replace("always()", "True").replace("&&", "and")
        return implied and bool(eval(text, {"__builtins__": {}}))

    return [step for step in STEPS if holds(str(step.get("if", "True")))]


def uploaded(code: str, failed: bool) -> list[str]:
    """Patterns of names that leave."""
    steps = taken(code, {}, failed)
    paths = [step["with"]["path"] for step in steps if "upload-artifact" in step.get("uses", "")]
    return [line.rpartition("/")[2] for path in paths for line in path.split()]


def leaves(name: str, code: str, failed: bool) -> bool:
    return any(fnmatch(name, pattern) for pattern in uploaded(code, failed))


def test_rows_leave_if_the_gate_was_passed_and_the_outcome_in_any_case() -> None:
    assert leaves("synthetic.csv", "0", failed=False)
    assert leaves("check.json", "0", failed=False)
    for code in ("1", "2", "3", "4"):
        assert not leaves("synthetic.csv", code, failed=True)
        assert leaves("check.md", code, failed=True)
        assert leaves("junit.xml", code, failed=True)
    assert uploaded("", failed=True) == []  # what is there then is of another run
    names = [step["with"]["name"] for step in STEPS if "upload-artifact" in step.get("uses", "")]
    assert len(set(names)) == len(names)


def test_what_is_uploaded_holds_no_model_and_no_note_of_rows() -> None:
    secret = ["model.synthvae", "model.synthvae.holdout.json", ".synthvae-run.json",
              "privacy-history.json", "audit.md", "audit.json", "report.html", "report.json",
              "evaluation.json"]  # fmt: skip
    assert not [name for name in secret if leaves(name, "0", failed=False)]


def test_the_folder_is_kept_after_a_closed_gate_too() -> None:
    """Else a private fit would be paid for again, and its history forgotten."""
    for code, failed in (("0", False), ("1", True), ("", True)):
        uses = [step.get("uses", "").partition("@")[0] for step in taken(code, {}, failed)]
        assert "actions/cache/save" in uses
    assert "actions/cache" not in uses  # saves after success alone
    restore, save = [step["with"] for step in STEPS if "actions/cache/" in step.get("uses", "")]
    assert restore["path"] == save["path"]
    kept_out = taken("0", {"cache": "false"}, failed=False)
    assert not [step for step in kept_out if "cache" in step.get("uses", "")]


@pytest.mark.slow
@pytest.mark.parametrize("least", [1, 1000])
def test_the_actions_steps_in_a_shell(frame: pd.DataFrame, tmp_path: Path, least: int) -> None:
    frame.to_csv(tmp_path / "data.csv", index=False)
    fit = {"preset": "tvae", "training": {"epochs": 1}}
    section = {"data": "data.csv", "rows": 50, "policy": "p.yaml",
               "skip": ["evaluate", "audit", "report"]}  # fmt: skip
    (tmp_path / "my pipeline.yaml").write_text(yaml.safe_dump({**fit, "run": section}))
    rules = {"rows": {"min": least}}
    (tmp_path / "p.yaml").write_text(yaml.safe_dump({"version": 1, "rules": rules}))
    inputs = {"config": "my pipeline.yaml", "working-directory": str(tmp_path)}
    told, page = tmp_path / "output", tmp_path / "page.md"
    around = {
        **os.environ, "GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(told),
        "GITHUB_STEP_SUMMARY": str(page),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }  # fmt: skip
    results = []
    for step in steps_with_a_shell():
        env = {name: filled(text, inputs) for name, text in step.get("env", {}).items()}
        folder = filled(step.get("working-directory", str(tmp_path)), inputs)
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        results.append(
            subprocess.run(command, cwd=folder, env=around | env, capture_output=True, text=True,
                           check=False)
        )  # fmt: skip
    code = 0 if least == 1 else 1
    assert [done.returncode for done in results] == [0, code], results
    assert results[0].stdout.startswith("synthvae ")
    assert told.read_text() == f"exit-code={code}\n"
    assert ("::error title=synthvae%3A rows at least 1000::" in results[1].stdout) == bool(code)
    assert page.read_text().startswith(f"## Gate 'p' {'failed' if code else 'passed'}")
    assert (tmp_path / "out" / "synthetic.csv").exists()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOCS, re.DOTALL)


def commands() -> list[list[str]]:
    """Every call of synthvae in the page's shell blocks, and in its scripts for GitLab."""
    text = "\n".join(blocks("sh")).replace("\\\n", " ")
    text += "\n".join(re.findall(r"- (synthvae .*)", DOCS))
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    return [shlex.split(line) for line in lines if line.startswith("synthvae ")]


def test_commands_and_options_of_the_page_exist(cli) -> None:
    assert len(commands()) >= 4
    for command in commands():
        named = [word for word in command[1:3] if re.fullmatch("[a-z]+", word)]
        shown = cli(*named, "--help")
        assert shown.exit_code == 0, command
        for option in (word for word in command if word.startswith("--")):
            assert option in shown.stdout, (command, option)


def test_yaml_of_the_page_is_what_the_program_reads(tmp_path: Path) -> None:
    from synthvae.gate.policy import parse
    from synthvae.workflow.declared import read

    parsed = [yaml.safe_load(text) for text in blocks("yaml")]
    (pipeline,) = [text for text in blocks("yaml") if "\nrun:" in text]
    (tmp_path / "synthvae.yaml").write_text(pipeline)
    for name in ("train.csv", "holdout.csv", "metadata.yaml", "policy.yaml"):
        (tmp_path / name).write_text("")
    assert read(tmp_path / "synthvae.yaml").format == "parquet"
    (policy,) = [content for content in parsed if "rules" in content]
    assert len(parse(policy).rules) == 4
    (gitlab,) = [content for content in parsed if "synthetic-data" in content]
    _look_at_gitlab(gitlab["synthetic-data"])
    (github,) = [content for content in parsed if "jobs" in content]
    step = github["jobs"]["synthetic"]["steps"][1]
    assert set(step["with"]) <= set(ACTION["inputs"])
    (hooks,) = [content for content in parsed if "repos" in content]
    (own,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert hooks["repos"][0]["hooks"][0]["id"] == own["id"]


def _look_at_gitlab(job: dict[str, Any]) -> None:
    """Rows that failed the gate don't leave, and the folder is kept."""
    assert job["artifacts"]["reports"]["junit"] == "out/junit.xml"
    assert job["cache"] == {"key": "synthvae", "when": "always", "paths": ["out/"]}
    script = job["script"]
    at = {line.split()[0]: number for number, line in enumerate(script)}
    assert at["rm"] < at["synthvae"] < at["mkdir"]
    assert "release" in script[at["rm"]]
    assert "out/synthetic.* release/" in script[at["mkdir"]]
    assert job["artifacts"]["paths"] == ["release/", "out/check.md"]


def instructions() -> list[tuple[str, str]]:
    """Instruction and argument of every line of the Dockerfile, continued ones joined."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines)]


def test_the_image_is_small_runs_as_nobody_and_takes_what_is_there() -> None:
    found = instructions()
    names = [name for name, _ in found]
    known = ["FROM", "ARG", "ENV", "RUN", "WORKDIR", "COPY", "USER", "ENTRYPOINT", "CMD"]
    assert set(names) <= set(known)
    assert all(re.search(r":\d", rest) for name, rest in found if name == "FROM")
    last = found[len(names) - 1 - names[::-1].index("FROM") :]
    users = [rest for name, rest in last if name == "USER"]
    assert users == ["synthvae"]
    assert [name for name, _ in last].index("USER") < [name for name, _ in last].index("ENTRYPOINT")
    assert ("ENTRYPOINT", '["synthvae"]') in last
    shown = [line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line[0] == "!"]
    for _, rest in (each for each in found if each[0] == "COPY" and "--from" not in each[1]):
        for source in rest.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert source.removeprefix("./") in shown, source


def test_the_image_takes_the_torch_of_the_constraints() -> None:
    (line,) = [rest for name, rest in instructions() if name == "RUN" and "TORCH_INDEX" in rest]
    assert "grep '^torch==' constraints.txt" in line
    assert any(
        text.startswith("torch==") for text in (ROOT / "constraints.txt").read_text().splitlines()
    )
