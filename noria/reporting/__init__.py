"""Reports for people: self-contained HTML pages in one style.

A report extends `base.html`, may use the macros of `parts.html`, and lies beside the code that fills it.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from noria.reporting.formats import count, date, number, percent, plural

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["count", "date", "number", "percent", "plural", "render"]


def render(template_name: str, **context: object) -> str:
    """Fill a template.

    Args:
        template_name: a file of this folder, or a path seen from the `noria` folder
            ("profiling/report/exploration_report.html").
        context: what the template names; text is escaped, `markupsafe.Markup` is not. `base.html` knows `contents`,
            a list of (anchor, title) or (anchor, title, "sub") for the table of contents.

    Returns:
        The whole page, which loads nothing from elsewhere.
    """
    return _environment().get_template(template_name).render(context)


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    here = Path(__file__).parent
    environment = Environment(
        loader=FileSystemLoader([here, here.parent]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(count=count, number=number, percent=percent, plural=plural, zip=zip)
    return environment
