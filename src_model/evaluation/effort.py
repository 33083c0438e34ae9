"""How long a person would have been busy: the time model of the SAM 2 paper's interactive evaluation.

T = examinations x 30 s for every 300 frames + 1 s for every annotated frame + 1.5 s for every click. Offline the movie
is examined once a round, online once. The constants are its authors' for natural videos.
"""

from __future__ import annotations

EXAMINE_SECONDS_A_FRAME = 30 / 300
"""To watch the masks of one frame while looking for mistakes."""
LOCATE_SECONDS = 1.0
"""To find the object on a frame that will be annotated."""
CLICK_SECONDS = 1.5
CLICKS_OF_A_BOX = 2
"""Its corners."""


def annotation_seconds(*, frames: int, prompted: int, clicks: int, examinations: int) -> float:
    """Seconds of a person's time a frame of the movie.

    Parameters
    ----------
    frames
        Length of the movie.
    prompted
        Frames annotated.
    clicks
        Clicks on all of them.
    examinations
        How often the movie was watched to find the frames to annotate.
    """
    busy = examinations * EXAMINE_SECONDS_A_FRAME * frames + prompted * LOCATE_SECONDS + clicks * CLICK_SECONDS
    return busy / frames
