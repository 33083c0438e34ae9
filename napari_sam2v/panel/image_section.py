"""Which movie is annotated, and how the model sees it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QRectF, QSize, Qt, Signal
from qtpy.QtGui import QImage, QPainter, QPaintEvent
from qtpy.QtWidgets import QFormLayout, QLabel, QPushButton, QSizePolicy, QWidget

from napari_sam2v.panel.basics import GAP, ChoiceBox, Heading, Tag, column, row
from napari_sam2v.panel.colors import theme_colors
from napari_sam2v.panel.painting import painting
from napari_sam2v.panel.view_state import Choice


class ImageSection(QWidget):
    """Layer, time axis, channel, plane and contrast; rows with nothing to choose are not shown.

    Signals
    -------
    layer_chosen(str)
        The name of the image layer to annotate.
    axis_chosen(str)
        The key of the axis that is time.
    channel_chosen(object)
        The key of the channel or of the mapping of channels.
    plane_chosen(object)
        The key of the plane or projection.
    contrast_chosen(str)
        The key of the way in which intensities are scaled.
    follow_requested()
        Use the channel and plane that the viewer shows.
    """

    layer_chosen = Signal(str)
    axis_chosen = Signal(str)
    channel_chosen = Signal(object)
    plane_chosen = Signal(object)
    contrast_chosen = Signal(str)
    follow_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.layer = ChoiceBox(
            "Image layer",
            "The movie to annotate",
            missing="No movie open",
            remedy="Drop a file on the viewer, or try File > Open Sample > sam2v.",
        )
        self.axis = ChoiceBox("Time axis", "The axis along which objects are followed: time, or depth of a stack")
        self.channel = ChoiceBox("Channel", "What of a frame the model sees")
        self.plane = ChoiceBox("Plane", "The plane or projection of each volume that the model sees")
        self.contrast = ChoiceBox("Contrast", "How intensities become what the model sees, the same on all frames")
        self.follow = QPushButton()
        self.follow.setToolTip("The viewer shows another channel or plane than the one the model sees")
        self.preview = Preview()
        self.summary = Tag()
        self._rows = QFormLayout()
        self._lay_out()
        self._connect()
        self.set_layers((), None)
        self.set_follow(None)

    def _lay_out(self) -> None:
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(GAP)
        self._rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        fields = {"Layer": self.layer, "Time": self.axis, "Channel": self.channel, "Plane": self.plane}
        for text, field in {**fields, "Contrast": self.contrast}.items():
            label = QLabel(text)
            label.setBuddy(field)
            self._rows.addRow(label, field)
        beside = row(self.preview)
        beside.setSpacing(8)
        beside.setAlignment(self.preview, Qt.AlignmentFlag.AlignTop)
        beside.addLayout(self._rows, 1)
        layout = column(self)
        layout.addWidget(Heading("Image", self.summary))
        layout.addLayout(beside)
        layout.addWidget(self.follow)

    def _connect(self) -> None:
        self.layer.chosen.connect(self.layer_chosen.emit)
        self.axis.chosen.connect(self.axis_chosen.emit)
        self.channel.chosen.connect(self.channel_chosen.emit)
        self.plane.chosen.connect(self.plane_chosen.emit)
        self.contrast.chosen.connect(self.contrast_chosen.emit)
        self.follow.clicked.connect(lambda: self.follow_requested.emit())

    def add_row(self, title: str, field: QWidget) -> None:
        """Put a field of another section below the rows of this one, as the model that sees the image."""
        self._rows.addRow(QLabel(title), field)

    def set_layers(self, names: Sequence[str], selected: str | None) -> None:
        """Offer these image layers; without any, all other rows go too."""
        self.layer.set_choices(names, selected)
        if not names:
            for box in (self.axis, self.channel, self.plane, self.contrast):
                self._offer(box, (), None)
            self.set_preview(None, "")
            self.set_summary("")

    def set_axes(self, options: Sequence[Choice | str], selected: str | None) -> None:
        """Offer these axes as time; a single one needs no row."""
        self._offer(self.axis, options, selected)

    def set_channels(self, options: Sequence[Choice | str], selected: Hashable) -> None:
        """Offer these channels and mappings; a single one needs no row."""
        self._offer(self.channel, options, selected)

    def set_planes(self, options: Sequence[Choice | str], selected: Hashable) -> None:
        """Offer these planes and projections; a single one needs no row."""
        self._offer(self.plane, options, selected)

    def set_contrast(self, options: Sequence[Choice | str], selected: str | None) -> None:
        """Offer these ways of scaling intensities; shown as soon as there is one."""
        self.contrast.set_choices(options, selected)
        self._show_row(self.contrast, bool(options))

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

    def _offer(self, box: ChoiceBox, options: Sequence[Choice | str], selected: Hashable) -> None:
        box.set_choices(options, selected)
        self._show_row(box, len(options) > 1)

    def _show_row(self, field: QWidget, shown: bool) -> None:
        field.setVisible(shown)
        label = self._rows.labelForField(field)
        if label is not None:
            label.setVisible(shown)


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
