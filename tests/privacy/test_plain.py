"""A fit without a promise pays nothing for it: no library of privacy is loaded."""

import subprocess
import sys
from pathlib import Path

CODE = """
import sys
from importlib.metadata import entry_points
(script,) = entry_points(group="console_scripts", name="synthvae")
try:
    script.load()(sys.argv[1:])
except SystemExit as end:
    assert not end.code, end.code
assert not {"dp_accounting", "opacus", "opendp"} & set(sys.modules)
"""


def run(*arguments: object) -> None:
    command = [sys.executable, "-c", CODE, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr


def test_help_loads_no_library_of_privacy() -> None:
    run("--help")


def test_a_plain_fit_loads_no_library_of_privacy(csv: Path, tmp_path: Path) -> None:
    run("fit", csv, "-o", tmp_path / "model.synthvae", "--epochs", 1)
    assert (tmp_path / "model.synthvae").is_file()


def test_the_ledger_alone_loads_none_either() -> None:
    """Codecs may name its types: the accountant comes with the first budget."""
    code = "import sys, synthvae.privacy.ledger; assert 'dp_accounting' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
