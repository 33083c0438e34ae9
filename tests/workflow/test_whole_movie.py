"""All objects of a movie together: births, divisions, exits, what a person said, stopping, going on, one undo."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest

from src_model.document import AddDetections, Annotation, Division, LockObject, MovieIdentity, Origin, SetMask
from src_model.document.division_scores import division_scores
from src_model.frames import open_movie
from src_model.masks import Detection, MaskletFrame, Rle
from src_model.workflow import (
    DocumentTracker,
    WholeMovieJob,
    WholeMovieOptions,
    is_whole_movie,
    movie_summary,
    run_job,
    track_all,
)
from src_model.workflow.two_in_one import Cells, Told, TwoInOne
from tests.tracking import tiny
from tests.workflow import drawn

STAYS = {1: (12, 12, 6)}


@pytest.fixture
def follows(monkeypatch):
    drawn.follow_drawn(monkeypatch)


def tracked(movie, **options):
    document, tracker = drawn.begin(movie)
    report = track_all(document, tracker, WholeMovieOptions(**options), detector=drawn.DrawnCells())
    return document, report


def seen(document, object_id):
    return [frame for frame, area in drawn.areas(document, object_id).items() if area]


@pytest.mark.usefixtures("follows")
def test_everything_on_the_first_frame_is_followed_and_is_one_step():
    frames = [{1: (12, 12 + t, 6), 2: (34, 40 - t, 6)} for t in range(6)]
    document, report = tracked(drawn.draw(*frames))
    assert [each.reason for each in report.beginnings] == ["first frame"] * 2
    assert seen(document, 1) == seen(document, 2) == list(range(6))
    assert document.object(1).note == "begins on frame 0: first frame"
    assert document.undo() == "Find and track all"
    assert not document.objects
    assert document.undo_label is None
    document.redo()
    assert seen(document, 2) == list(range(6))


@pytest.mark.usefixtures("follows")
def test_what_comes_later_is_found_and_followed_back_to_where_it_came_in():
    frames = [{**STAYS, 2: (34, 66 - 3 * t, 6)} if t > 1 else STAYS for t in range(6)]
    document, report = tracked(drawn.draw(*frames), every=4)
    late = report.beginnings[1]
    assert (late.frame, late.prompted, late.reason) == (2, 4, "edge")
    assert seen(document, 2) == [2, 3, 4, 5]
    assert document.object(2).note == "begins on frame 2: edge"


@pytest.mark.usefixtures("follows")
def test_a_track_ends_where_it_was_seen_last_with_the_reason():
    frames = [
        {**STAYS, **({2: (34, 48 + 4 * t, 6)} if t < 5 else {}), **({3: (34, 12, 6)} if t < 3 else {})}
        for t in range(9)
    ]
    document, report = tracked(drawn.draw(*frames), patience=2)
    assert {(each.object_id, each.frame, each.reason) for each in report.endings} == {(2, 4, "edge"), (3, 2, "lost")}
    assert max(drawn.areas(document, 3)) == 5  # it was looked for on three frames more


@pytest.mark.usefixtures("follows")
def test_a_division_ends_the_mother_and_begins_two_daughters():
    mother, daughters = {2: (30, 34, 10)}, {2: (30, 27, 6.8), 3: (30, 42, 6.8)}
    document, report = tracked(drawn.draw(*[{**STAYS, **(mother if t < 3 else daughters)} for t in range(7)]))
    (found,) = report.divisions
    assert (found.parent, found.frame) == (2, 3)
    assert dict(document.divisions) == {2: Division(2, 3, found.daughters)}
    assert seen(document, 2) == [0, 1, 2]
    assert [seen(document, number) for number in found.daughters] == [[3, 4, 5, 6]] * 2
    assert [(each.object_id, each.reason) for each in report.endings] == [(2, "division")]
    document.undo()
    assert not document.objects
    assert not document.divisions


@pytest.mark.usefixtures("follows")
def test_a_mask_that_falls_into_two_is_a_division_without_a_look():
    daughters = {**STAYS, 2: (30, 26, 6.8), 3: (30, 43, 6.8)}
    movie = drawn.draw(*[{**STAYS, 2: (30, 34, 10)}] * 3, *[daughters] * 3)
    movie[3][movie[3] == 3] = 2
    document, report = tracked(movie, every=10)
    (found,) = report.divisions
    assert (found.parent, found.frame) == (2, 3)
    assert len(document.objects) == 4


@pytest.mark.usefixtures("follows")
@pytest.mark.parametrize("as_one_mask", [False, True])
def test_divisions_that_are_to_be_asked_are_suggested_and_both_daughters_are_tracked(as_one_mask):
    daughters = {**STAYS, 2: (30, 26, 6.8), 3: (30, 43, 6.8)}
    movie = drawn.draw(*[{**STAYS, 2: (30, 34, 10)}] * 3, *[daughters] * 3)
    if as_one_mask:
        movie[3][movie[3] == 3] = 2
    document, report = tracked(movie, divisions="ask")
    assert not report.divisions
    assert not document.divisions
    (suggested,) = report.suggestions
    assert (suggested.parent, suggested.daughters, suggested.frame) == (2, (2, 3), 3)
    assert seen(document, 2) == list(range(6))
    assert seen(document, 3) == [3, 4, 5]
    held = [document.mask_at(number, 3).decode() for number in (2, 3)]
    assert np.sum(held, axis=0).max() == 1


@pytest.fixture
def two_from_frame_3(monkeypatch):
    """Let a drawn cell of value 2 be told apart as two daughters from frame 3 on, though it keeps its outline."""
    rows, columns = np.mgrid[: drawn.SHAPE[0], : drawn.SHAPE[1]]

    def told(self, image, normalization, masks):
        cells = Cells(Rle.encode((image == 2) & (columns < 30)), Rle.encode((image == 2) & (columns > 30)))
        two = image.max() == 9 and rows.shape == image.shape
        return {n: Told(-0.5, cells) if two and mask.area > 300 else Told(0.5, None) for n, mask in masks.items()}

    monkeypatch.setattr(TwoInOne, "look", told)


def rod(frames: int) -> np.ndarray:
    """Draw a rod beside a cell; a pixel of value 9 marks the frames on which there are two."""
    movie = drawn.draw(*[STAYS] * frames)
    movie[:, 28:38, 10:51] = 2
    movie[3:, 0, 0] = 9
    return movie


@pytest.mark.usefixtures("follows", "two_from_frame_3")
def test_a_rod_that_keeps_its_outline_divides_on_the_frame_since_when_there_are_two():
    document, report = tracked(rod(7), every=10)
    (found,) = report.divisions
    assert (found.parent, found.frame) == (2, 3)
    assert seen(document, 2) == [0, 1, 2]
    for number in found.daughters:
        assert [drawn.areas(document, number)[frame] for frame in (3, 4)] == [200, 200]
        assert document.prompts(number).keys() == {4}
        assert document.object(number).note.startswith("begins on frame 3: division")


@pytest.mark.usefixtures("follows", "two_from_frame_3")
def test_chromosomes_that_part_in_a_cell_divide_it_once_they_have_grown_to_its_size():
    movie = rod(9)
    movie[3:5, 28:38, 8:52] = 0
    movie[3:5, 29:37, 10:50] = 2  # smaller by a fifth, and told apart all the same
    document, report = tracked(movie, every=10)
    assert [(each.parent, each.frame) for each in report.divisions] == [(2, 5)]
    assert seen(document, 2) == [0, 1, 2, 3, 4]


@pytest.mark.usefixtures("follows", "two_from_frame_3")
def test_such_a_division_is_suggested_where_all_are_to_be_asked_and_left_out_where_none_is_wanted():
    document, report = tracked(rod(5), every=10, divisions="ask")
    (suggested,) = report.suggestions
    assert (suggested.parent, suggested.daughters, suggested.frame) == (2, (2, 3), 4)
    assert not document.divisions
    document, report = tracked(rod(5), every=10, divisions="off")
    assert len(document.objects) == 2


@pytest.mark.usefixtures("follows", "two_from_frame_3")
def test_what_a_person_locked_is_not_divided():
    document, tracker = drawn.begin(rod(7))
    document.do(AddDetections(0, (Detection.of_mask(Rle.from_box((28, 10, 38, 51), drawn.SHAPE), 1.0),), "me"))
    document.do(SetMask(1, 6, Rle.from_box((28, 10, 38, 51), drawn.SHAPE)))
    report = track_all(document, tracker, WholeMovieOptions(every=10), detector=drawn.DrawnCells())
    assert not report.divisions
    assert seen(document, 1) == list(range(7))


@pytest.mark.usefixtures("follows")
def test_divisions_can_be_left_out_and_less_sure_ones_are_suggested():
    frames = [{**STAYS, **({2: (30, 34, 10)} if t < 3 else {2: (30, 23, 6.8), 3: (30, 46, 6.8)})} for t in range(7)]
    document, report = tracked(drawn.draw(*frames), divisions="off")
    assert not report.divisions
    assert not report.suggestions
    assert len(document.objects) == 3
    document, report = tracked(drawn.draw(*frames), min_division=1.0)
    assert not document.divisions
    (suggested,) = report.suggestions
    assert (suggested.parent, suggested.daughters, suggested.frame) == (2, (2, 3), 3)
    assert 0.75 < suggested.score < 1
    (kept,) = division_scores(document.project.settings)
    assert (kept.parent, kept.daughters, kept.frame) == (2, (2, 3), 3)
    assert kept.score == pytest.approx(suggested.score, abs=1e-4)
    document.undo()
    assert division_scores(document.project.settings) == ()


@pytest.mark.usefixtures("follows")
@pytest.mark.parametrize("as_one", [False, True], ids=["one goes on as the mother", "both are tracked as one mask"])
def test_asked_for_divisions_are_suggested_and_none_is_marked(as_one):
    mother, daughters = {**STAYS, 2: (30, 34, 10)}, {**STAYS, 2: (30, 26, 6.8), 3: (30, 43, 6.8)}
    movie = drawn.draw(*[mother] * 3, *[daughters] * 4)
    if as_one:
        movie[3][movie[3] == 3] = 2
    document, report = tracked(movie, divisions="ask")
    (suggested,) = report.suggestions
    assert (suggested.parent, suggested.daughters, suggested.frame) == (2, (2, 3), 3)
    assert suggested.score > WholeMovieOptions().min_division
    assert not report.divisions
    assert not document.divisions
    assert seen(document, 2) == list(range(7))
    assert seen(document, 3) == [3, 4, 5, 6]
    assert all(drawn.areas(document, 2)[frame] < drawn.areas(document, 2)[2] / 2 for frame in (3, 6))


@pytest.mark.usefixtures("follows")
def test_two_that_merge_do_not_hold_the_same_cell():
    frames = [{1: (24, 20 + 3 * t, 6), 2: (24, 42, 6)} if t < 4 else {2: (24, 42, 7)} for t in range(8)]
    document, report = tracked(drawn.draw(*frames))
    for frame in range(8):
        masks = [document.mask_at(number, frame) for number in document.objects]
        held = [mask.decode() for mask in masks if mask is not None]
        assert np.sum(held, axis=0).max() <= 1
    assert report.doubts
    assert seen(document, 2) == list(range(8))


@pytest.mark.usefixtures("follows")
def test_a_cell_that_was_hidden_for_a_moment_is_the_same_one_afterwards():
    frames = [{**STAYS, **({} if t in (2, 3) else {2: (34, 40, 6)})} for t in range(8)]
    document, report = tracked(drawn.draw(*frames), every=2)
    assert len(document.objects) == 2
    assert seen(document, 2) == [0, 1, 4, 5, 6, 7]
    assert not report.endings


@pytest.mark.usefixtures("follows")
def test_what_a_person_said_stays_and_claims_its_cell():
    movie = drawn.draw(*[{**STAYS, 2: (34, 40, 6)}] * 6)
    document, tracker = drawn.begin(movie)
    mine, painted = Rle.encode(movie[0] == 1), Rle.from_box((30, 36, 40, 46), drawn.SHAPE)
    document.do(
        AddDetections(0, (Detection.of_mask(mine, 1.0), Detection.of_mask(Rle.encode(movie[0] == 2), 0.9)), "me")
    )
    document.do(LockObject(1))
    document.do(SetMask(2, 3, painted))
    report = track_all(document, tracker, detector=drawn.DrawnCells())
    assert drawn.areas(document, 1) == {0: mine.area}
    assert document.mask_at(2, 3) == painted
    assert all(each.object_id > 2 for each in report.beginnings)


@pytest.mark.usefixtures("follows")
def test_a_run_that_was_stopped_goes_on_where_it_stopped():
    frames = [{**STAYS, 2: (34, 20 + 3 * t, 6), **({3: (12, 40, 6)} if t < 2 else {})} for t in range(8)]
    movie = drawn.draw(*frames)
    whole, _ = tracked(movie)
    document, tracker = drawn.begin(movie)
    job = WholeMovieJob.begin(document, detector=drawn.DrawnCells())
    with closing(run_job(job, tracker)) as running:
        for now in running:
            if now.frame == 4:
                break
    assert max(seen(document, 2)) == 4
    _, another = drawn.begin(movie)  # another process
    again = WholeMovieJob.begin(document, detector=drawn.DrawnCells())
    assert [now.frame for now in run_job(again, another)] == [5, 6, 7]
    assert {n: seen(document, n) for n in document.objects} == {n: seen(whole, n) for n in whole.objects}
    assert list(run_job(WholeMovieJob.begin(document), another)) == []  # nothing is left


@pytest.mark.usefixtures("follows")
def test_what_was_tracked_object_by_object_does_not_count_as_looked_through():
    document, tracker = drawn.begin(drawn.draw(*[{**STAYS, 2: (34, 40, 6)}] * 6))
    mine = Rle.encode(drawn.draw({**STAYS})[0] == 1)
    document.do(AddDetections(0, (Detection.of_mask(mine, 1.0),), "me"))
    document.do(SetMask(1, 5, mine, origin=Origin.TRACKED))
    report = track_all(document, tracker, detector=drawn.DrawnCells())
    assert [each.object_id for each in report.beginnings] == [2]
    assert seen(document, 2) == list(range(6))
    document.undo()
    assert not is_whole_movie(document)


@pytest.mark.usefixtures("follows")
def test_a_number_that_a_person_took_meanwhile_is_not_written_over():
    frames = [{**STAYS, **({2: (34, 40, 6)} if t > 1 else {})} for t in range(6)]
    document, tracker = drawn.begin(drawn.draw(*frames))
    job = WholeMovieJob.begin(document, WholeMovieOptions(every=2), detector=drawn.DrawnCells())
    mine = Rle.from_box((2, 50, 6, 54), drawn.SHAPE)
    for now in run_job(job, tracker):
        if now.frame == 0:
            document.do(AddDetections(0, (Detection.of_mask(mine, 1.0),), "me"))
        if job.has_edits:
            edits = job.edits()
            tracker.follow(edits.known, edits.gone)
            assert not job.has_edits
    assert drawn.areas(document, 2) == {0: mine.area}
    assert seen(document, 3) == [2, 3, 4, 5]  # found again at the next look, and followed back


@pytest.mark.usefixtures("follows")
def test_looks_are_every_so_often_and_around_what_shrank():
    detector = drawn.DrawnCells()
    frames = [{**STAYS, **({2: (30, 34, 10)} if t < 3 else {2: (30, 27, 6.8), 3: (30, 42, 6.8)})} for t in range(11)]
    document, tracker = drawn.begin(drawn.draw(*frames))
    track_all(document, tracker, WholeMovieOptions(every=5), detector=detector)
    assert len(detector.looks) == 4  # frames 0, 3, 5 and 10


def test_a_network_tracks_a_movie_with_it():
    movie, network = tiny.make_movie(), tiny.build()
    document = Annotation(MovieIdentity("tiny", movie.shape, "uint8"))
    tracker = DocumentTracker(open_movie(movie), lambda: tiny.predictor(network))
    report = track_all(document, tracker, WholeMovieOptions(every=4), detector=OneCell())
    assert report.beginnings[0].reason == "first frame"
    for frame in range(tiny.LENGTH):
        held = [entry.mask.decode() for entry in document.masks_at(frame).values()]
        assert held
        assert np.sum(held, axis=0).max() <= 1
    document.undo()
    assert not document.objects


class OneCell(drawn.DrawnCells):
    """A detector that finds the same cell in each image."""

    def detect(self, *_, **__):
        return [Detection.of_mask(Rle.from_box((12, 8, 26, 22), tiny.SHAPE), 0.9)]


@pytest.mark.usefixtures("follows")
def test_a_movie_is_summed_up_by_objects_frames_doubts_divisions_and_exits():
    frames = [{**STAYS, 2: (34, 40 + 8 * t, 6)} for t in range(7)]
    document, tracker = drawn.begin(drawn.draw(*frames))
    job = WholeMovieJob.begin(document, WholeMovieOptions(patience=2), detector=drawn.DrawnCells())
    for _ in run_job(job, tracker):
        pass
    lengths = [len(seen(document, number)) for number in document.objects]
    said = movie_summary(document)
    assert said == f"2 objects, on {sum(lengths) / 2:.1f} frames on average, 0 with doubtful frames."
    assert job.summary == f"{said} {job.report.summary}"
    for told in ("0 divisions", "1 left at the edge"):
        assert told in job.summary
    weak = MaskletFrame(document.mask_at(1, 3), 0.6, 1.0)
    with document.propagation() as run:
        run.add(3, {1: weak})
    assert "1 with doubtful frames" in movie_summary(document)
    document.do(LockObject(1, True))
    assert "0 with doubtful frames" in movie_summary(document)
