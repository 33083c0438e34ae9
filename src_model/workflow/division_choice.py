"""What is made of divisions, as commands are told it; without imports, since commands say what they know at once."""

from __future__ import annotations

from enum import StrEnum


class Divisions(StrEnum):
    """What is made of divisions; as in :class:`~src_model.workflow.movie_outcome.WholeMovieOptions`."""

    AUTO = "auto"
    ASK = "ask"
    OFF = "off"
