"""What happens at the workbench besides changes of the document itself."""

from __future__ import annotations

from psygnal import Signal, SignalGroup

from napari_sam2v.panel.view_state import RunProgress
from napari_sam2v.workbench.readings import Readings


class WorkbenchEvents(SignalGroup):
    """Signals of the workbench, emitted on the host's thread.

    Attributes
    ----------
    document
        Another document, or none, is on the bench; its own events tell what happens to it.
    selection
        Another object is selected; its id, or None where the next prompt starts a new one.
    readings
        The readings of the last prompt changed; None where there are none to choose from.
    run
        How far tracking is; None where it does not run.
    busy
        Whether the model works on a prompt.
    status
        There may be another useful next step to name.
    problem
        Something did not work; one sentence for the user.
    saving
        The file, or the automatic copy, was written: a few words about it.
    """

    document = Signal()
    selection = Signal(object)
    readings = Signal(object)
    run = Signal(object)
    busy = Signal(bool)
    status = Signal()
    problem = Signal(str)
    saving = Signal(str)


__all__ = ["Readings", "RunProgress", "WorkbenchEvents"]
