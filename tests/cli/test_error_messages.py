"""What errors of the library say to who typed a command."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from src_model.cli.error_messages import FAILED, in_shell_words
from tests.cli.conftest import CLICK

OPTIONS = ("--axes", "--channel", "--plane", "--series", "--allow-other-model", "--force")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("pass series=... to choose one", "pass --series to choose one"),
        ("pass channel=0 to 3", "pass --channel 0 to 3"),
        ("pass plane=0 to 4, or plane='max' for a projection", "pass --plane 0 to 4, or --plane max for a projection"),
        ("pass axes=..., such as axes='TYX', with plane=...", "pass --axes, such as --axes TYX, with --plane"),
        ("such as channel=(0, 1, None), or axes='...'", "such as --channel 0,1,-, or --axes"),
        ("load that one, or pass allow_other_model=True", "load that one, or pass --allow-other-model"),
        ("replace it with force=True", "replace it with --force"),
        ("series=3 cannot be given", "--series 3 cannot be given"),
        ("expected numbers; pass limits=(low, high)", "expected numbers; pass limits=(low, high) in Python"),
        ("'a/channel=3.tif' is no movie: see --axes", "'a/channel=3.tif' is no movie: see --axes"),
        ("the movie's path 'axes=TYX' and its name's end", "the movie's path 'axes=TYX' and its name's end"),
        ("x=3 is odd", "x=3 is odd"),
        ("choose one (--series N; in Python series=N)", "choose one (--series N)"),
        ("map them (--channel 0,1,-; in Python channel=(0, 1, None)), or", "map them (--channel 0,1,-), or"),
    ],
)
def test_arguments_become_options_where_there_are_any(message, expected):
    assert in_shell_words(message, OPTIONS) == expected


def test_a_movie_with_channels_asks_for_the_option(sam2v, here):
    tifffile.imwrite(here / "a.tif", np.zeros((5, 2, 20, 30), np.uint8), metadata={"axes": "TCYX"}, imagej=True)
    told = sam2v("track", "a.tif", "--point", CLICK, code=FAILED).stderr
    assert "choose one of 0 to 1 (--channel 0)" in " ".join(told.split())
    assert "channel=" not in told
