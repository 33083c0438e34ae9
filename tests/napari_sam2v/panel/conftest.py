"""What the tests of the panel share."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_sam2v.view_state import ObjectRow

try:
    import qtpy.QtWidgets  # noqa: F401
except ImportError:
    WITHOUT_QT = {"test_doubt"}
    collect_ignore = [path.name for path in Path(__file__).parent.glob("test_*.py") if path.stem not in WITHOUT_QT]


@pytest.fixture
def make_rows():
    def make(count, **same):
        return [ObjectRow(i + 1, f"cell {i + 1}", (200, 40 * i % 256, 90), **same) for i in range(count)]

    return make


@pytest.fixture
def emissions():
    """Collects the arguments of every emission of a signal."""

    def collect(signal):
        collected = []
        signal.connect(lambda *values: collected.append(values))
        return collected

    return collect


@pytest.fixture
def styled():
    """Puts one of napari's themes on a widget."""
    from napari.qt import get_stylesheet

    def style(widget, theme="dark", **variables):
        widget.setStyleSheet(get_stylesheet(theme, extra_variables=variables))
        return widget

    return style
