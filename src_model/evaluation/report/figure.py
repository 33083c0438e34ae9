"""A chart as an SVG file of its own, with its colours and a legend."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from src_model.evaluation.report.curves import Axis, Line, chart

if TYPE_CHECKING:
    from collections.abc import Sequence

_COLOURS = ("#2a78d6", "#c2571a", "#2f8f5b", "#9a3aa6")
_TEXT = "text{font:11px sans-serif;fill:#444} .grid{stroke:#ddd} .axis{stroke:#888}"
_SIZE = 'width="690" height="420"'


def figure(lines: Sequence[Line], x: Axis, y: Axis, *, title: str, legend_at: tuple[int, int] = (62, 24)) -> str:
    """Draw a chart that needs no page around it.

    Parameters
    ----------
    lines
        Four at most, whose styles are their numbers.
    x, y
        The axes.
    title
        Read out to those who cannot see it.
    legend_at
        (x, y) of the legend's first entry.
    """
    style = "".join(
        f".s{line.style}{{stroke:{_COLOURS[line.style]};fill:{_COLOURS[line.style]}}} "
        f"polyline.s{line.style}{{fill:none;stroke-width:2}}"
        for line in lines
    )
    left, top = legend_at
    legend = "".join(
        f'<circle class="s{line.style}" cx="{left}" cy="{top + 16 * place}" r="4"/>'
        f'<text x="{left + 10}" y="{top + 16 * place + 4}">{escape(line.label)}</text>'
        for place, line in enumerate(lines)
    )
    head, _, body = chart(lines, x, y, title=title).partition(">")
    named = head.replace("<svg ", f'<svg xmlns="http://www.w3.org/2000/svg" {_SIZE} ', 1)
    background = '<rect width="100%" height="100%" fill="#fff"/>'
    return f"{named}><style>{style}{_TEXT}</style>{background}{body.removesuffix('</svg>')}{legend}</svg>\n"
