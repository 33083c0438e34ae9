from __future__ import annotations

import pytest
from qtpy.QtGui import QImage

from napari_sam2v.panel.painting import painting

pytestmark = pytest.mark.gui


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
