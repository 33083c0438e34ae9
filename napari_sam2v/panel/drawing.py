"""What widgets draw with: the colors of the viewer's theme, and painters that end when they should."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

from napari.utils.theme import available_themes, get_theme
from qtpy.QtGui import QColor, QPaintDevice, QPainter, QPalette
from qtpy.QtWidgets import QWidget


@dataclass(frozen=True, slots=True)
class ThemeColors:
    """The colors of a napari theme that are used for what no style sheet reaches: icons, delegates, the time strip."""

    background: QColor
    foreground: QColor
    primary: QColor
    highlight: QColor
    text: QColor
    current: QColor
    warning: QColor
    error: QColor


def theme_colors(widget: QWidget) -> ThemeColors:
    """Return the colors of the theme that `widget` is shown in.

    A style sheet tells a widget's palette two colors that every rule shares, the text and the selection. They lead to
    the theme with all the others, whichever viewer the widget is in; outside of napari the palette has to do.
    """
    palette = widget.palette()
    text, highlight = palette.color(QPalette.ColorRole.WindowText), palette.color(QPalette.ColorRole.Highlight)
    # a disabled widget's text is translucent, and is still that theme's text
    found = _theme_with(QColor(text.rgb()).name(), QColor(highlight.rgb()).name())
    return found or _colors_of(palette)


@lru_cache(maxsize=16)
def _theme_with(text: str, highlight: str) -> ThemeColors | None:
    for name in available_themes():
        if name == "system":
            continue
        theme = get_theme(name)
        colors = {key: QColor(getattr(theme, key).as_hex()) for key in ThemeColors.__slots__}
        if (colors["text"].name(), colors["highlight"].name()) == (text, highlight):
            return ThemeColors(**colors)
    return None


def _colors_of(palette: QPalette) -> ThemeColors:
    text, background = palette.color(QPalette.ColorRole.WindowText), palette.color(QPalette.ColorRole.Window)
    highlight = palette.color(QPalette.ColorRole.Highlight)
    return ThemeColors(
        background=background,
        foreground=blend(background, text, 0.06),
        primary=blend(background, text, 0.18),
        highlight=highlight,
        text=text,
        current=highlight,
        warning=text,
        error=text,
    )


def legible(color: QColor, colors: ThemeColors) -> QColor:
    """Move a color towards that of the text until it stands out from the background of its theme."""
    return QColor(_legible(color.rgb(), colors.text.rgb(), colors.foreground.rgb()))


@lru_cache(maxsize=2**16)  # thousands of objects are painted again and again
def _legible(color: int, text: int, foreground: int) -> int:
    for share in (0.0, 0.2, 0.4, 0.6):
        nearer = blend(QColor(color), QColor(text), share)
        if _contrast(nearer, QColor(foreground)) >= 2.5:
            break
    return nearer.rgb()


def _contrast(one: QColor, other: QColor) -> float:
    """Return the contrast of two colors as WCAG defines it, 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: QColor) -> float:
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color.getRgbF()[:3])
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def blend(one: QColor, other: QColor, share: float) -> QColor:
    """Mix `share` of the other color into the one; share in 0..1."""
    mixed = (round(a + (b - a) * share) for a, b in zip(one.getRgb()[:3], other.getRgb()[:3], strict=True))
    return QColor(*mixed)


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
