"""What a file cannot hold of an annotation. Nothing is lost without being told."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from src_model.document import default_color
from src_model.document.lineage import parents_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from src_model.document import AnnotatedFrame, AnnotatedObject, Annotation


class AnnotationPart(StrEnum):
    """A part of an annotation that a format keeps or loses."""

    MASKS = "masks"
    OVERLAPS = "pixels of several objects"
    ABSENCE = "frames known to be empty"
    """That an object is known to be absent from a frame, not just unknown there."""
    LINEAGE = "divisions"
    FUSIONS = "fusions"
    """That several objects became one; without it, a single parent is kept."""
    NAMES = "names"
    CLASSES = "classes"
    COLORS = "colors"
    NOTES = "notes"
    SCORES = "scores"
    ORIGINS = "origins of masks"
    """Whether a mask was prompted, tracked, painted or imported."""
    PROMPTS = "prompts"
    LOCKS = "locks"


def counted(number: int, noun: str) -> str:
    """Write a number with its noun, which is given in the plural: "3 names", "1 name", "1 pixel of several objects"."""
    if number == 1:
        first, *others = noun.split(" ")
        noun = " ".join((_SINGULAR.get(first, first.removesuffix("s")), *others))
    return f"{number:,} {noun}"


_SINGULAR = {"classes": "class"}


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that a file does not hold, or holds in another way.

    Attributes
    ----------
    what
        One of :class:`AnnotationPart`, or what happened: ``"overlap"``, ``"hidden"``, ``"renumbered"``, ``"gaps"``, ...
    count
        How many pixels, objects, frames or links it concerns.
    text
        What a person is told, in one sentence.
    matters
        Whether masks, numbers or links differ from those of the annotation; otherwise the format just has no place for
        something.
    """

    what: str
    count: int
    text: str
    matters: bool = True


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written, and what is not in it.

    Attributes
    ----------
    path
        The file or folder that was written.
    format
        Name of the format, as ``"ctc"``.
    frames, objects
        How many frames the movie has, and how many objects have a pixel on some frame.
    losses
        What the file does not hold; those that matter first.
    """

    path: Path
    format: str
    frames: int
    objects: int
    losses: tuple[Loss, ...]

    def lines(self) -> list[str]:
        """Say it in sentences; what the format has no place for is put into one."""
        lines = [loss.text for loss in self.losses if loss.matters]
        others = [loss.text for loss in self.losses if not loss.matters]
        return [*lines, f"The format has no place for {', '.join(others)}."] if others else lines


@dataclass(slots=True)
class ExportTally:
    """What an exporter met on its way through the frames.

    Attributes
    ----------
    masks, empty, scored
        Masks, how many of them are empty, and how many have scores other than 1.
    covered
        Pixels that an object lost to others, by object.
    overlapped, hidden
        Frames on which objects lost pixels, and (object, frame) pairs of which nothing is left.
    """

    masks: int = 0
    empty: int = 0
    scored: int = 0
    covered: dict[int, int] = field(default_factory=dict)
    overlapped: int = 0
    hidden: list[tuple[int, int]] = field(default_factory=list)

    def count(self, entries: Iterable[AnnotatedFrame]) -> None:
        """Note the masks of a frame."""
        for entry in entries:
            self.masks += 1
            self.empty += entry.mask.is_empty
            self.scored += not entry.score == entry.object_score == 1.0

    def cover(self, frame: int, lost: Mapping[int, int], gone: Iterable[int]) -> None:
        """Note what objects lost to others on a frame."""
        self.overlapped += 1
        for object_id, pixels in lost.items():
            self.covered[object_id] = self.covered.get(object_id, 0) + pixels
        self.hidden.extend((object_id, frame) for object_id in gone)

    def losses(self, policy: str) -> list[Loss]:
        """Say what the masks lost to one another."""
        found = []
        if self.covered:
            most = max(self.covered, key=self.covered.__getitem__)
            pixels = sum(self.covered.values())
            found.append(
                Loss(
                    "overlap",
                    pixels,
                    f"Objects overlap on {counted(self.overlapped, 'frames')}: {counted(pixels, 'pixels')} went to "
                    f"another one by the rule '{policy}'; object {most} lost most ({self.covered[most]}).",
                )
            )
        if self.hidden:
            listed = some(f"object {object_id} on frame {frame}" for object_id, frame in self.hidden)
            found.append(Loss("hidden", len(self.hidden), f"Nothing is left of {listed}: others cover it."))
        return found


def dropped(
    annotation: Annotation, objects: Mapping[int, AnnotatedObject], tally: ExportTally, keeps: frozenset[AnnotationPart]
) -> list[Loss]:
    """List the parts that a format has no place for, if there are any in this annotation.

    Parameters
    ----------
    annotation
        The document that was exported.
    objects
        Those of its objects that were, by id.
    tally
        What was met on the way.
    keeps
        What the format does have a place for.
    """
    infos = objects.values()
    divisions = [item for item in annotation.divisions.values() if objects.keys() & {item.parent, *item.daughters}]
    fusions = sum(len(parents) > 1 for parents in parents_of(divisions).values())
    counts = {
        AnnotationPart.ABSENCE: tally.empty,
        AnnotationPart.LINEAGE: len(divisions),
        # With one parent kept, which one and of whom is said in a sentence of its own.
        AnnotationPart.FUSIONS: 0 if AnnotationPart.LINEAGE in keeps else fusions,
        AnnotationPart.NAMES: sum(bool(info.name) for info in infos),
        AnnotationPart.CLASSES: sum(bool(info.class_name) for info in infos),
        AnnotationPart.COLORS: sum(info.color != default_color(info.object_id) for info in infos),
        AnnotationPart.NOTES: sum(bool(info.note) for info in infos),
        AnnotationPart.SCORES: tally.scored,
        AnnotationPart.ORIGINS: tally.masks,
        AnnotationPart.PROMPTS: sum(len(annotation.prompts(object_id)) for object_id in objects),
        AnnotationPart.LOCKS: sum(info.locked + len(annotation.locked_frames(info.object_id)) for info in infos),
    }
    return [
        Loss(part, count, counted(count, part), matters=False)
        for part, count in counts.items()
        if count and part not in keeps
    ]


def some(names: Iterable[str], most: int = 5) -> str:
    """List a few names, and say how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more
