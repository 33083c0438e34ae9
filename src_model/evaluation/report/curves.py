"""Line charts as SVG: inline, colored by the page's style sheet so that they follow light and dark, or alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH, _HEIGHT = 460, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 12, 40

_FIGURE_COLORS = ("#2a78d6", "#c2571a", "#2f8f5b", "#9a3aa6")
_FIGURE_TEXT = "text{font:11px sans-serif;fill:#444} .grid{stroke:#ddd} .axis{stroke:#888}"
_FIGURE_SIZE = 'width="690" height="420"'
"""What the style sheet of a page gives to a chart, for one that stands alone."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart.

    Attributes
    ----------
    label
        What the legend calls it.
    points
        (x, y) pairs in the order of the line.
    style
        Number of its color, 0 to 7.
    dashed
        To tell lines of one color apart.
    """

    label: str
    points: Sequence[tuple[float, float]]
    style: int
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """A range with its name; ticks are chosen."""

    name: str
    low: float
    high: float

    def ticks(self, about: int = 5) -> list[float]:
        """Choose round numbers between the ends."""
        rough = (self.high - self.low) / about
        power = 10 ** math.floor(math.log10(rough))
        step = next(step * power for step in (1, 2, 5, 10) if step * power >= rough * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        return [number * step for number in range(first, math.floor(self.high / step + 1e-9) + 1)]


def chart(lines: Sequence[Line], x: Axis, y: Axis, *, title: str) -> str:
    """Draw a chart, 460 x 280, without colors of its own.

    Parameters
    ----------
    lines
        Few enough to be told apart.
    x, y
        Horizontal and vertical axis, with their ranges.
    title
        Read out to those who cannot see it.

    Returns
    -------
    str
        An ``<svg>`` element; the page gives the classes ``grid``, ``axis`` and ``s0`` to ``s7`` their colors.
    """
    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">']
    for value in y.ticks():
        place = _y(value, y)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{place:.1f}" y2="{place:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{place + 4:.1f}" text-anchor="end">{value:g}</text>')
    for value in x.ticks():
        place = _x(value, x)
        parts.append(f'<text x="{place:.1f}" y="{_HEIGHT - 22}" text-anchor="middle">{value:g}</text>')
    floor = _HEIGHT - _BOTTOM
    parts.append(f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{floor}" y2="{floor}"/>')
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(f'<text x="{middle:.0f}" y="{_HEIGHT - 5}" text-anchor="middle">{escape(x.name)}</text>')
    turned = f'transform="translate(11 {(_TOP + floor) / 2:.0f}) rotate(-90)"'
    parts.append(f'<text {turned} text-anchor="middle">{escape(y.name)}</text>')
    for line in lines:
        parts.extend(_drawn(line, x, y))
    return "".join((*parts, "</svg>"))


def _drawn(line: Line, x: Axis, y: Axis) -> list[str]:
    places = [(_x(px, x), _y(py, y)) for px, py in line.points]
    path = " ".join(f"{px:.1f},{py:.1f}" for px, py in places)
    marks = []
    for (px, py), (value_x, value_y) in zip(places, line.points, strict=True):
        tip = escape(f"{line.label}: {value_y:.3f} at {value_x:.3g}")
        marks.append(f'<circle class="s{line.style}" cx="{px:.1f}" cy="{py:.1f}" r="3.2"><title>{tip}</title></circle>')
    dashes = ' stroke-dasharray="5 4"' if line.dashed else ""
    return [f'<polyline class="s{line.style}"{dashes} points="{path}"/>', *marks]


def _x(value: float, axis: Axis) -> float:
    return _LEFT + (value - axis.low) / (axis.high - axis.low) * (_WIDTH - _LEFT - _RIGHT)


def _y(value: float, axis: Axis) -> float:
    return _HEIGHT - _BOTTOM - (value - axis.low) / (axis.high - axis.low) * (_HEIGHT - _TOP - _BOTTOM)


def figure(lines: Sequence[Line], x: Axis, y: Axis, *, title: str, legend_at: tuple[int, int] = (62, 24)) -> str:
    """Draw a chart that needs no page around it.

    Parameters
    ----------
    lines
        Four at most, whose styles are their numbers.
    x, y
        Horizontal and vertical axis, with their ranges.
    title
        Read out to those who cannot see it.
    legend_at
        (x, y) of the legend's first entry.
    """
    style = "".join(
        f".s{line.style}{{stroke:{_FIGURE_COLORS[line.style]};fill:{_FIGURE_COLORS[line.style]}}} "
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
    named = head.replace("<svg ", f'<svg xmlns="http://www.w3.org/2000/svg" {_FIGURE_SIZE} ', 1)
    background = '<rect width="100%" height="100%" fill="#fff"/>'
    return f"{named}><style>{style}{_FIGURE_TEXT}</style>{background}{body.removesuffix('</svg>')}{legend}</svg>\n"
