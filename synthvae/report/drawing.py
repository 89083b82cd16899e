"""Figures of matplotlib as SVG that takes its colours and its type from the page around it."""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from synthvae.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Stand-ins that no plot uses otherwise; the page's style sheet says what they are, light and dark.
INK, MUTED, LINE = "#010101", "#020202", "#030303"
REAL, HOLDOUT, SYNTHETIC = "#040404", "#050505", "#060606"
_THEME = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    LINE: "var(--line)",
    REAL: "var(--real)",
    HOLDOUT: "var(--holdout)",
    SYNTHETIC: "var(--synthetic)",
}
_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text: it is read aloud, found and set in the page's type
    "svg.hashsalt": "synthvae",  # same content, same bytes
    "font.size": 10,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "text.color": INK,
    "text.parse_math": False,  # names of columns hold dollars
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "figure.dpi": 72,
}


def check_installed() -> None:
    """UsageError if what draws the page is not there."""
    missing = [name for name in ("matplotlib", "jinja2") if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"a page is drawn with matplotlib and jinja2, but {' and '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} not installed; pip install "
            "'synthvae[report]', or ask for --json or --markdown alone"
        )


_P = ParamSpec("_P")
_T = TypeVar("_T")


def styled(plot: Callable[_P, _T]) -> Callable[_P, _T]:
    """`plot` under the settings of all plots, and nobody else's."""

    @functools.wraps(plot)
    def drawn(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        import matplotlib as mpl

        settings: Any = _SETTINGS
        with mpl.rc_context():
            mpl.rcdefaults()
            mpl.rcParams.update(settings)
            return plot(*args, **kwargs)

    return drawn


def figure(width: float, height: float, rows: int = 1, columns: int = 1, **more: Any) -> Any:
    """A figure of `width` x `height` inches at 72 dots, and its axes."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.02)
    made = Figure(figsize=(width, height), layout=layout)
    return made, made.subplots(rows, columns, **more)


def svg(made: Figure, key: str, words: str) -> str:
    """The figure as inline SVG. `key` makes its ids unique on the page; `words` say what it shows
    to those who don't see it."""
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    made.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    return _inline(buffer.getvalue(), key, words)


def _inline(text: str, key: str, words: str) -> str:
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    head, body = text.split(">", 1)
    found = re.search(r'viewBox="([^"]+)"', head)
    assert found is not None
    used = set(re.findall(r"(?:url\(#|href=\"#)([^\")]+)", body))
    body = re.sub(r' id="([^"]+)"',
                  lambda m: f' id="{key}-{m[1]}"' if m[1] in used else "", body)  # fmt: skip
    body = re.sub(r"(url\(#|href=\"#)", rf"\g<1>{key}-", body)
    for stand_in, name in _THEME.items():
        body = body.replace(stand_in, name)
    # The family is the page's; sizes stay.
    body = re.sub(r" font-family: [^;\"]+;?", "", body)
    body = re.sub(r" transform=\"rotate\(-?0 [^\"]+\"", "", body)
    body = re.sub(r"<style[^>]*>.*?</style>", "", body, flags=re.S)
    body = re.sub(r"\s*\n\s*", " ", body)
    return f'<svg viewBox="{found[1]}" role="img" aria-label="{_quoted(words)}">{body}'


def _quoted(words: str) -> str:
    pairs = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"))
    for plain, safe in pairs:
        words = words.replace(plain, safe)
    return words


def bare(axes: Axes) -> None:
    """Only the line below."""
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
