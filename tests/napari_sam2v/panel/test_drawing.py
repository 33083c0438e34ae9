from __future__ import annotations

import pytest
from napari.utils.theme import get_theme
from qtpy.QtGui import QColor, QImage
from qtpy.QtWidgets import QLabel, QPushButton, QTableView, QWidget

from napari_sam2v.panel.drawing import blend, legible, painting, theme_colors
from napari_sam2v.panel.widgets import column

pytestmark = pytest.mark.gui


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("kind", [QWidget, QLabel, QPushButton, QTableView])
def test_every_widget_finds_the_theme_it_is_shown_in(qtbot, styled, theme, kind):
    window, inner = QWidget(), kind()
    qtbot.addWidget(window)
    column(window).addWidget(inner)
    styled(window, theme)
    window.show()
    colors = theme_colors(inner)
    assert colors.warning == QColor(get_theme(theme).warning.as_hex())
    assert colors.current == QColor(get_theme(theme).current.as_hex())
    inner.setEnabled(False)
    assert theme_colors(inner) == colors


def test_without_a_theme_the_palette_has_to_do(qtbot):
    widget = QWidget()
    qtbot.addWidget(widget)
    colors = theme_colors(widget)
    assert colors.text == widget.palette().windowText().color()
    assert colors.background != colors.text


def test_blending_goes_from_one_color_to_the_other():
    black, white = QColor("black"), QColor("white")
    assert blend(black, white, 0) == black
    assert blend(black, white, 1) == white
    assert blend(black, white, 0.2).red() == 51


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_color_like_the_background_is_moved_until_it_shows(qtbot, styled, theme):
    widget = QWidget()
    qtbot.addWidget(widget)
    colors = theme_colors(styled(widget, theme))
    hidden = blend(colors.background, colors.text, 0.05)
    assert abs(legible(hidden, colors).lightness() - colors.background.lightness()) > 50
    assert legible(colors.text, colors) == colors.text


def test_a_painter_ends_with_its_block_even_where_something_holds_it(qapp):
    picture = QImage(4, 4, QImage.Format.Format_RGB32)
    with painting(picture) as painter:
        assert painter.isActive()
    assert not painter.isActive()


def test_a_painter_ends_where_painting_fails(qapp):
    picture = QImage(4, 4, QImage.Format.Format_RGB32)
    with pytest.raises(ValueError, match="no"), painting(picture) as painter:
        raise ValueError("no")
    assert not painter.isActive()
