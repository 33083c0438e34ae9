"""The table in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from src_model.evaluation.summary import Estimate, Summary

DASH = "-"


def summary_table(rows: Sequence[Summary], *, title: str) -> Table:
    """Make a table of the most important numbers, one line for each set, protocol and method."""
    table = Table(title=title, title_justify="left")
    for name in ("set", "protocol", "method"):
        table.add_column(name, no_wrap=True)
    cells = any(row.seg for row in rows)
    leaving = any(_left(row) for row in rows)
    names = (
        "objects",
        "J",
        "95 %",
        "F",
        "J&F",
        "DAVIS J&F",
        "NSD",
        *(("SEG", "TRA") if cells else ()),
        "ECE",
        *(("left", "noticed") if leaving else ()),
        "s/frame",
    )
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    before = None
    for row in rows:
        if before is not None and row.set != before:
            table.add_section()
        table.add_row(
            "" if row.set == before else row.set, row.protocol, row.method, *_numbers(row, cells=cells, leaving=leaving)
        )
        before = row.set
    return table


def number(value: float | None, digits: int = 3) -> str:
    """Write a number, or a dash where there is none."""
    return DASH if value is None or value != value else f"{value:.{digits}f}"


def mean_text(estimate: Estimate | None, digits: int = 3) -> str:
    """Write the mean of an estimate."""
    return DASH if estimate is None else number(estimate.mean, digits)


def interval_text(estimate: Estimate | None) -> str:
    """Write the interval of an estimate."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return DASH
    return f"{estimate.low:.2f} to {estimate.high:.2f}"


def _left(row: Summary) -> int:
    """Return how often an object left."""
    return row.occlusions.disappearances if row.occlusions else 0


def _numbers(row: Summary, *, cells: bool, leaving: bool) -> list[str]:
    return [
        str(row.objects),
        mean_text(row.j),
        interval_text(row.j),
        *(mean_text(each) for each in (row.f, row.jf, row.davis_jf, row.nsd)),
        *((mean_text(row.seg), mean_text(row.tra)) if cells else ()),
        number(row.calibration.ece if row.calibration else None),
        *((str(_left(row)), number(row.occlusions.found_within if row.occlusions else None)) if leaving else ()),
        number(row.seconds, 2),
    ]
