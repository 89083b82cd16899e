"""The plugin as a project uses it, in a pytest of its own."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parent.parent
PLUGIN = ("-p", "synthvae.pytest_plugin", "-p", "no:cacheprovider")


@pytest.fixture(autouse=True)
def named_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where synthvae is installed its entry point loads the plugin too, and twice is refused."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def test_rows_are_seeded_cached_and_copied(pytester: pytest.Pytester, model_file: Path) -> None:
    pytester.makeini(f"[pytest]\nsynthvae_model = {model_file}\n")
    pytester.makepyfile(
        """
        def test_same(synthetic_table):
            first, second = synthetic_table(n=20, seed=3), synthetic_table(n=20, seed=3)
            assert first.equals(second) and first is not second
            first["score"] = 0
            assert not first.equals(synthetic_table(n=20, seed=3))
            assert not second.equals(synthetic_table(n=20, seed=4))
            assert len(second) == 20

        def test_drawn_once(synthetic_table, monkeypatch):
            from synthvae import Synthesizer
            monkeypatch.setattr(Synthesizer, "sample", None)
            assert len(synthetic_table(n=20, seed=3)) == 20
        """
    )
    pytester.runpytest_inprocess(*PLUGIN).assert_outcomes(passed=2)


def test_options_and_paths_from_the_root(pytester: pytest.Pytester, model_file: Path) -> None:
    pytester.path.joinpath("m.synthvae").write_bytes(model_file.read_bytes())
    pytester.makepyfile(
        """
        def test_balanced(synthetic_table):
            rows = synthetic_table("m.synthvae", n=40, balance="group")
            assert set(rows["group"].value_counts()) == {10}

        def test_partial_rows_that_differ_in_the_middle(synthetic_table):
            import pandas as pd

            low = pd.DataFrame({"group": ["low"] * 100})
            other = low.copy()
            other.loc[50, "group"] = "high"
            first = synthetic_table("m.synthvae", n=None, conditions=low)
            second = synthetic_table("m.synthvae", n=None, conditions=other)
            assert first["group"][50] == "low" and second["group"][50] == "high"
        """
    )
    pytester.runpytest_inprocess(*PLUGIN).assert_outcomes(passed=2)


def test_no_model_is_an_error_in_words(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test(synthetic_table): synthetic_table()")
    result = pytester.runpytest_inprocess(*PLUGIN)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*set synthvae_model in pytest's settings*"])


def test_importing_it_loads_nothing_else() -> None:
    code = (
        "import sys; import synthvae.pytest_plugin;"
        "assert not {'torch', 'pandas', 'numpy', 'pyarrow'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_it_is_found_by_pytest() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"synthvae": "synthvae.pytest_plugin"}
