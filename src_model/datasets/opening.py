"""One door for all data sets, and which of their movies are for training and which for evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from src_model.datasets.annotations import is_annotations, open_annotations
from src_model.datasets.ctc import is_ctc, open_ctc
from src_model.datasets.davis import is_davis, open_davis
from src_model.datasets.pairs import is_pairs, open_pairs
from src_model.datasets.sav import is_sav, open_sav
from src_model.datasets.stills import is_stills, open_stills
from src_model.document import SUFFIX
from src_model.errors import MovieError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

    from src_model.datasets.annotations import Trust
    from src_model.datasets.ctc import Truth
    from src_model.datasets.movie import Dataset, Kind


STILLS_HELD_OUT = 60
"""How many of the labelled stills the recipe never trains on: the last ones by name."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How to recognise a layout, how to open it, what may be chosen in it, and what it looks like."""

    recognise: Callable[[Path], bool]
    open: Callable[..., Dataset]
    options: frozenset[str]
    looks: str


LAYOUTS: dict[str, Layout] = {
    "davis": Layout(is_davis, open_davis, frozenset({"split"}), "JPEGImages/<movie>/ with Annotations/<movie>/"),
    "sa-v": Layout(is_sav, open_sav, frozenset(), "<id>.mp4 with <id>_manual.json, or JPEGImages_24fps/"),
    "ctc": Layout(is_ctc, open_ctc, frozenset({"plane", "truth"}), "01/ with 01_GT/"),
    "stills": Layout(is_stills, open_stills, frozenset(), "images/ with labels/"),
    "annotation": Layout(is_annotations, open_annotations, frozenset({"truth"}), f"<movie>{SUFFIX}"),
    "pairs": Layout(is_pairs, open_pairs, frozenset({"plane"}), "<movie>.tif with <movie>_labels.tif, or <movie>.npz"),
}
"""Layouts by name, in the order in which they are tried."""


def open_dataset(
    path: str | os.PathLike[str],
    *,
    layout: str = "auto",
    split: str | None = None,
    plane: int | None = None,
    truth: Truth | Trust | None = None,
    kind: Kind | None = None,
) -> Dataset:
    """Open labelled movies. Folders are listed; no pixel is read before a frame or its labels are asked for.

    Parameters
    ----------
    path
        Folder or file; docs/datasets.md has the layouts.
    layout
        One of `LAYOUTS`, or "auto" to recognise it.
    split
        Part of a "davis" data set: a list in ImageSets, or a folder with a part of the movies.
    plane
        Plane of each volume to track through, in "ctc" and "pairs".
    truth
        What counts: of "ctc" the "best" (the default) or one of "gold", "silver" and "markers"; of "annotation" what is
        "confirmed" (the default) or "all".
    kind
        What the movies show, "natural" or "microscopy", where it is not what the layout is usually used for.

    Returns
    -------
    Dataset
        Its movies in order.

    Raises
    ------
    MovieError
        The path does not exist, has no known layout or is damaged, or an option is not for its layout.
    """
    root = Path(path).expanduser()
    if not root.exists():
        raise MovieError(f"there is no data set '{root}': expected {_known()}")
    if layout != "auto" and layout not in LAYOUTS:
        raise MovieError(f"layout {layout!r} is unknown: expected 'auto' or one of {', '.join(LAYOUTS)}")
    name = layout if layout != "auto" else recognised_layout(root)
    given = {"split": split, "plane": plane, "truth": truth}
    options = {option: value for option, value in given.items() if value is not None}
    wrong = sorted(set(options) - LAYOUTS[name].options)
    if wrong:
        raise MovieError(f"{wrong[0]}={options[wrong[0]]!r} cannot be chosen in '{root}', whose layout is '{name}'")
    if kind is not None:
        options["kind"] = kind
    return LAYOUTS[name].open(root.resolve(), **options)


def recognised_layout(path: Path) -> str:
    """Name the layout of a folder or file; MovieError if it is none of those known."""
    for name, layout in LAYOUTS.items():
        if layout.recognise(path):
            return name
    raise MovieError(f"'{path}' is no data set of a known layout: expected {_known()}")


def _known() -> str:
    return "; ".join(f"{layout.looks} ('{name}')" for name, layout in LAYOUTS.items())


def split_by_name(names: Iterable[str], *, held_out: bool, last: int | None = None) -> list[str]:
    """Divide movies into those to train on and those held out for evaluation: by name, so everywhere alike.

    Parameters
    ----------
    names
        Names of all movies; their order does not matter.
    held_out
        Whether to return the held-out ones.
    last
        How many are held out, the last by name; left out, every second one by name is, beginning with the second.

    Returns
    -------
    list of str
        The chosen names, sorted.

    Raises
    ------
    ValueError
        If ``last`` is negative.
    """
    ordered = sorted(names)
    if last is None:
        return ordered[1::2] if held_out else ordered[::2]
    if last < 0:
        raise ValueError(f"last={last} cannot be held out: expected 0 or more")
    border = max(0, len(ordered) - last)
    return ordered[border:] if held_out else ordered[:border]
