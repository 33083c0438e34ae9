from __future__ import annotations

import subprocess
import sys

import numpy as np

from napari_sam2v.view_state import Choice, TimeMarks, as_choices


def test_plain_strings_stand_for_choices_reported_by_their_text():
    assert as_choices(["a", Choice(3, "three")]) == (Choice("a", "a"), Choice(3, "three"))


def test_blank_marks_know_nothing_of_any_frame():
    marks = TimeMarks.blank(7)
    assert not any(getattr(marks, name).any() for name in ("prompted", "tracked", "locked", "absent", "edited"))
    assert np.isnan(marks.scores).all()
    marks.prompted[2] = True
    assert not marks.tracked.any(), "the states share no memory"


def test_controllers_can_import_the_plain_data_without_qt():
    program = (
        "import sys; sys.modules['qtpy'] = None; sys.modules['napari'] = None; "
        "from napari_sam2v import controllers, view_state, wording"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_opening_the_panel_imports_no_torch():
    program = "import sys; sys.modules['torch'] = None; import napari_sam2v.panel.panel"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
