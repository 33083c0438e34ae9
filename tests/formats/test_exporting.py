"""What all formats have in common: the way into a file, and what is told about it."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
import tifffile

from src_model.document import (
    AddPoints,
    AnnotatedObject,
    Division,
    LockFrames,
    MarkDivision,
    MovieIdentity,
    ShowObject,
)
from src_model.errors import FormatError, StoppedError, UnknownObjectError
from src_model.formats import FORMATS, AnnotationPart, ExportOptions, export, format_named, format_of
from src_model.formats import run as running
from src_model.formats.report import counted
from tests.formats.documents import MOVIE, crowded, described, document, family, losses_of, masklet, plain, square

NEEDS = {"ome-zarr": "zarr", "ome-zarr-0.4": "zarr", "geff": "geff"}


@pytest.fixture(params=[item.name for item in FORMATS])
def chosen(request):
    """Each format in turn, if what it needs is installed."""
    if request.param in NEEDS:
        pytest.importorskip(NEEDS[request.param])
    return format_named(request.param)


@pytest.fixture
def target(tmp_path, chosen):
    return tmp_path / f"cells{(chosen.suffixes or ('',))[0]}"


def content(path):
    """Bytes of all files, by name."""
    files = [path] if path.is_file() else [entry for entry in path.rglob("*") if entry.is_file()]
    return {file.relative_to(path.parent).as_posix(): file.read_bytes() for file in files}


def test_a_stopped_export_leaves_what_was_there_and_nothing_else(tmp_path, chosen, target):
    export(plain(), target, chosen)
    before = content(target)
    seen = []
    options = ExportOptions(progress=lambda *done: seen.append(done), cancelled=lambda: len(seen) == 3)
    with pytest.raises(StoppedError, match="after 3 of 6 frames"):
        export(family(), target, chosen, options)
    assert content(target) == before
    assert list(tmp_path.iterdir()) == [target]
    assert seen == [(1, 6), (2, 6), (3, 6)]


def test_a_later_export_takes_the_place_of_an_earlier_one(tmp_path, chosen, target):
    export(family(), target, chosen)
    export(plain(), target, chosen)
    again = tmp_path / "again" / target.name
    again.parent.mkdir()
    export(plain(), again, chosen)
    assert set(content(target)) == set(content(again))


def test_a_folder_of_the_user_is_never_replaced(chosen, target):
    target.mkdir()
    (target / "thesis.docx").write_text("years of work")
    with pytest.raises(FormatError, match=r"thesis\.docx|is a folder"):
        export(plain(), target, chosen)
    assert (target / "thesis.docx").read_text() == "years of work"


def test_a_missing_folder_is_named(tmp_path, chosen, target):
    with pytest.raises(FormatError, match=r"no folder .*nowhere"):
        export(plain(), tmp_path / "nowhere" / target.name, chosen)


def test_a_document_without_masks_is_not_exported(tmp_path, chosen, target):
    with pytest.raises(FormatError, match="nothing to export"):
        export(document([masklet(1, {})]), target, chosen)
    assert list(tmp_path.iterdir()) == []


def test_the_document_is_only_read(chosen, target):
    annotation = family()
    before = annotation.snapshot()
    export(annotation, target, chosen)
    assert annotation.contents() == before.contents()
    assert annotation.undo_label == "Import 4 objects"


def test_what_a_format_has_no_place_for_is_told_if_there_is_any(chosen, target):
    annotation = described()
    annotation.do(AddPoints(4, 0, ((4.0, 4.0),), (1,)))
    annotation.do(LockFrames(4, (0, 2)))
    found = {loss.what for loss in export(annotation, target, chosen).losses} & {str(part) for part in AnnotationPart}
    expected = {str(part) for part in chosen.loses} - {
        AnnotationPart.OVERLAPS,
        AnnotationPart.LINEAGE,
        AnnotationPart.FUSIONS,
    }
    assert found == expected
    if AnnotationPart.LINEAGE in chosen.loses:
        assert losses_of(export(family(), target, chosen))["divisions"].count == 1


def test_nothing_is_told_where_nothing_is_lost(tmp_path):
    annotation = plain()
    assert [loss.what for loss in export(annotation, tmp_path / "a.json").losses] == []
    assert [loss.what for loss in export(annotation, tmp_path / "a.tif").losses] == [AnnotationPart.ORIGINS]


def test_losses_that_matter_come_first_and_the_others_are_one_sentence(tmp_path):
    report = export(crowded(), tmp_path / "a.tif")
    assert [loss.matters for loss in report.losses] == [True, False, False]
    assert report.lines()[0].startswith("Objects overlap on 3 frames")
    assert report.lines()[1] == "The format has no place for 6 scores, 6 origins of masks."


@pytest.mark.parametrize(("overlap", "lost", "owner"), [(None, 2, 1), ("first", 2, 1), ("last", 1, 2), ("score", 1, 2)])
def test_who_gets_pixels_of_two_objects_can_be_chosen_and_the_other_is_told(tmp_path, overlap, lost, owner):
    report = export(crowded(), tmp_path / "a.tif", options=ExportOptions(overlap=overlap))
    assert tifffile.imread(tmp_path / "a.tif")[0, 7, 7] == owner
    loss = losses_of(report)["overlap"]
    assert loss.count == 4 + 4 + 16
    assert f"object {lost} lost most" in loss.text
    assert ("hidden" in losses_of(report)) == (lost == 1)


def test_objects_can_be_chosen_and_hidden_ones_left_out(tmp_path):
    annotation = family()
    annotation.do(ShowObject(5, False))
    export(annotation, tmp_path / "a.tif", options=ExportOptions(objects=(3, 5), visible_only=True))
    assert set(np.unique(tifffile.imread(tmp_path / "a.tif"))) == {0, 3}
    with pytest.raises(UnknownObjectError, match="99"):
        export(annotation, tmp_path / "a.tif", options=ExportOptions(objects=(99,)))


def test_hidden_objects_are_exported_unless_left_out(tmp_path):
    annotation = family()
    annotation.do(ShowObject(5, False))
    export(annotation, tmp_path / "a.tif")
    assert 5 in np.unique(tifffile.imread(tmp_path / "a.tif"))


def test_a_division_marked_elsewhere_than_its_daughters_begin_is_told(tmp_path):
    annotation = family()
    assert "division frames" not in losses_of(export(annotation, tmp_path / "a.csv"))
    annotation.do(MarkDivision(Division(3, 2, (5, 8))))
    assert "object 3" in losses_of(export(annotation, tmp_path / "a.csv"))["division frames"].text


def test_objects_without_a_mask_are_told(tmp_path):
    annotation = document([masklet(1, {0: square(1, 1)})], [AnnotatedObject(2)])
    assert losses_of(export(annotation, tmp_path / "a.tif"))["no mask"].count == 1


def test_a_copy_can_be_exported_while_the_document_is_edited(tmp_path):
    annotation = plain()
    copy = annotation.snapshot()
    options = ExportOptions(progress=lambda *_: annotation.undo())
    assert export(copy, tmp_path / "a.tif", options=options).objects == 2
    assert not annotation.objects


def test_frames_are_painted_and_dropped_one_by_one(chosen, target, monkeypatch):
    alive, seen = [], []
    paint = running.labels_from_masks

    class Frame(np.ndarray):  # plain arrays cannot be watched
        pass

    def watched(*words, **options):
        gc.collect(0)
        alive.append(sum(held() is not None for held in seen))
        frame = paint(*words, **options).view(Frame)
        seen.append(weakref.ref(frame))
        return frame

    monkeypatch.setattr(running, "labels_from_masks", watched)
    movie = MovieIdentity("long", (40, *MOVIE.frame_shape), "uint8")
    export(document([masklet(300, dict.fromkeys(range(40), square(3, 3)))], movie=movie), target, chosen)
    assert max(alive, default=0) <= 3


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.tif", "tiff"),
        ("A.TIFF", "tiff"),
        ("a.ome.tif", "ome-tiff"),
        ("a.ome.zarr", "ome-zarr"),
        ("a.json", "coco"),
        ("a.csv", "csv"),
        ("a.geff", "geff"),
        ("a.xml", "trackmate"),
    ],
)
def test_the_suffix_chooses_the_format(name, expected):
    assert format_of(name).name == expected


@pytest.mark.parametrize("name", ["a", "a.xyz", "tif"])
def test_a_suffix_that_tells_nothing_is_an_error(name):
    with pytest.raises(FormatError, match="does not tell"):
        format_of(name)


def test_an_unknown_format_is_answered_with_the_known_ones(tmp_path):
    with pytest.raises(FormatError, match="'xml': expected tiff, ome-tiff"):
        export(plain(), tmp_path / "a.tif", "xml")


def test_a_name_that_does_not_go_with_the_format_is_refused(tmp_path):
    with pytest.raises(FormatError, match=r"has to end in \.csv"):
        export(plain(), tmp_path / "a.txt", "csv")


def test_a_full_disk_is_put_in_words(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("src_model.formats.labels_tiff._write", full)
    with pytest.raises(FormatError, match=r"a\.ome\.tif.*No space left"):
        export(plain(), tmp_path / "a.ome.tif")
    assert list(tmp_path.iterdir()) == []


def test_names_of_formats_are_unique_and_each_says_what_it_is_for():
    assert len({item.name for item in FORMATS}) == len({item.title for item in FORMATS}) == len(FORMATS)
    assert all(item.hint.endswith(".") for item in FORMATS)


@pytest.mark.parametrize(
    ("number", "noun", "written"),
    [
        (1, "names", "1 name"),
        (2, "names", "2 names"),
        (1, "classes", "1 class"),
        (1, "pixels of several objects", "1 pixel of several objects"),
        (1200, "frames known to be empty", "1,200 frames known to be empty"),
        (1, "objects without any mask", "1 object without any mask"),
    ],
)
def test_one_of_a_kind_is_written_in_the_singular(number, noun, written):
    assert counted(number, noun) == written


def test_of_objects_that_fused_one_parent_is_written_and_that_is_told(tmp_path):
    annotation = document([masklet(1, {0: square(1, 1)}), masklet(2, {0: square(9, 9)}), masklet(3, {1: square(5, 5)})])
    for parent in (1, 2):
        annotation.do(MarkDivision(Division(parent, 1, (3,))))
    report = export(annotation, tmp_path / "tracks", "ctc")
    assert "3 1 1 1" in (tmp_path / "tracks" / "res_track.txt").read_text()
    assert losses_of(report)["fusions"].text == "One parent alone is written of object 3, to which several fused."
