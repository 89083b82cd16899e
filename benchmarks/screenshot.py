"""`docs/report.png`: the head of the demo's report. Run after `make demo`; needs Chromium."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--hide-scrollbars")  # fmt: skip


def main() -> None:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise SystemExit(f"a screenshot needs one of {', '.join(BROWSERS)}; install one")
    page, picture = ROOT / "demo-out" / "report.html", ROOT / "docs" / "report.png"
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [browser, *FLAGS, f"--user-data-dir={profile}", "--window-size=1240,1500",
             f"--screenshot={picture}", page.as_uri()],
            check=True,
        )  # fmt: skip


if __name__ == "__main__":
    main()
