"""What may be replaced: our own, other files by force, the movie never."""

from __future__ import annotations

import os

import numpy as np
import pytest
import tifffile
from PIL import Image

from src_model.document import MovieIdentity, load, save
from src_model.errors import FormatError
from src_model.formats import FORMATS, ExportOptions, export, format_named
from src_model.formats.target import check_target, files_of_movie
from tests.formats.documents import MOVIE, SHAPE, document, family, masklet, plain, square

NEEDS = {"ome-zarr": "zarr", "ome-zarr-0.4": "zarr", "geff": "geff"}
RAW = np.random.default_rng(0).integers(0, 255, SHAPE).astype(np.uint8)
FORCE = ExportOptions(force=True)


def raw_pngs(path):
    path.mkdir()
    for number, frame in enumerate(RAW):
        Image.fromarray(frame).save(path / f"{number:04}.png")


def raw_tiffs(path):
    path.mkdir()
    for number, frame in enumerate(RAW):
        tifffile.imwrite(path / f"mask{number:03}.tif", frame)


def raw_zarr(path):
    zarr = pytest.importorskip("zarr")
    zarr.open_group(store=str(path), mode="w").create_array("0", data=RAW)


RAW_DATA = {
    "tiff": lambda path: tifffile.imwrite(path, RAW, imagej=True),
    "ome-tiff": lambda path: tifffile.imwrite(path, RAW, ome=True),
    "ome-zarr": raw_zarr,
    "ome-zarr-0.4": raw_zarr,
    "ctc": raw_tiffs,
    "coco": lambda path: path.write_text('{"info": {"description": "by hand"}}'),
    "coco-polygons": lambda path: path.write_text("{}"),
    "csv": lambda path: path.write_text("frame,object,note\n0,1,see lab book\n"),
    "geff": raw_zarr,
    "trackmate": lambda path: path.write_text('<?xml version="1.0"?><TrackMate version="7.11.1"/>'),
    "png": raw_pngs,
}


@pytest.fixture(params=[item.name for item in FORMATS])
def chosen(request):
    """Each format in turn, if what it needs is installed."""
    if request.param in NEEDS:
        pytest.importorskip(NEEDS[request.param])
    return format_named(request.param)


folders = pytest.mark.parametrize("chosen", [item.name for item in FORMATS if item.folder], indirect=True)


@pytest.fixture
def target(tmp_path, chosen):
    return tmp_path / f"raw{(chosen.suffixes or ('',))[0]}"


def content(path):
    files = [path] if path.is_file() else [entry for entry in path.rglob("*") if entry.is_file()]
    return {file.relative_to(path.parent).as_posix(): file.read_bytes() for file in files}


def on_movie(path):
    """A document that knows where its movie is."""
    return document([masklet(1, {0: square(2, 2)})], movie=MovieIdentity("raw", SHAPE, "uint8", path=str(path)))


def refused(annotation, path, chosen, options=None, match=""):
    before = content(path) if path.exists() else None
    around = sorted(path.parent.iterdir())
    with pytest.raises(FormatError, match=match):
        export(annotation, path, chosen, options)
    assert (content(path) if path.exists() else None) == before
    assert sorted(path.parent.iterdir()) == around


def test_every_format_knows_what_it_wrote_and_nothing_else(tmp_path, chosen, target):
    RAW_DATA[chosen.name](target)
    assert not chosen.is_ours(target)
    other = tmp_path / target.name.replace("raw", "ours")
    export(family(), other, chosen)
    assert chosen.is_ours(other)


def test_raw_data_with_the_names_of_an_export_are_not_replaced(chosen, target):
    RAW_DATA[chosen.name](target)
    refused(plain(), target, chosen, match="choose another name")


def test_force_replaces_a_file_but_no_folder(chosen, target):
    RAW_DATA[chosen.name](target)
    if chosen.folder:
        refused(plain(), target, chosen, FORCE, match="remove the folder yourself")
    else:
        export(plain(), target, chosen, FORCE)
        assert chosen.is_ours(target)


@folders
def test_an_export_to_which_something_was_added_is_not_replaced(chosen, target):
    export(plain(), target, chosen)
    raw_pngs(target / "raw")
    refused(plain(), target, chosen, FORCE, match="not only")


@pytest.mark.parametrize("name", ["png", "ctc"])
def test_one_foreign_image_among_our_own_keeps_all(tmp_path, name):
    target = tmp_path / "out"
    export(plain(), target, name)
    first = min(target.iterdir())
    values = np.asarray(Image.open(first))
    Image.fromarray(values).save(first)
    refused(plain(), target, name, FORCE, match="remove the folder yourself")


def test_another_format_is_not_replaced(tmp_path):
    export(plain(), tmp_path / "out", "png")
    refused(plain(), tmp_path / "out", "ctc", match="remove the folder")


@folders
def test_an_empty_folder_and_what_file_managers_leave_are_replaced(chosen, target):
    target.mkdir()
    (target / ".DS_Store").write_text("")
    export(plain(), target, chosen)
    (target / ".DS_Store").write_text("")
    export(plain(), target, chosen)
    assert chosen.is_ours(target)


def test_the_movie_is_not_written_onto_by_force_even_if_it_is_ours(chosen, target):
    export(plain(), target, chosen)
    refused(on_movie(target), target, chosen, FORCE, match="is in use here")


@pytest.mark.parametrize("name", ["png", "ctc"])
def test_the_folder_around_the_movie_is_not_replaced(tmp_path, name):
    (tmp_path / "data").mkdir()
    RAW_DATA["tiff"](tmp_path / "data" / "raw.tif")
    refused(
        on_movie(tmp_path / "data" / "raw.tif"), tmp_path / "data", name, FORCE, match="has .* in it, which is in use"
    )


def test_nothing_is_written_into_the_folder_of_the_movie(tmp_path):
    raw_pngs(tmp_path / "raw")
    refused(on_movie(tmp_path / "raw"), tmp_path / "raw" / "labels.tif", "tiff", FORCE, match="lies in")


def test_nothing_is_written_into_the_store_of_the_movie(tmp_path):
    raw_zarr(tmp_path / "raw.zarr")
    refused(on_movie(tmp_path / "raw.zarr" / "0"), tmp_path / "raw.zarr" / "labels.tif", "tiff", match="lies in")


def test_links_are_followed(tmp_path):
    raw_pngs(tmp_path / "raw")
    RAW_DATA["tiff"](tmp_path / "raw.tif")
    for link, behind in (("a.tif", "raw.tif"), ("a", "raw")):
        try:
            (tmp_path / link).symlink_to(tmp_path / behind)
        except OSError:
            pytest.skip("links cannot be made here")
    refused(on_movie(tmp_path / "raw.tif"), tmp_path / "a.tif", "tiff", FORCE, match="is in use here")
    refused(on_movie(tmp_path / "a.tif"), tmp_path / "raw.tif", "tiff", FORCE, match="is in use here")
    refused(on_movie(tmp_path / "raw"), tmp_path / "a" / "b.tif", "tiff", FORCE, match="lies in")
    refused(plain(), tmp_path / "a", "png", FORCE, match="remove the folder")


def test_an_export_goes_where_a_link_leads(tmp_path):
    (tmp_path / "large disk").mkdir()
    try:
        (tmp_path / "out").symlink_to(tmp_path / "large disk", target_is_directory=True)
    except OSError:
        pytest.skip("links cannot be made here")
    for _ in range(2):
        export(plain(), tmp_path / "out", "png")
    assert (tmp_path / "out").is_symlink()
    assert len(list((tmp_path / "large disk").iterdir())) == SHAPE[0]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_relative_path_is_looked_for_beside_the_document_too(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    RAW_DATA["tiff"](tmp_path / "a" / "raw.tif")
    save(on_movie("raw.tif"), tmp_path / "a" / "work.sam2v")
    annotation = load(tmp_path / "a" / "work.sam2v")
    refused(annotation, tmp_path / "a" / "raw.tif", "tiff", FORCE, match="is in use here")
    monkeypatch.chdir(tmp_path / "a")
    refused(on_movie("raw.tif"), tmp_path / "a" / "raw.tif", "tiff", FORCE, match="is in use here")


def test_a_file_with_the_name_of_a_movie_that_is_nowhere_else_is_not_replaced(tmp_path):
    target = tmp_path / MOVIE.name
    RAW_DATA["tiff"](target)
    refused(plain(), target, "tiff", FORCE, match="may be that movie")
    target.unlink()
    export(plain(), target, "tiff")
    export(plain(), target, "tiff")


def test_other_files_that_are_read_are_not_written_onto(tmp_path):
    RAW_DATA["tiff"](tmp_path / "other.tif")
    options = ExportOptions(sources=(tmp_path / "other.tif",), force=True)
    refused(plain(), tmp_path / "other.tif", "tiff", options, match="is in use here")


def test_the_other_files_of_an_ome_tiff_belong_to_the_movie(tmp_path):
    names = "".join(f'<TiffData IFD="0" FirstT="{t}"><UUID FileName="t{t}.ome.tif">a</UUID></TiffData>' for t in (0, 1))
    size = 'SizeT="2" SizeC="1" SizeZ="1" SizeY="24" SizeX="32" Type="uint8" DimensionOrder="XYZCT"'
    xml = f'<OME xmlns="x"><Image ID="Image:0"><Pixels ID="Pixels:0" {size}>{names}</Pixels></Image></OME>'
    for number in range(2):
        tifffile.imwrite(tmp_path / f"t{number}.ome.tif", RAW[number], description=xml, metadata=None)
    assert tmp_path / "t1.ome.tif" in files_of_movie(tmp_path / "t0.ome.tif")
    refused(on_movie(tmp_path / "t0.ome.tif"), tmp_path / "t1.ome.tif", "ome-tiff", FORCE, match="is in use here")


def test_the_folder_one_stands_in_is_not_replaced(tmp_path, monkeypatch):
    (tmp_path / "out" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "out" / "deep")
    with pytest.raises(FormatError, match="the folder you are in"):
        check_target(tmp_path / "out", lambda _: True, folder=True)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_pipe_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(FormatError, match="neither a file nor a folder"):
        export(plain(), tmp_path / "a.csv", options=FORCE)


def test_a_file_where_a_folder_goes_is_kept(tmp_path):
    (tmp_path / "out").write_text("mine")
    refused(plain(), tmp_path / "out", "png", FORCE, match="is a file")
