"""``sam2v export``: an annotation in, a file of another program out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from src_model.cli import options as opt
from src_model.cli.job import MovieChoice
from src_model.cli.terminal import make_progress, say, table_console, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from src_model.formats import ExportReport
    from src_model.frames import FrameSource


def _list_formats(value: bool) -> None:
    if value:
        table_console().print(_format_table())
        raise typer.Exit


DocumentArgument = Annotated[
    Path,
    typer.Argument(
        metavar="DOCUMENT",
        help="A document of sam2v track or napari (.sam2v).",
        show_default=False,
    ),
]
OutOption = Annotated[
    Path,
    typer.Option(
        "--out", "-o", metavar="PATH", help="The file or folder; what an earlier export left there is replaced."
    ),
]
FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format",
        "-f",
        metavar="NAME",
        show_default="by the suffix of --out",
        help="A name from 'sam2v export --formats', such as ctc, coco, csv, ome-zarr or png.",
    ),
]
FormatsOption = Annotated[
    bool,
    typer.Option(
        "--formats", callback=_list_formats, is_eager=True, help="List the formats with what each loses, and leave."
    ),
]
OverlapOption = Annotated[
    opt.OverlapChoice | None,
    typer.Option(
        "--overlap",
        show_default="as the annotation says",
        help="Who gets a pixel that several objects claim, where a format has one number a pixel.",
    ),
]
ObjectsOption = Annotated[
    list[int] | None, typer.Option("--object", metavar="ID", help="Export this object; may be repeated. Default: all.")
]
VisibleOption = Annotated[bool, typer.Option("--visible-only", help="Leave out objects that are hidden in napari.")]
MovieOption = Annotated[
    Path | None,
    typer.Option("--movie", metavar="MOVIE", help="For csv: also measure mean intensities in this movie."),
]
ChannelsOption = Annotated[
    list[int] | None,
    typer.Option("--channel", metavar="C", help="Measure this channel of the movie; may be repeated."),
]


def export(
    document: DocumentArgument,
    out: OutOption,
    format: FormatOption = None,
    formats: FormatsOption = False,
    overlap: OverlapOption = None,
    object_ids: ObjectsOption = None,
    visible_only: VisibleOption = False,
    force: opt.ForceOption = False,
    movie: MovieOption = None,
    channel: ChannelsOption = None,
    axes: opt.AxesOption = None,
    plane: opt.PlaneOption = None,
    series: opt.SeriesOption = None,
    quiet: opt.QuietOption = False,
    debug: opt.DebugOption = False,
) -> None:
    """Write an annotation as labels, tracks or a table for other programs, and say what these cannot hold.

        sam2v export cells.sam2v --format ctc --out 01_RES

    Nothing appears under the name of --out before it is complete.
    """
    from src_model.document import load
    from src_model.formats import ExportOptions, format_named, format_of
    from src_model.formats import export as write
    from src_model.formats.target import files_of_movie

    if channel and movie is None:
        raise typer.BadParameter("channels are measured in a movie; say which with --movie", param_hint="--channel")
    chosen = format_of(out) if format is None else format_named(format)
    if movie is not None and chosen.name != "csv":
        raise typer.BadParameter(f"{chosen.title} has no intensities; leave the movie out", param_hint="--movie")
    sources = (document, *(files_of_movie(movie) if movie is not None else ()))
    chosen.check_path(out, sources=sources, force=force)
    annotation = load(document)
    measured = {}
    if movie is not None:
        choice = MovieChoice(movie, axes, plane=opt.parse_plane(plane), series=series)
        measured = dict(_channels(choice, channel or [], quiet=quiet))
    with make_progress(quiet=quiet) as bar:
        task = bar.add_task("Writing", total=annotation.movie.length)
        options = ExportOptions(
            overlap=None if overlap is None else overlap.value,
            objects=object_ids or None,
            visible_only=visible_only,
            channels=measured,
            sources=sources,
            force=force,
            progress=lambda done, _: bar.update(task, completed=done),
        )
        report = write(annotation, out, chosen, options)
    _tell(report, chosen.title, quiet=quiet)


def _channels(movie: MovieChoice, numbers: list[int], *, quiet: bool) -> Iterator[tuple[str, FrameSource]]:
    if not numbers:
        yield "intensity", movie.open(quiet=quiet)
    for at, number in enumerate(numbers):
        yield f"channel_{number}", replace(movie, channel=number).open(quiet=quiet or at > 0)


def _tell(report: ExportReport, title: str, *, quiet: bool) -> None:
    objects, frames = report.objects, report.frames
    say(f"Wrote {objects} object{'s' * (objects != 1)} on {frames} frame{'s' * (frames != 1)} as {title}.", quiet=quiet)
    for line in report.lines():
        if not quiet:
            warn(line)
    say(str(report.path), quiet=quiet)


def _format_table() -> Table:
    from src_model.formats import FORMATS, AnnotationPart

    table = Table(box=None, pad_edge=False)
    for title in ("name", "suffix", "extra", "what for", "does not hold"):
        table.add_column(title, overflow="fold")
    for item in FORMATS:
        lost = [str(part) for part in item.loses if part is not AnnotationPart.ABSENCE]
        table.add_row(item.name, " ".join(item.suffixes) or "folder", item.extra, item.hint, ", ".join(lost))
    return table
