"""Painters that end when they should."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from qtpy.QtGui import QPaintDevice, QPainter


@contextmanager
def painting(device: QPaintDevice) -> Iterator[QPainter]:
    """Paint on a widget or a picture.

    A painter left to Python's own time ends too late where something still holds its frame, such as an error that is
    shown to the user or a debugger; Qt then crashes.
    """
    painter = QPainter(device)
    try:
        yield painter
    finally:
        painter.end()
