"""Whether there is a place to write to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from src_model.cli.error_messages import in_shell_words
from src_model.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path


def check_writable(
    path: Path,
    option: str,
    is_ours: Callable[[Path], bool],
    *,
    folder: bool = False,
    sources: Collection[Path] = (),
    force: bool = False,
) -> None:
    """Find out before hours of work whether a file can and may be written.

    Parameters
    ----------
    path
        The file, or the folder with ``folder``, that is to be written.
    option
        By which that was said.
    is_ours, folder, sources, force
        As in :func:`~src_model.formats.target.check_target`.

    Raises
    ------
    typer.BadParameter
        If it cannot be written, or something is there that must not be replaced.
    """
    from src_model.formats.target import check_target

    try:
        check_target(path, is_ours, folder=folder, sources=sources, force=force)
    except FormatError as error:
        raise typer.BadParameter(in_shell_words(str(error), ("--force",)), param_hint=option) from error
