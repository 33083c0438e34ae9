"""Which movie is annotated, and how the model sees it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QRectF, QSize, Qt, Signal
from qtpy.QtGui import QImage, QPainter, QPaintEvent
from qtpy.QtWidgets import QLabel, QPushButton, QSizePolicy, QWidget

from napari_sam2v.layers.movie_options import MovieOptions
from napari_sam2v.panel.drawing import painting, theme_colors
from napari_sam2v.panel.forms import Form
from napari_sam2v.panel.widgets import Heading, Tag, column, row
from napari_sam2v.view_state import Choice, as_choices


class ImageSection(QWidget):
    """Layer, time axis, channel, plane and contrast; rows with nothing to choose are not shown.

    Signals
    -------
    option_chosen(str, object)
        Name and value of one of the `MovieOptions`.
    follow_requested()
        Use the channel and plane that the viewer shows.
    """

    option_chosen = Signal(str, object)
    follow_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.form = Form(MovieOptions)
        self.follow = QPushButton()
        self.follow.setToolTip("The viewer shows another channel or plane than the one the model sees")
        self.preview = Preview()
        self.summary = Tag()
        beside = row(self.preview, self.form, stretch=(0, 1))
        beside.setSpacing(8)
        beside.setAlignment(self.preview, Qt.AlignmentFlag.AlignTop)
        layout = column(self)
        layout.addWidget(Heading("Image", self.summary))
        layout.addLayout(beside)
        layout.addWidget(self.follow)
        self.form.changed.connect(self.option_chosen)
        self.follow.clicked.connect(lambda: self.follow_requested.emit())
        self.set_layers((), None)
        self.set_follow(None)

    def set_layers(self, names: Sequence[str], selected: str | None) -> None:
        """Offer these image layers; without any, all other rows go too."""
        self.form.set_choices("layer_name", as_choices(names), selected)
        self.form.show_row("contrast", bool(names))
        if not names:
            for name in ("axes", "channel", "plane"):
                self.set_choices(name, (), None)
            self.set_preview(None, "")
            self.set_summary("")

    def set_choices(self, name: str, choices: Sequence[Choice], selected: Hashable) -> None:
        """Offer these axes, channels or planes; a single one needs no row."""
        self.form.set_choices(name, choices, selected)
        self.form.show_row(name, len(choices) > 1)

    def set_follow(self, text: str | None) -> None:
        """Offer what the viewer shows to the model, for instance "Use channel 1, as shown"; None: it sees that."""
        self.follow.setText(text or "")
        self.follow.setVisible(text is not None)

    def set_preview(self, rgb: NDArray[np.uint8] | None, caption: str = "") -> None:
        """Show what the model sees: (h, w, 3) uint8, any size, or None; the caption is its tooltip."""
        self.preview.set_picture(rgb)
        text = "What the model sees" if rgb is not None else "What the model sees will show here"
        self.preview.setToolTip(f"{text}\n{caption}" if caption else text)
        self.preview.setAccessibleDescription(self.preview.toolTip())

    def set_summary(self, text: str) -> None:
        """Say in a few words how large the movie is, for instance "11 frames, 160 x 257"."""
        self.summary.setText(text)


class Preview(QLabel):
    """A small picture that keeps its proportions."""

    def __init__(self) -> None:
        super().__init__()
        self._picture: QImage | None = None
        self.setAccessibleName("What the model sees")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_picture(self, rgb: NDArray[np.uint8] | None) -> None:
        """Show an (h, w, 3) uint8 array, or an empty place."""
        self._picture = None
        if rgb is not None:
            height, width = rgb.shape[:2]
            # the copy owns its bytes; these may go
            self._picture = QImage(rgb.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()
        self.update()

    def sizeHint(self) -> QSize:
        """As high as two rows, whatever the size of the type."""
        side = round(self.fontMetrics().height() * 3.8)
        return QSize(side, side)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the picture as large as it fits."""
        with painting(self) as painter:
            colors = theme_colors(self)
            painter.fillRect(self.rect(), colors.foreground)
            if self._picture is None:
                painter.setPen(colors.highlight)
                painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), "no\nimage")
                return
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            size = self._picture.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
            place = QRectF(0, 0, size.width(), size.height())
            place.moveCenter(QRectF(self.rect()).center())
            painter.drawImage(place, self._picture)
