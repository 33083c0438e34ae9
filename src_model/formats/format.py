"""What a format is: its name, what it keeps of an annotation, where it may be written."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from src_model.errors import FormatError, MissingExtraError
from src_model.formats.report import Part
from src_model.formats.target import check_target

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from src_model.formats.run import ExportRun


@dataclass(frozen=True, slots=True)
class Format:
    """A format.

    Attributes
    ----------
    name
        By which it is chosen: ``"ctc"``.
    title
        For people: ``"Cell Tracking Challenge folder"``.
    hint
        What it is good for, in a sentence.
    suffixes
        How a file's name may end; empty for folders, which may be called anything.
    write
        Writes a run to a path where nothing is.
    is_ours
        Tells whether a file or folder was written by it, so that it may be replaced without asking.
    keeps
        What of an annotation it has a place for.
    folder
        Whether it is a folder.
    extra
        The extra that has to be installed; empty if none.
    package
        The package that this extra brings.
    """

    name: str
    title: str
    hint: str
    suffixes: tuple[str, ...]
    write: Callable[[ExportRun, Path], None]
    is_ours: Callable[[Path], bool]
    keeps: frozenset[Part] = frozenset()
    folder: bool = False
    extra: str = ""
    package: str = ""

    @property
    def loses(self) -> tuple[Part, ...]:
        """What of an annotation it has no place for."""
        return tuple(part for part in Part if part not in self.keeps)

    def check_path(self, path: Path, *, sources: Collection[Path] = (), force: bool = False) -> None:
        """Find out whether a file or folder can and may be written there.

        Parameters
        ----------
        path
            Where it goes.
        sources, force
            As in :func:`~src_model.formats.target.check_target`.

        Raises
        ------
        FormatError
            If its name ends otherwise, its folder is not there or not writable, or something else is in the way.
        MissingExtraError
            If a package is needed that is not installed.
        """
        if self.suffixes and not path.name.lower().endswith(self.suffixes):
            raise FormatError(f"'{path.name}' has to end in {' or '.join(self.suffixes)} as {self.title}")
        if self.package and find_spec(self.package) is None:
            raise MissingExtraError(self.package, self.extra, f"writing '{path}'")
        check_target(path, self.is_ours, folder=self.folder, sources=sources, force=force)
