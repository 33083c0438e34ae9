"""Options that several sub-commands share, and how their texts are read."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from src_model.cli.error_messages import remember_debug

if TYPE_CHECKING:
    from src_model.tracking.windows.rules import WindowChoice


class Preset(StrEnum):
    """How to track."""

    DEFAULT = "default"
    OFFICIAL = "official"


class PrecisionName(StrEnum):
    """How precisely to compute."""

    AUTO = "auto"
    EXACT = "exact"
    FAST = "fast"


class Direction(StrEnum):
    """Where to track from the prompts."""

    BOTH = "both"
    FORWARD = "forward"
    BACKWARD = "backward"


class OverlapChoice(StrEnum):
    """Who gets a pixel that several objects claim."""

    SCORE = "score"
    FIRST = "first"
    LAST = "last"


_MODEL, _MOVIE, _OUTPUT = "Model", "How the movie is read", "Output"

ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME",
        envvar="SAM2V_MODEL",
        show_default="default",
        rich_help_panel=_MODEL,
        help="A name from 'sam2v models', or a .pt or .safetensors file.",
    ),
]
DeviceOption = Annotated[
    str, typer.Option("--device", rich_help_panel=_MODEL, help="auto, cpu, cuda, cuda:1, mps, ...")
]
PresetOption = Annotated[
    Preset,
    typer.Option("--preset", rich_help_panel=_MODEL, help="'official' tracks as the reference predictor does."),
]
ImageSizeOption = Annotated[
    int | None,
    typer.Option(
        "--image-size",
        metavar="PIXELS",
        rich_help_panel=_MODEL,
        help="Side of the network input. Larger sees smaller objects and takes longer. Default: the model's own.",
    ),
]
WindowOption = Annotated[
    str | None,
    typer.Option(
        "--window",
        metavar="auto | off | PIXELS",
        rich_help_panel=_MODEL,
        help="Track small objects in windows that follow them ('auto', the default), all objects in windows of so many "
        "pixels, or on whole frames ('off', and the preset 'official').",
        show_default=False,
    ),
]
PrecisionOption = Annotated[
    PrecisionName,
    typer.Option(
        "--precision",
        rich_help_panel=_MODEL,
        help="'exact' computes in float32; 'fast' takes 16 bits for the heavy parts, where the device has units for "
        "them, which moves single pixels of an edge; 'auto' is fast where the device has bfloat16.",
    ),
]
ThreadsOption = Annotated[
    int | None,
    typer.Option(
        "--threads",
        min=1,
        rich_help_panel=_MODEL,
        help="CPU threads, at most the cores there are. Default: as torch chooses.",
    ),
]
FeatureCacheOption = Annotated[
    Path | None,
    typer.Option(
        "--feature-cache",
        metavar="FOLDER",
        envvar="SAM2V_FEATURE_CACHE",
        rich_help_panel=_MODEL,
        help="Keep image features in this folder, of 20 GiB at most, so that the next run on the movie is faster.",
        show_default=False,
    ),
]
AxesOption = Annotated[
    str | None,
    typer.Option(
        "--axes", rich_help_panel=_MOVIE, help="One letter an axis, such as TCYX, where the file does not tell."
    ),
]
ChannelOption = Annotated[
    str | None,
    typer.Option(
        "--channel",
        metavar="C | R,G,B",
        rich_help_panel=_MOVIE,
        help="One channel, or those shown as red, green and blue ('-' for none), such as 0,2,-.",
    ),
]
PlaneOption = Annotated[
    str | None,
    typer.Option(
        "--plane", metavar="Z | max | mean", rich_help_panel=_MOVIE, help="The plane of a volume, or a projection."
    ),
]
SeriesOption = Annotated[
    int | None,
    typer.Option(
        "--series",
        metavar="N",
        min=0,
        rich_help_panel=_MOVIE,
        help="Which image of a file with several, from 0. Left out, the error lists what there is.",
        show_default=False,
    ),
]
FramesOption = Annotated[
    str | None,
    typer.Option(
        "--frames",
        metavar="START:STOP",
        rich_help_panel=_MOVIE,
        help="Track only these frames, STOP excluded; either may be left out. The labels keep the movie's length.",
    ),
]
OutOption = Annotated[
    str,  # a path would lose the slash
    typer.Option(
        "--out",
        "-o",
        metavar="FILE | FOLDER/",
        rich_help_panel=_OUTPUT,
        help="Labels, one number an object: a TIFF, OME-Zarr if this ends in .zarr, or a folder of the Cell Tracking "
        "Challenge, with parents, if it ends in / or is one.",
    ),
]
PreviewOption = Annotated[
    Path | None,
    typer.Option(
        "--preview",
        metavar="FILE",
        rich_help_panel=_OUTPUT,
        help="Also draw the masks over the movie: a picture of some frames (.png, .jpg) or a video (.mp4).",
    ),
]
DocumentOption = Annotated[
    Path | None,
    typer.Option(
        "--document",
        metavar="FILE",
        rich_help_panel=_OUTPUT,
        help="Where the document (.sam2v) goes, which napari opens and --resume goes on with. Left out: beside the "
        "labels.",
    ),
]
OverlapOption = Annotated[
    OverlapChoice,
    typer.Option(
        "--overlap",
        rich_help_panel=_OUTPUT,
        help="Who gets a pixel that several objects claim: the best scored one, the first or the last prompted.",
    ),
]
ForceOption = Annotated[
    bool,
    typer.Option(
        "--force",
        rich_help_panel=_OUTPUT,
        help="Replace files of other programs too. What sam2v wrote is replaced anyway; movies and folders of other "
        "origin never are.",
    ),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
DebugOption = Annotated[
    bool, typer.Option("--debug", callback=remember_debug, is_eager=True, help="Show errors with their traceback.")
]


def parse_channel(text: str | None) -> int | tuple[int | None, ...] | None:
    """Read ``--channel``: ``"1"`` is one channel, ``"0,2,-"`` are those that become red, green and blue.

    Raises
    ------
    typer.BadParameter
        If this is something else.
    """
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() or (part == "-" and len(parts) > 1) for part in parts) or len(parts) > 3:
        raise typer.BadParameter(
            f"{text!r} is neither a channel such as 1 nor up to three such as 0,2,-", param_hint="--channel"
        )
    numbers = tuple(None if part == "-" else int(part) for part in parts)
    return numbers[0] if len(numbers) == 1 else numbers


def parse_plane(text: str | None) -> int | Literal["max", "mean"] | None:
    """Read ``--plane``.

    Raises
    ------
    typer.BadParameter
        If this is neither a number nor a projection.
    """
    match text:
        case None:
            return None
        case "max" | "mean":
            return text
        case _ if text.isdecimal():
            return int(text)
    raise typer.BadParameter(f"{text!r} is neither a plane such as 3 nor 'max' or 'mean'", param_hint="--plane")


def parse_window(text: str | None) -> WindowChoice | None:
    """Read ``--window``; None: as the preset has it.

    Raises
    ------
    typer.BadParameter
        If this is something else.
    """
    match text:
        case None:
            return None
        case "auto" | "off":
            return text
        case _ if text.isdecimal():
            return int(text)
    raise typer.BadParameter(f"{text!r} is neither 'auto' nor 'off' nor a number of pixels", param_hint="--window")


def parse_frames(text: str | None) -> tuple[int, int | None]:
    """Read ``--frames``: first frame, and the one after the last (None: the end).

    Raises
    ------
    typer.BadParameter
        If this is something else, or holds no frame.
    """
    if text is None:
        return 0, None
    start, colon, stop = (part.strip() for part in text.partition(":"))
    if not colon or not all(part.isdecimal() or not part for part in (start, stop)):
        raise typer.BadParameter(f"{text!r} is not START:STOP, such as 10:50, :50 or 10:", param_hint="--frames")
    span = int(start or 0), int(stop) if stop else None
    if span[1] is not None and span[1] <= span[0]:
        raise typer.BadParameter(f"{text!r} holds no frame: START must be before STOP", param_hint="--frames")
    return span
