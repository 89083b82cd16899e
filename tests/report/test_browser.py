"""The page as Chromium shows it: no error, nothing wider than the screen, all charts there."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from synthvae.report.page import page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
                None)  # fmt: skip
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--allow-file-access-from-files", "--enable-logging=stderr", "--v=0"]  # fmt: skip
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

# Two frames of a fixed width: a window of a headless browser can't be as narrow as a phone.
WRAPPER = """<!doctype html><iframe width=1280 height=900></iframe><iframe width=390 height=800>
</iframe><pre></pre><script>
var frames = document.querySelectorAll("iframe"), done = 0;
function measured(frame) {
  var page = frame.contentDocument, root = page.documentElement, table = null, order = [];
  var wide = Array.from(page.querySelectorAll("main *")).filter(function (each) {
    var inside = !each.closest(".scroll, svg");
    return inside && each.getBoundingClientRect().right > root.clientWidth + 1;
  }).map(function (each) { return each.tagName + "." + each.className; });
  table = page.querySelector("#numbers table");
  var before = table.tBodies[0].rows[0].textContent;
  table.tHead.rows[0].cells[1].click();
  var cells = Array.from(table.tBodies[0].rows).map(function (row) {
    return row.cells[1].dataset.v === "" ? -1e300 : Number(row.cells[1].dataset.v); });
  return {
    width: root.clientWidth, scroll: root.scrollWidth, wide: wide,
    charts: Array.from(page.querySelectorAll("figure svg")).map(function (svg) {
      var box = svg.getBoundingClientRect(); return [box.width, box.height]; }),
    sorted: cells.every(function (value, at) { return !at || cells[at - 1] >= value; }),
    title: page.title
  };
}
frames.forEach(function (frame) {
  frame.addEventListener("load", function () {
    done += 1;
    if (done === 2)
      document.querySelector("pre").textContent = JSON.stringify(Array.from(frames).map(measured));
  });
  frame.src = "report.html";
});
</script>"""


@pytest.fixture(scope="module")
def shown(content: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, str]:
    """What both frames measured, and what the browser logged."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "report.html").write_text(page(content), encoding="utf-8")
    (folder / "wrapper.html").write_text(WRAPPER, encoding="utf-8")
    return measure(folder)


def measure(folder: Path) -> tuple[Any, str]:
    assert CHROMIUM is not None
    more = [f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=20000", "--dump-dom"]
    command = [CHROMIUM, *FLAGS, *more, (folder / "wrapper.html").as_uri()]
    done = subprocess.run(command, capture_output=True, timeout=240, check=True)
    text = re.search(r"<pre>(.*?)</pre>", done.stdout.decode(), re.S)
    assert text is not None
    assert text[1], done.stderr.decode()
    return json.loads(html.unescape(text[1])), done.stderr.decode()


def test_the_console_has_no_error(shown):
    _, log = shown
    assert [line for line in log.splitlines() if "CONSOLE" in line] == []


def test_nothing_is_wider_than_the_screen(shown):
    for frame in shown[0]:
        assert frame["scroll"] <= frame["width"]
        assert frame["wide"] == []


def test_every_chart_has_a_size(shown, content):
    for frame, least in zip(shown[0], (250, 250), strict=True):
        assert len(frame["charts"]) >= len(content["sections"]["fidelity"]["columns"]) + 6
        assert all(width >= least and height > 60 for width, height in frame["charts"])


def test_tables_are_sorted_by_a_click(shown):
    assert all(frame["sorted"] for frame in shown[0])
