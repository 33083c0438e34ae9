"""What the commands need to know of a session file before a model is loaded."""

from __future__ import annotations

import re
from pathlib import Path

import typer


def is_session(path: Path) -> bool:
    """Tell whether a file begins as a session does."""
    from src_model.formats.marks import head_of
    from src_model.tracking.session_schema import FORMAT

    return re.match(rf'\s*{{\s*"format"\s*:\s*"{FORMAT}"'.encode(), head_of(path)) is not None


def model_of_session(path: Path, chosen: str | None) -> str:
    """Name the model a session goes on with: the chosen one, or the one it was made with.

    Raises
    ------
    SessionFileError
        If the file cannot be read.
    typer.BadParameter
        If no model was chosen, and that of the session was a file, of which only the name is known.
    """
    from src_model.tracking.session_file import read_document
    from src_model.weights import REGISTRY

    if chosen is not None:
        return chosen
    recorded = read_document(path).checkpoint.name
    if recorded not in REGISTRY:
        raise typer.BadParameter(
            f"the session '{path}' was made with the checkpoint file '{recorded}'; say where it is",
            param_hint="--model",
        )
    return recorded
