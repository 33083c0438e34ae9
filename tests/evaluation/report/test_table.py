from __future__ import annotations

import io
import math
from dataclasses import replace

from rich.console import Console

from src_model.evaluation.protocols import Attempt
from src_model.evaluation.records import CellScores, UnitKey, UnitRecord
from src_model.evaluation.report import summary_table
from src_model.evaluation.report.table import interval_text, number
from src_model.evaluation.scoring import score_object
from src_model.evaluation.summary import Estimate, Occlusions, summarize
from src_model.masks import MaskletFrame
from tests.evaluation.fakes import target, truth_of


def shown(*, cells: CellScores | None = None, occlusions: Occlusions | None = None) -> str:
    masks = {t: MaskletFrame(truth_of(t), 0.75, 0.9) for t in range(4)}
    scores = score_object(target(4), [Attempt(masks, (0,), 1, 0)], gives_first_mask=False)
    records = [
        UnitRecord(UnitKey(name, "m", "click", method), 4, 6.0, "", (scores,), cells)
        for name in ("first-set", "second-set")
        for method in ("tracking", "copy")
    ]
    rows = summarize(records)
    if occlusions is not None:
        rows = [replace(row, occlusions=occlusions) for row in rows]
    output = io.StringIO()
    Console(file=output, width=200).print(summary_table(rows, title="tiny, 64 px"))
    return output.getvalue()


def test_each_row_has_its_numbers_and_each_set_its_name_once():
    text = shown()
    assert "tiny, 64 px" in text
    assert text.count("first-set") == text.count("second-set") == 1
    [row] = [line for line in text.splitlines() if "first-set" in line]
    assert [cell.strip() for cell in row.strip("│").split("│")] == [
        "first-set", "click", "tracking", "1", "1.000", "-", "1.000", "1.000", "1.000", "1.000", "0.250", "1.50",
    ]  # fmt: skip


def test_cell_tracking_scores_are_shown_where_there_are_some():
    assert "SEG" not in shown()
    assert "SEG" in shown(cells=CellScores(0.5, 0.5, 0.5))


def test_where_objects_leave_the_share_that_was_noticed_is_shown():
    assert "noticed" not in shown()
    [row] = [line for line in shown(occlusions=Occlusions(1.0, 1.0, 3, 2 / 3)).splitlines() if "first-set" in line]
    assert [cell.strip() for cell in row.strip("│").split("│")][-3:-1] == ["3", "0.667"]


def test_what_is_not_there_is_a_dash():
    assert number(None) == number(math.nan) == interval_text(None) == interval_text(Estimate(0.5)) == "-"
    assert interval_text(Estimate(0.5, 0.25, 0.75)) == "0.25 to 0.75"
