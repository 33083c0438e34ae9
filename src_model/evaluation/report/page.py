"""The report as one HTML file that opens without a network."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from src_model.errors import MissingExtraError
from src_model.evaluation.methods import TRACKING
from src_model.evaluation.report.curves import Axis, Line, chart
from src_model.evaluation.report.strips import COVERED, MISSED, RIGHT, Strip, draw_strip, ranked
from src_model.evaluation.report.table import interval_text, mean_text, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from src_model.evaluation.records import UnitRecord
    from src_model.evaluation.report.document import EvaluationReport
    from src_model.evaluation.sets import EvaluationSet
    from src_model.evaluation.summary import Summary

_SHOWN_FIRST = ("click", "box", "mask", "3clicks", "5clicks", "offline", "online")
"""Of which protocol masklets are shown: the one most people would use, among those there are."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawn chart with its heading and its lines, for the legend."""

    title: str
    svg: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """What the page says of one set."""

    name: str
    rows: tuple[Summary, ...]
    charts: tuple[Chart, ...]
    strips: tuple[Strip, ...]
    strips_of: str


def import_jinja() -> Any:
    """Import the package jinja2, or raise MissingExtraError."""
    try:
        import jinja2
    except ImportError as error:
        raise MissingExtraError("jinja2", "evaluate", "writing the report as a page") from error
    return jinja2


def render_page(report: EvaluationReport, sets: Sequence[EvaluationSet], records: Sequence[UnitRecord]) -> str:
    """Write the report as one page.

    Parameters
    ----------
    report
        All numbers of the page.
    sets
        The movies, of which frames are shown.
    records
        The results, of which masks are shown.

    Returns
    -------
    str
        HTML that refers to nothing outside of itself.

    Raises
    ------
    MissingExtraError
        If Jinja is not installed.
    """
    jinja2 = import_jinja()
    template = resources.files("src_model.evaluation.report").joinpath("page.html.jinja").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters.update(number=number, mean=mean_text, interval=interval_text)
    page: str = environment.from_string(template).render(
        report=report,
        sections=[section_of(each, report.rows, records) for each in sets],
        colors={"right": _css(RIGHT), "missed": _css(MISSED), "covered": _css(COVERED)},
    )
    return page


def section_of(each: EvaluationSet, rows: Sequence[Summary], records: Sequence[UnitRecord]) -> Section:
    """Gather what the page says of one set."""
    own = tuple(row for row in rows if row.set == each.name)
    shown = next(name for name in (*_SHOWN_FIRST, own[0].protocol) if any(row.protocol == name for row in own))
    movies = {movie.name: movie for movie in each.movies}
    drawn = [
        record
        for record in records
        if (record.key.set, record.key.protocol, record.key.method) == (each.name, shown, TRACKING)
    ]
    strips = tuple(draw_strip(rank, movies[record.key.movie], scores, j) for rank, record, scores, j in ranked(drawn))
    charts = (_effort_chart(own), _drift_chart(own), _calibration_chart(own, shown))
    return Section(each.name, own, tuple(made for made in charts if made is not None), strips, shown)


def _effort_chart(rows: Sequence[Summary]) -> Chart | None:
    curved = [row for row in rows if row.curve]
    if not curved:
        return None
    methods = list(dict.fromkeys(row.method for row in curved))
    lines = [
        Line(
            _label(row),
            [(point.prompted, point.quality) for point in row.curve],
            methods.index(row.method),
            dashed=row.protocol == "online",
        )
        for row in curved
    ]
    most = max(x for line in lines for x, _ in line.points)
    return _chart(
        "Quality against annotated frames", lines, Axis("annotated frames an object", 1, max(2.0, most)), "J&F"
    )


def _drift_chart(rows: Sequence[Summary]) -> Chart | None:
    tracked = [row for row in rows if row.method == TRACKING]
    lines = [
        Line(
            _label(row), [((place + 0.5) / len(row.drift), j) for place, j in enumerate(row.drift) if j is not None], n
        )
        for n, row in enumerate(tracked)
    ]
    if max((len(line.points) for line in lines), default=0) < 2:
        return None
    return _chart("Quality along the movie", lines, Axis("share of the way from first to last frame", 0, 1), "J")


def _calibration_chart(rows: Sequence[Summary], shown: str) -> Chart | None:
    row = next((row for row in rows if row.method == TRACKING and row.protocol == shown), None)
    if row is None or row.calibration is None:
        return None
    points = [(each.mean_predicted, each.mean_true) for each in row.calibration.bins if each.count]
    lines = [Line(_label(row), points, 0), Line("as it should be", [(0.0, 0.0), (1.0, 1.0)], 7, dashed=True)]
    return _chart("True against predicted IoU", lines, Axis("predicted IoU", 0, 1), "true IoU")


def _label(row: Summary) -> str:
    return f"{row.method}, {row.protocol}"


def _chart(title: str, lines: list[Line], x: Axis, y_name: str) -> Chart:
    lowest = min(y for line in lines for _, y in line.points)
    # From the fifth below the lowest point on: most curves would otherwise lie in the upper third.
    y = Axis(y_name, max(0.0, math.ceil(lowest * 5 - 1) / 5), 1.0)
    return Chart(title, chart(lines, x, y, title=title), tuple(lines))


def _css(color: tuple[int, int, int]) -> str:
    return f"rgb({color[0]} {color[1]} {color[2]})"
