"""COCO JSON of a movie: images, categories, tracks, and one annotation an object and frame.

Run lengths are exact. Polygons run along the corners of pixels; a mask with holes, which polygons of COCO cannot have,
stays run lengths. Extra fields follow the video data sets derived from COCO: ``video_id`` and ``frame_index`` of
images, ``track_id`` of annotations. Tracks say what they descend from: ``parent_ids``, of which there are several where
objects fused, ``parent_id``, the first of them, ``lineage_id`` and ``generation``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from src_model.formats.marks import SOFTWARE, head_of
from src_model.masks import mask_to_polygons

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import TextIO

    from src_model.document import AnnotatedFrame, AnnotatedObject
    from src_model.formats.run import ExportRun
    from src_model.masks import Rle

NO_CLASS: Final = "object"
"""The category of objects that have no class."""

_VIDEO: Final = 1


def write_coco(run: ExportRun, path: Path) -> None:
    """Write masks as compressed run lengths.

    Parameters
    ----------
    run
        The document on its way, of which each frame is taken once.
    path
        The file, which does not exist yet.
    """
    _write(run, path, polygons=False)


def write_coco_polygons(run: ExportRun, path: Path) -> None:
    """Write masks as polygons, but for those with holes; parameters as in :func:`write_coco`."""
    _write(run, path, polygons=True)


def is_ours(path: Path) -> bool:
    """Tell whether a file begins as those that are written here."""
    return head_of(path).startswith(b'{"info": {"software": "sam2v ')


def _write(run: ExportRun, path: Path, *, polygons: bool) -> None:
    movie = run.annotation.movie
    info = {"software": SOFTWARE, "description": f"{movie.name}, annotated with {SOFTWARE}", "version": "1.0"}
    height, width = movie.frame_shape
    names = sorted({_category(info) for info in run.objects.values()})
    categories = {name: number for number, name in enumerate(names, 1)}
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("{")
        _member(file, "info", info)
        file.write(",\n")
        video = {"id": _VIDEO, "name": movie.name, "width": width, "height": height, "length": movie.length}
        _member(file, "videos", [video])
        file.write(",\n")
        _member(file, "categories", [{"id": number, "name": name} for name, number in categories.items()])
        file.write(",\n")
        _rows(file, "tracks", (_track(run, info, categories) for info in run.objects.values()))
        file.write(",\n")
        _rows(file, "images", (_image(movie.name, frame, height, width) for frame in range(movie.length)))
        file.write(",\n")
        _rows(file, "annotations", _annotations(run, categories, polygons=polygons))
        file.write("}\n")


def _member(file: TextIO, name: str, value: object) -> None:
    file.write(f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}")


def _rows(file: TextIO, name: str, rows: Iterable[dict[str, Any]]) -> None:
    """Write a list, one entry a line, without holding it."""
    file.write(f"{json.dumps(name)}: [")
    for number, row in enumerate(rows):
        file.write(("," if number else "") + "\n" + json.dumps(row, ensure_ascii=False))
    file.write("]")


def _category(info: AnnotatedObject) -> str:
    return info.class_name or NO_CLASS


def _track(run: ExportRun, info: AnnotatedObject, categories: dict[str, int]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": info.object_id,
        "video_id": _VIDEO,
        "category_id": categories[_category(info)],
        "name": info.name,
        "color": info.color,
        "note": info.note,
    }
    kin = run.kinship[info.object_id]
    row |= {"lineage_id": kin.lineage_id, "generation": kin.generation}
    return {**row, "parent_id": kin.parents[0], "parent_ids": list(kin.parents)} if kin.parents else row


def _image(name: str, frame: int, height: int, width: int) -> dict[str, Any]:
    return {
        "id": frame + 1,
        "video_id": _VIDEO,
        "frame_index": frame,
        "file_name": name,
        "height": height,
        "width": width,
    }


def _annotations(run: ExportRun, categories: dict[str, int], *, polygons: bool) -> Iterator[dict[str, Any]]:
    number = 0
    for frame, entries in run.frames():
        for object_id, entry in entries.items():
            if entry.mask.is_empty:
                continue
            number += 1
            row = _annotation(entry, _outline(entry.mask) if polygons else entry.mask.to_coco())
            category = categories[_category(run.objects[object_id])]
            yield {"id": number, "image_id": frame + 1, "category_id": category, "track_id": object_id, **row}


def _annotation(entry: AnnotatedFrame, segmentation: object) -> dict[str, Any]:
    box = entry.mask.box
    assert box is not None, "empty masks are left out"
    y0, x0, y1, x1 = box
    return {
        "segmentation": segmentation,
        "area": entry.mask.area,
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        "iscrowd": 0,
        "score": entry.score,
        "object_score": entry.object_score,
        "origin": str(entry.origin),
    }


def _outline(mask: Rle) -> object:
    found = mask_to_polygons(mask)
    if any(polygon.holes for polygon in found):
        return mask.to_coco()
    return [polygon.exterior[:, ::-1].ravel().tolist() for polygon in found]
