"""Forms of options, which magicgui makes from typed models: one description for panel, command line and files.

A model is a pydantic model or pydantic dataclass. Of each field the form takes the title as label, the description as
tooltip, the default, the bounds, and the choices. ``json_schema_extra`` may say more: ``oneOf``, made by
`view_state.titled`, gives choices their labels and hints as JSON Schema does; ``choices`` marks a field whose choices
are set later, by `Form.set_choices`. As long as there are none, ``missing`` is read there, and the tooltip adds
``remedy``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from magicgui.widgets import CheckBox, ComboBox, create_widget
from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtWidgets import QAbstractSpinBox, QComboBox, QFormLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_sam2v.panel.widgets import Popup
from napari_sam2v.view_state import Choice

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

GAP = 4
"""Space between neighbours, in device-independent pixels."""


class Form(QWidget):
    """A field for each option of a model, below each other with labels, or side by side.

    Parameters
    ----------
    model
        The class of the options.
    names
        Which of its fields are shown, in this order; all of them if left out.
    across
        Whether the fields stand side by side, without labels.

    Signals
    -------
    changed(str, object)
        Name and new value of the option that the user changed; never emitted by setters.
    """

    changed = Signal(str, object)

    def __init__(self, model: type[Any], names: Iterable[str] | None = None, *, across: bool = False) -> None:
        super().__init__()
        fields: Mapping[str, FieldInfo] = model.__pydantic_fields__
        self.widgets: dict[str, Any] = {}
        self._wheel_filter = _WheelFilter(self)
        self._choices: dict[str, tuple[Choice, ...]] = {}
        self._descriptions: dict[str, str] = {}
        self._missing: dict[str, Choice] = {}
        self._layout: QFormLayout | QHBoxLayout = QHBoxLayout(self) if across else QFormLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(GAP)
        if isinstance(self._layout, QFormLayout):
            self._layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for name in fields if names is None else names:
            self._add(name, fields[name])

    def value(self, name: str) -> Any:
        """Return the value of an option; None where there is nothing to choose."""
        widget = self.widgets[name]
        if name not in self._choices:
            return widget.value
        choices = self._choices[name]
        return choices[widget.value].key if choices else None

    def values(self) -> dict[str, Any]:
        """Return what is shown, by name."""
        return {name: self.value(name) for name in self.widgets}

    def show_values(self, **values: Any) -> None:
        """Show these values; one that is no choice of its field is left out."""
        for name, value in values.items():
            widget = self.widgets[name]
            keys = [choice.key for choice in self._choices.get(name, ())]
            with widget.changed.blocked():
                if value in keys:
                    widget.value = keys.index(value)
                elif name not in self._choices:
                    widget.value = value
            self._describe(name)

    def set_choices(self, name: str, choices: Sequence[Choice], chosen: Any = None) -> None:
        """Offer these values for an option; the first one is shown if ``chosen`` is none of them."""
        self._choices[name] = tuple(choices)
        widget = self.widgets[name]
        with widget.changed.blocked():
            widget.native.clear()  # magicgui keeps the order of entries that were there before
            widget.reset_choices()
        for index, choice in enumerate(choices):
            widget.native.setItemData(index, choice.hint or choice.label, Qt.ItemDataRole.ToolTipRole)
        widget.native.setEnabled(bool(choices))
        # never blank; not set where there are choices, because Qt makes the box as wide as this text
        widget.native.setPlaceholderText("" if choices else self._missing[name].label)
        self.show_values(**{name: chosen})

    def set_bounds(self, name: str, least: int, most: int) -> None:
        """Let a number lie between these bounds; one that does not is moved there without being reported."""
        widget = self.widgets[name]
        with widget.changed.blocked():
            widget.native.setRange(least, max(least, most))

    def show_row(self, name: str, shown: bool = True) -> None:
        """Show or hide an option with its label."""
        native = self.widgets[name].native
        if isinstance(self._layout, QFormLayout):
            self._layout.setRowVisible(native, shown)
        else:
            native.setVisible(shown)

    def add(self, field: QWidget, title: str = "", *, before: str | None = None) -> None:
        """Put something else below the options, or beside them: at the end, or before one of them."""
        if isinstance(self._layout, QFormLayout):
            self._layout.addRow(QLabel(title), field)
        else:
            at = self._layout.count() if before is None else self._layout.indexOf(self.widgets[before].native)
            self._layout.insertWidget(at, field)

    def _add(self, name: str, field: FieldInfo) -> None:
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        title = field.title or name.replace("_", " ").capitalize()
        self._descriptions[name] = field.description or title
        self._missing[name] = Choice(None, str(extra.get("missing", "Nothing to choose")), str(extra.get("remedy", "")))
        widget = self.widgets[name] = self._widget(name, field, title, extra)
        native = widget.native
        native.setAccessibleName(title)
        native.installEventFilter(self._wheel_filter)
        if not isinstance(self._layout, QFormLayout):
            self._layout.addWidget(native, 1)
        elif isinstance(widget, CheckBox):
            self._layout.addRow(native)
        else:
            label = QLabel(title)
            label.setBuddy(native)
            self._layout.addRow(label, native)
        if isinstance(widget, ComboBox):
            _make_compact(native)
            self.set_choices(name, self._choices[name], field.get_default())
        if isinstance(widget, ComboBox):
            # Also where what is shown is chosen: a first entry that nobody chose yet, or a layer to be read once more.
            native.activated.connect(lambda _index: self._on_changed(name))
        else:
            widget.changed.connect(lambda _value: self._on_changed(name))
        self._describe(name)

    def _widget(self, name: str, field: FieldInfo, title: str, extra: Mapping[str, Any]) -> Any:
        """Have magicgui make the widget of a field."""
        if "oneOf" in extra or "choices" in extra:
            self._choices[name] = tuple(
                Choice(item["const"], item["title"], item.get("description", "")) for item in extra.get("oneOf", ())
            )
            # The numbers of the choices, not their values: magicgui does not report None, PySide makes lists of tuples.
            return ComboBox(
                name=name, choices=lambda _widget: [(item.label, i) for i, item in enumerate(self._choices[name])]
            )
        widget = create_widget(field.get_default(), field.annotation, name, label=title, options=_bounds(field))
        if isinstance(widget.native, QAbstractSpinBox):
            widget.native.setKeyboardTracking(False)  # a number is reported when it is complete
            widget.native.setMinimumWidth(56)  # superqt asks for room for the largest number there is
        return widget

    def _on_changed(self, name: str) -> None:
        self._describe(name)
        self.changed.emit(name, self.value(name))

    def _describe(self, name: str) -> None:
        """Say in the tooltip, and to a screen reader, what an option is for and what its choice means."""
        native, lines = self.widgets[name].native, [self._descriptions[name]]
        if isinstance(native, QComboBox):
            chosen = self._choices[name][native.currentIndex()] if self._choices[name] else self._missing[name]
            lines += dict.fromkeys(text for text in (chosen.label, chosen.hint) if text)
        native.setToolTip("\n".join(lines))
        native.setAccessibleDescription(native.toolTip())


class FormPopup(Popup):
    """A form in a small window over the panel.

    Parameters
    ----------
    parent
        The widget that opens it.
    name
        What a screen reader calls it.
    model, names
        As for `Form`.
    """

    def __init__(self, parent: QWidget, name: str, model: type[Any], names: Iterable[str] | None = None) -> None:
        super().__init__(parent, name)
        self.form = Form(model, names)
        for box in self.form.findChildren(QComboBox):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)  # there is room for the longest entry
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(14, 10, 14, 12)
        self._column.setSpacing(GAP)
        self._column.addWidget(self.form)

    def add(self, widget: QWidget) -> None:
        """Put something below the form, such as a button."""
        self._column.addWidget(widget)


class _WheelFilter(QObject):
    """Leaves the wheel to the panel: scrolling past a field must not change it."""

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if event is not None and event.type() == QEvent.Type.Wheel:
            event.ignore()
            return True
        return False


def _bounds(field: FieldInfo) -> dict[str, Any]:
    """Return the least and the largest number of a field, as magicgui has them."""
    bounds: dict[str, Any] = {}
    for item in field.metadata:
        for name, option in (("ge", "min"), ("le", "max")):
            if hasattr(item, name):
                bounds[option] = getattr(item, name)
    return bounds


def _make_compact(box: QComboBox) -> None:
    """Let a long entry not keep the panel from being narrow."""
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(6)
    # a click leaves the keyboard with the image, so that shortcuts go on working; Tab still reaches the box
    box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
