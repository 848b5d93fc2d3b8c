"""Pictures of one style, as SVG inside the page."""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, SOFT, LINE = "#1c2733", "#5a6876", "#dfe5ea"
ACCENT, ACCENT_SOFT, SECOND = "#0f6f8c", "#9cc9d6", "#d98032"
GOOD, WATCH, BAD = "#2c7a4b", "#b7791f", "#b83a3a"
SERIES = [ACCENT, SECOND, "#6a5acd", GOOD, "#a23b72", "#8a8d91"]

_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text: small, selectable, in the page's font
    "svg.hashsalt": "noria",  # the same picture gives the same bytes
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.edgecolor": LINE,
    "axes.labelcolor": SOFT,
    "axes.titlesize": 9.5,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "text.parse_math": False,  # a column may be named `$\\$`
}
_FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


@contextmanager
def drawing(width: float = 4.4, height: float = 2.4) -> "Iterator[Figure]":
    """A figure to draw on, in the style of the reports and apart from pyplot's global state.

    Args:
        width: in inches; about 4.4 fills half a column, 9 the whole.
        height: in inches.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE):
        yield Figure(figsize=(width, height), layout="constrained")


def svg(figure: "Figure", description: str) -> Markup:
    """The figure as an SVG element that scales with the page.

    Args:
        figure: drawn within `drawing`, and turned into SVG there too.
        description: what the picture shows, for those who cannot see it.
    """
    file = io.StringIO()
    with warnings.catch_warnings():
        # the font is the page's, which has more characters than the one that texts are measured with
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    # ids such as `axes_1` would repeat in a page with several pictures; nothing refers to them
    text = re.sub(r'<g id="[a-z0-9.]+_[\d_]+">', "<g>", text)
    # a style element in one picture would hold for the whole page
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(
        r'font(-family)?: ([^;"]*)(\'DejaVu Sans\'[^;"]*)', lambda m: f"font{m[1] or ''}: {m[2]}{_FONTS}", text
    )
    label = f'<svg role="img" aria-label="{escape(description)}" '
    return Markup(text.replace("<svg ", label, 1))  # noqa: S704 - made by matplotlib, which escapes text
