"""Writing an annotation in the format of another program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from src_model.errors import FormatError
from src_model.files import replacing
from src_model.formats.registry import format_named, format_of
from src_model.formats.report import AnnotationPart, ExportReport, Loss, counted, dropped, some
from src_model.formats.run import ExportOptions, ExportRun
from src_model.formats.target import files_of_movie

if TYPE_CHECKING:
    from os import PathLike

    from src_model.document import Annotation
    from src_model.formats.registry import Format


def export(
    annotation: Annotation,
    path: str | PathLike[str],
    format: str | Format | None = None,
    options: ExportOptions | None = None,
) -> ExportReport:
    """Write an annotation in a format of other programs; the file or folder appears when it is complete.

    On another thread than the document's, give ``annotation.snapshot()``.

    Parameters
    ----------
    annotation
        The document; it is only read.
    path
        The file or folder; what an earlier export in this format left there is replaced, other files only with
        ``options.force``, other folders and the annotated movie never.
    format
        A format or its name, such as ``"ctc"``; left out, it is chosen by how the name of the file ends.
    options
        Which objects, by what rule of overlaps, with what progress; the defaults if left out.

    Returns
    -------
    ExportReport
        What the file does not hold of the annotation.

    Raises
    ------
    FormatError
        If the format is unknown, the path cannot or must not be written to, or the annotation does not fit the format.
    MissingExtraError
        If a package is needed that is not installed.
    StoppedError
        If it was cancelled; nothing is left then, and what was there before still is.
    """
    target = Path(path)
    chosen = format_of(target) if format is None else format_named(format) if isinstance(format, str) else format
    wanted = options or ExportOptions()
    check_export(annotation, target, chosen, wanted)
    run = ExportRun(annotation, wanted)
    try:
        with replacing(target) as part:
            chosen.write(run, part)
    except OSError as error:
        raise FormatError(f"'{target}' cannot be written: {error}") from error
    return ExportReport(target, chosen.name, run.length, len(run.seen), tuple(_losses(run, chosen)))


def check_export(annotation: Annotation, target: Path, chosen: Format, options: ExportOptions) -> None:
    """Find out whether an annotation may be exported to a place; errors as :func:`export`, before any work."""
    movies = _movie_paths(annotation)
    read = [file for movie in movies for file in files_of_movie(movie)]
    chosen.check_path(target, sources=(*read, *options.sources), force=options.force)
    if not movies:
        _check_other_name(annotation, target, chosen)


def _movie_paths(annotation: Annotation) -> list[Path]:
    """Return where the annotated movie is, as far as the document knows and it is still there."""
    noted = annotation.movie.path
    folders = [Path(), *([annotation.path.parent] if annotation.path is not None else [])]
    return [path for folder in folders if noted and (path := folder / noted).exists()]


def _check_other_name(annotation: Annotation, target: Path, chosen: Format) -> None:
    """Refuse a file that may be the annotated movie, of which no more than the name is known."""
    name = annotation.movie.name
    if target.name.casefold() == name.casefold() and target.exists() and not chosen.is_ours(target.resolve()):
        raise FormatError(
            f"'{target}' has the name of the annotated movie, is not a file of sam2v, and may be that movie: choose "
            "another name"
        )


def _losses(run: ExportRun, chosen: Format) -> list[Loss]:
    unseen = len(run.objects) - len(run.seen)
    run.note("no mask", unseen, counted(unseen, "objects without any mask"), matters=False)
    if AnnotationPart.LINEAGE in chosen.keeps:
        moved = _moved_divisions(run)
        text = f"A division is where a daughter is first seen, which is not the frame marked for object {some(moved)}."
        run.note("division frames", len(moved), text)
        if AnnotationPart.FUSIONS not in chosen.keeps:
            fused = [str(object_id) for object_id, kin in run.kinship.items() if len(kin.parents) > 1]
            text = f"One parent alone is written of object {some(fused)}, to which several fused."
            run.note(AnnotationPart.FUSIONS, len(fused), text)
    parts = dropped(run.annotation, run.objects, run.tally, chosen.keeps)
    everything = [*run.notes, *run.tally.losses(run.overlap), *parts]
    return sorted(everything, key=lambda loss: not loss.matters)


def _moved_divisions(run: ExportRun) -> list[str]:
    """Parents whose division was marked on another frame than that on which the first daughter has a mask."""
    moved = []
    for item in run.annotation.divisions.values():
        seen = [first for daughter in item.daughters if (first := run.first_frame(daughter)) is not None]
        if seen and item.parent in run.objects and min(seen) != item.frame:
            moved.append(str(item.parent))
    return moved
