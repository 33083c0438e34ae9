"""Files of TrackMate, written and read."""

from __future__ import annotations

import warnings
from xml.etree import ElementTree

import numpy as np
import pytest

from src_model.document import Annotation, Division, MovieIdentity, RenameObject
from src_model.errors import FormatError, StoppedError
from src_model.formats import export, is_trackmate, linked_spots, read_trackmate
from src_model.masks import centroid
from tests.formats.documents import (
    SHAPE,
    crowded,
    document,
    dynasty,
    family,
    losses_of,
    masklet,
    masks_of,
    plain,
    square,
)

SPOT = '<Spot ID="{0}" name="{3}" POSITION_X="{1}" POSITION_Y="6.0" FRAME="{2}" RADIUS="2.0" QUALITY="910.0" />'
IMAGE = 'filename="a" folder="" width="32" height="24" nslices="1" nframes="4" pixelwidth="0.5" pixelheight="0.5"'


def written(tmp_path, annotation):
    report = export(annotation, tmp_path / "cells.xml")
    return tmp_path / "cells.xml", report


def by_hand(tmp_path, edges, spots=None, image=IMAGE, shown="<TrackID TRACK_ID='0' />", head=""):
    """A file as TrackMate writes it, of six spots on four frames; positions are in units of half a pixel."""
    spots = spots or [SPOT.format(n, 4 + n, n // 2, f"ID{n}") for n in range(6)]
    links = "".join(f'<Edge SPOT_SOURCE_ID="{a}" SPOT_TARGET_ID="{b}" LINK_COST="1.5" />' for a, b in edges)
    settings = f"<Settings><ImageData {image} /></Settings>" if image else ""
    (tmp_path / "hand.xml").write_text(
        f'<?xml version="1.0" encoding="UTF-8"?>\n{head}<TrackMate version="7.11.1">\n<Log>begun, &lt;ended&gt;</Log>'
        f'<Model spatialunits="µm" timeunits="sec"><AllSpots nspots="{len(spots)}"><SpotsInFrame frame="0">'
        f'{"".join(spots)}</SpotsInFrame></AllSpots><AllTracks><Track name="Track_0" TRACK_ID="0">{links}</Track>'
        f"</AllTracks><FilteredTracks>{shown}</FilteredTracks></Model>{settings}</TrackMate>",
        encoding="utf-8",
    )
    return tmp_path / "hand.xml"


@pytest.mark.parametrize("make", [plain, family, dynasty, crowded])
def test_what_is_written_is_read_as_the_same_objects_masks_and_divisions(tmp_path, make):
    path, _ = written(tmp_path, make())
    imported = read_trackmate(path)
    again = imported.document()
    assert is_trackmate(path)
    assert (imported.shape, imported.notes) == (SHAPE, ())
    assert masks_of(again) == masks_of(make())
    assert again.divisions == make().divisions
    assert [info.name for info in again.objects.values()] == [info.name for info in make().objects.values()]
    assert [again.frame(*key).score for key in masks_of(again)] == [make().frame(*key).score for key in masks_of(again)]


def test_nothing_of_a_lineage_is_lost(tmp_path):
    _, report = written(tmp_path, dynasty())
    assert [loss.what for loss in report.losses] == ["origins of masks"]


def test_positions_are_in_the_units_of_the_movie_and_edges_are_grouped_by_lineage(tmp_path):
    path, _ = written(tmp_path, family())
    root = ElementTree.parse(path).getroot()
    model, image = root.find("Model"), root.find("Settings/ImageData")
    assert dict(model.attrib) == {"spatialunits": "µm", "timeunits": "s"}
    assert (image.get("pixelwidth"), image.get("timeinterval"), image.get("nframes")) == ("0.65", "30.0", "6")
    spots = {spot.get("ID"): spot for spot in model.iter("Spot")}
    assert len(spots) == int(model.find("AllSpots").get("nspots")) == 14
    spot = spots["0"]  # object 2, pixels 2 to 5
    assert (float(spot.get("POSITION_X")), float(spot.get("RADIUS"))) == pytest.approx(
        (3.5 * 0.65, 0.65 * 2.2568), 1e-4
    )
    assert np.ptp([float(value) for value in spot.text.split()]) == pytest.approx(4 * 0.65)
    tracks = {track.get("TRACK_ID"): len(track) for track in model.iter("Track")}
    assert tracks == {"2": 4, "3": 8}
    assert {each.get("TRACK_ID") for each in model.find("FilteredTracks")} == set(tracks)


def test_other_programs_read_it(tmp_path):
    geff = pytest.importorskip("geff", reason="the extra geff is not installed")
    from geff.convert import from_trackmate_xml_to_geff

    path, _ = written(tmp_path, dynasty())
    with warnings.catch_warnings():  # of a log and an image that are not there, and of µm, which TrackMate writes too
        warnings.simplefilter("ignore", UserWarning)
        from_trackmate_xml_to_geff(path, tmp_path / "cells.geff")
        graph, _ = geff.read(tmp_path / "cells.geff")
    assert (len(graph.nodes), len(graph.edges)) == (11, 11)


def test_masks_with_holes_or_in_pieces_are_told(tmp_path):
    ring, two = square(2, 2, 6), square(12, 2, 6) | square(12, 20, 4)
    ring[4, 4] = False
    path, report = written(tmp_path, document([masklet(1, {0: ring}), masklet(2, {0: two})]))
    assert (losses_of(report)["holes"].count, losses_of(report)["pieces"].count) == (1, 1)
    masks = masks_of(read_trackmate(path).document())
    np.testing.assert_array_equal(masks[1, 0].decode(), square(2, 2, 6))
    np.testing.assert_array_equal(masks[2, 0].decode(), square(12, 2, 6))


def test_links_that_are_read_otherwise_are_told(tmp_path):
    annotation = document(
        [
            masklet(1, dict.fromkeys(range(4), square(2, 2))),
            masklet(2, {2: square(12, 2)}),
            masklet(3, {0: square(12, 9)}),
            masklet(4, {1: square(12, 20)}),
            masklet(5, {0: square(2, 20)}),
        ],
        divisions=[Division(1, 2, (2,)), Division(3, 1, (4,)), Division(4, 2, (5,))],
    )
    path, report = written(tmp_path, annotation)
    losses = losses_of(report)
    assert "object 1" in losses["continued"].text
    assert "3 to 4" in losses["only children"].text
    assert "4 to 5" in losses["links"].text
    again = read_trackmate(path).document()
    assert again.divisions == {1: Division(1, 2, (2, 6))}
    assert again.masklet(3).frames == (0, 1)


def test_names_are_written_whatever_is_in_them_and_cut_if_they_are_long(tmp_path):
    annotation = dynasty()
    annotation.do(RenameObject(1, 'a "b" <c> & \x00\n'))
    annotation.do(RenameObject(2, "n" * 200))
    path, report = written(tmp_path, annotation)
    found = read_trackmate(path).document().objects
    assert (found[1].name, found[2].name) == ('a "b" <c> &  \n', "n" * 100)
    assert losses_of(report)["long names"].count == 1


def test_a_movie_without_units_is_written_in_pixels_and_frames(tmp_path):
    movie = MovieIdentity("cells", SHAPE, "uint8", scale=(1, 2, 3), units=("", "", ""))
    path, _ = written(tmp_path, document([masklet(1, {0: square(1, 1)})], movie=movie))
    assert 'spatialunits="pixel" timeunits="frame"' in path.read_text(encoding="utf-8")
    assert masks_of(read_trackmate(path).document()).keys() == {(1, 0)}


def test_a_file_of_trackmate_becomes_discs_with_divisions_and_fusions(tmp_path):
    imported = read_trackmate(by_hand(tmp_path, [(0, 2), (0, 3), (2, 4), (5, 3)]))
    again = imported.document()
    assert imported.shape == (4, 24, 32)
    assert [item.frames for item in imported.masklets] == [(0,), (0,), (1, 2), (1, 2)]
    assert again.divisions == {1: Division(1, 1, (3, 4))}
    assert centroid(again.mask_at(1, 0)) == (12, 8)
    assert again.mask_at(1, 0).area == 49
    assert not any(info.name for info in again.objects.values())
    fused = read_trackmate(by_hand(tmp_path, [(0, 2), (1, 2), (2, 4)])).document()
    assert fused.divisions == {1: Division(1, 1, (3,)), 2: Division(2, 1, (3,))}


def test_outlines_become_masks_and_names_that_all_spots_share_are_kept(tmp_path):
    outline = '" ROI_N_POINTS="4">-2 -2 2 -2 2 2 -2 2</Spot>'
    spots = [SPOT.format(n, 8.25, n, "mother").replace('" />', outline) for n in range(2)]
    spots = [spot.replace("6.0", "6.25") for spot in spots]
    again = read_trackmate(by_hand(tmp_path, [(0, 1)], spots)).document()
    assert again.object(1).name == "mother"
    assert (again.mask_at(1, 0).box, again.mask_at(1, 0).area) == ((9, 13, 17, 21), 64)
    assert again.frame(1, 0).score == 1, "quality is no score there"


def test_what_filters_of_trackmate_hide_is_left_out_and_told(tmp_path):
    spots = [SPOT.format(n, 4 + n, n // 2, "") for n in range(6)]
    spots[5] = spots[5].replace("FRAME", 'VISIBILITY="0" FRAME')
    imported = read_trackmate(by_hand(tmp_path, [(0, 2), (2, 4)], spots, shown=""))
    assert len(imported.masklets) == 2
    assert imported.notes == ("4 spots hidden by filters of TrackMate left out.",)


def test_spots_outside_of_the_images_are_left_out_and_told(tmp_path):
    spots = [SPOT.format(0, 8, 0, ""), SPOT.format(1, 80, 1, ""), SPOT.format(2, 8, 2, "")]
    imported = read_trackmate(by_hand(tmp_path, [(0, 1), (1, 2)], spots))
    assert imported.masklets[0].frames == (0, 2)
    assert imported.notes == ("1 spot outside of the images left out.",)


def test_without_image_data_the_movie_is_as_asked_or_large_enough(tmp_path):
    path = by_hand(tmp_path, [], image="")
    assert read_trackmate(path, shape=(9, 50, 60)).shape == (9, 50, 60)
    assert read_trackmate(path).shape == (3, 9, 12)


def test_it_is_added_to_the_movie_it_belongs_to(tmp_path):
    annotation = Annotation(MovieIdentity("cells", (4, 24, 32), "uint8"))
    annotation.do(read_trackmate(by_hand(tmp_path, [(0, 2)])).action(annotation))
    assert len(annotation.objects) == 5


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"edges": [(0, 99)]}, "links spot 99, which is not in it"),
        ({"edges": [(0, 1)]}, "both on frame 0"),
        ({"edges": [(0, "x")]}, "an edge of .* SPOT_TARGET_ID 'x': expected a number"),
        ({"spots": [SPOT.format(1.5, 4, 0, "")]}, "ID '1.5': expected a whole number"),
        ({"spots": [SPOT.format(1, "NaN", 0, "")]}, "POSITION_X 'NaN'"),
        ({"spots": [SPOT.format(1, 4, 0, "")] * 2}, "two spots with the ID 1"),
        ({"spots": [SPOT.format(1, 4, 7, "")]}, "on frame 7: the movie has frames 0 to 3"),
        ({"spots": [SPOT.format(1, 4, 0, "").replace("RADIUS", "R")]}, "spot 1 .* has no RADIUS"),
        ({"spots": [SPOT.format(1, 4, 0, "").replace("/>", 'ROI_N_POINTS="3">1 2 3 4</Spot>')]}, "expected 6 finite"),
        ({"spots": [SPOT.format(1, 4, 0, "").replace("/>", 'ROI_N_POINTS="3">1 2 x</Spot>')]}, "outline of spot 1"),
        ({"spots": [" "]}, "holds no spots"),
        ({"image": IMAGE.replace('nslices="1"', 'nslices="5"')}, "volume of 5 planes"),
        ({"image": IMAGE.replace('nframes="4"', 'nframes="2000000000"')}, "2000000000 frames"),
        ({"image": IMAGE.replace('height="24"', 'height="99999999"')}, "pixels"),
        ({"image": IMAGE.replace('pixelwidth="0.5"', 'pixelwidth="0"')}, "expected positive numbers"),
        ({"head": '<!DOCTYPE a [<!ENTITY b "bbb">]>'}, "declares a document type"),
    ],
)
def test_what_is_damaged_or_hostile_is_refused_in_words(tmp_path, changes, fault):
    with pytest.raises(FormatError, match=fault):
        read_trackmate(by_hand(tmp_path, **{"edges": [], **changes}))


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"<TrackMate><Model>", "damaged XML"),
        (b"\x00\x01", "damaged XML"),
        (b"", "damaged XML"),
        (b'<?xml version="1.0" encoding="nope"?><TrackMate/>', "damaged XML"),
        (b"<svg/>", "begins with <svg>"),
    ],
)
def test_what_is_no_file_of_trackmate_is_refused(tmp_path, content, fault):
    (tmp_path / "a.xml").write_bytes(content)
    with pytest.raises(FormatError, match=fault):
        read_trackmate(tmp_path / "a.xml")
    with pytest.raises(FormatError, match="cannot be read"):
        read_trackmate(tmp_path / "missing.xml")


def test_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("src_model.formats.trackmate_reader.MAX_SPOTS", 3)
    with pytest.raises(FormatError, match="more than 3 spots"):
        read_trackmate(by_hand(tmp_path, []))
    monkeypatch.setattr("src_model.formats.trackmate_reader._MOST_OUTLINE", 20)
    spot = SPOT.format(1, 4, 0, "").replace("/>", f'ROI_N_POINTS="3">{"1 " * 20}</Spot>')
    with pytest.raises(FormatError, match="outline of more than 20"):
        read_trackmate(by_hand(tmp_path, [], [spot]))
    monkeypatch.setattr("src_model.formats.trackmate_reader._MOST_BYTES", 20)
    with pytest.raises(FormatError, match="20 at most"):
        read_trackmate(by_hand(tmp_path, []))


def test_reading_can_be_stopped(tmp_path):
    with pytest.raises(StoppedError):
        read_trackmate(by_hand(tmp_path, []), cancelled=lambda: True)


def test_ids_that_are_too_large_or_given_twice_are_replaced():
    spots = {
        number: linked_spots.Spot(0, 4.0 * number, 4.0, object_id=wish) for number, wish in enumerate((7, 7, 2**31))
    }
    found = linked_spots.imported_spots("a", spots, (), SHAPE)
    assert [item.object_id for item in found.masklets] == [7, 8, 9]
    spots = {number: linked_spots.Spot(0, 4.0 * number, 4.0, object_id=2**31 - number) for number in range(3)}
    assert [item.object_id for item in linked_spots.imported_spots("a", spots, (), SHAPE).masklets] == [1, 2, 3]
