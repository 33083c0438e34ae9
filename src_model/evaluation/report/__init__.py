"""Reports of an evaluation: JSON, a table, and a page."""

from __future__ import annotations

from src_model.evaluation.report.document import EvaluationReport, MovieUsed, SetUsed, write_json
from src_model.evaluation.report.page import import_jinja, render_page
from src_model.evaluation.report.table import summary_table

__all__ = ["EvaluationReport", "MovieUsed", "SetUsed", "import_jinja", "render_page", "summary_table", "write_json"]
