"""Sessions and their documents: what is saved comes back, goes on, and can be tracked again from its prompts."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

import numpy as np
import pytest

from src_model.document import (
    LockFrames,
    Origin,
    RenameObject,
    SetMask,
    SetModel,
    SetSettings,
    Settings,
    load,
    save,
)
from src_model.errors import AnnotationFileError, MovieError, PromptError
from src_model.frames import Normalization
from src_model.masks import Rle, mask_iou
from src_model.tracking.passes import Pass
from src_model.tracking.settings import PRESETS
from tests.tracking import tiny

# What comes back


def test_a_loaded_session_holds_what_was_saved(saved, predictor, movie):
    loaded = predictor.resume(saved.path, movie)
    assert loaded.masklets == saved.masklets
    assert list(loaded.objects) == [1, 7]
    for object_id, item in saved.session.objects.items():
        other = loaded.objects[object_id]
        assert other.prompts == item.prompts
        assert other.locked == item.locked
        # A prompted frame is the prompt's, whether it was tracked before or not.
        assert other.directions == {frame: way for frame, way in item.directions.items() if frame not in item.prompts}
        assert sorted(other.conditioning_frames) == sorted(item.conditioning_frames)
    assert loaded.normalization == saved.session.normalization
    assert loaded.steps.settings == saved.session.steps.settings


def test_loading_computes_nothing_and_reads_what_tells_the_movie(saved, predictor, movie):
    counted = tiny.CountingMovie(movie)
    loaded = predictor.resume(saved.path, counted)
    assert loaded.feature_cache.misses == 0
    assert sum(counted.reads) == 3


def test_saving_a_loaded_session_changes_nothing_and_is_no_step(saved, predictor, movie, tmp_path):
    loaded = predictor.resume(saved.path, movie)
    document = load(loaded.save(tmp_path / "again.sam2v"))
    assert document.contents() == load(saved.path).contents()
    assert document.steps() == ()


def test_saving_keeps_what_only_the_document_knows_and_is_one_step_that_can_be_undone(
    saved, predictor, movie, tmp_path
):
    known = load(saved.path)
    known.do(RenameObject(7, "mother"))
    known.do(SetMask(7, 8, Rle.encode(np.ones(tiny.SHAPE, bool))))
    loaded = predictor.resume(save(known, tmp_path / "known.sam2v"), movie)
    loaded.prompt(3, 9, points=[tiny.CLICK])
    loaded.remove_object(1)
    document = load(loaded.save())
    assert document.path == tmp_path / "known.sam2v"
    assert list(document.objects) == [7, 9]
    assert document.object(7).name == "mother"
    assert document.frame(7, 8).origin is Origin.EDITED
    assert document.locked_frames(7) == known.locked_frames(7)
    document.undo()
    document.undo()
    assert document.contents().masks == known.contents().masks


def test_an_interrupted_propagation_goes_on_after_loading(predictor, movie, square, tmp_path):
    session, tracked = predictor.start(movie), predictor.start(movie)
    for each, stop in ((session, 6), (tracked, None)):
        each.prompt(0, 1, mask=square)
        tiny.finish(each.propagate(stop=stop))
    loaded = predictor.resume(session.save(tmp_path / "half.sam2v"), movie)
    tiny.finish(loaded.propagate(6))
    assert loaded.masklets[1].spans() == [(0, tiny.LENGTH)]
    assert loaded.masklets[1].entries(0, 6) == tracked.masklets[1].entries(0, 6)
    # Memories made again from masks are not those that the network left, so that masks are near but not the same.
    assert mask_iou(loaded.masklets[1].mask_at(6), tracked.masklets[1].mask_at(6)) > 0.4
    assert sorted(loaded.objects[1].bank.recent) == list(range(1, tiny.LENGTH))


def test_a_loaded_session_keeps_its_prompted_and_locked_frames_when_it_is_tracked_again(saved, predictor, movie):
    loaded = predictor.resume(saved.path, movie)
    tiny.finish(loaded.propagate())
    for object_id, item in saved.session.objects.items():
        for frame in {*item.prompts, *item.locked}:
            assert loaded.masklets[object_id].mask_at(frame) == saved.masklets[object_id].mask_at(frame)


def test_a_loaded_mask_can_be_corrected(saved, predictor, movie):
    loaded = predictor.resume(saved.path, movie)
    corrected = loaded.prompt(5, 1, points=[(25, 25)], labels=[0])
    fresh = predictor.start(movie, normalization=loaded.normalization).prompt(5, 1, points=[(25, 25)], labels=[0])
    assert corrected.rle != fresh.rle
    tiny.finish(loaded.repair(5, 1))
    assert loaded.masklets[1].mask_at(5) == corrected.rle


def test_readings_of_a_click_are_not_saved(saved, predictor, movie):
    with pytest.raises(PromptError, match="last prompted nowhere"):
        predictor.resume(saved.path, movie).choose(1, 7, 0)


def test_preset_and_image_size_are_those_of_the_file(network, predictor, movie, tmp_path):
    made = tiny.predictor(network, settings=replace(PRESETS["official"], max_conditioning=2), image_size=96)
    session = made.start(movie, normalization=Normalization("limits", (0.0,), (255.0,)))
    session.prompt(0, 1, points=[tiny.CLICK])
    loaded = predictor.resume(session.save(tmp_path / "official.sam2v"), movie)
    assert loaded.steps.settings == made.steps.settings
    assert loaded.steps.image_size == 96
    assert loaded.steps.network is predictor.steps.network
    assert loaded.normalization == session.normalization


def test_an_empty_session_can_be_saved_and_loaded(predictor, movie, tmp_path):
    loaded = predictor.resume(predictor.start(movie).save(tmp_path / "empty.sam2v"), movie)
    assert dict(loaded.objects) == {}
    assert loaded.prompt(0, 1, points=[tiny.CLICK]).mask.any()


# Tracking it again


@pytest.fixture(scope="module")
def both_ways(predictor, movie):
    """Two objects, one of them another candidate than the best, tracked forwards and in reverse."""
    session = predictor.start(movie)
    answer = session.prompt(2, 1, points=[tiny.CLICK])
    session.choose(2, 1, (answer.chosen + 1) % 3)
    session.prompt(4, 2, points=[tiny.OTHER_CLICK])
    ways = [Pass(range(2, tiny.LENGTH), (1, 2)), Pass(range(4, 2, -1), (2,)), Pass(range(2, -1, -1), (1, 2))]
    for planned in ways:
        tiny.finish(
            session.propagate(planned.frames.start, planned.stop, reverse=planned.reverse, objects=planned.objects)
        )
    return session


def test_a_document_tracked_again_from_its_prompts_gives_the_same_masks(both_ways, predictor, movie, tmp_path):
    again = predictor.replay(both_ways.save(tmp_path / "both.sam2v"), movie)
    assert again.masklets == both_ways.masklets
    assert {n: item.directions for n, item in again.objects.items()} == {
        n: item.directions for n, item in both_ways.objects.items()
    }


def test_what_was_painted_or_locked_is_as_it_was_after_tracking_again(both_ways, predictor, movie, tmp_path):
    document = load(both_ways.save(tmp_path / "both.sam2v"))
    painted = Rle.encode(np.ones(tiny.SHAPE, bool))
    document.do(SetMask(1, 6, painted))
    document.do(LockFrames(2, (7,)))
    again = predictor.replay(save(document, tmp_path / "edited.sam2v"), movie)
    assert again.masklets[1].mask_at(6) == painted
    assert again.masklets[2].mask_at(7) == both_ways.masklets[2].mask_at(7)
    assert again.masklets[1].spans() == [(0, tiny.LENGTH)]


def test_a_live_session_is_replayed_on_the_recording(predictor, movie, tmp_path):
    live = predictor.start()
    for number, image in enumerate(movie):
        live.push(image)
        if number in (2, 5):
            live.prompt(number, number, points=[tiny.CLICK])
    path = live.save(tmp_path / "live.sam2v")
    replayed = predictor.replay(path, movie)
    assert replayed.masklets == live.masklets
    assert replayed.masklets[2].spans() == [(2, tiny.LENGTH)]


def test_a_live_session_goes_on_with_the_same_stream(predictor, movie, tmp_path):
    live = predictor.start()
    live.push(movie[0])
    live.prompt(0, 1, points=[tiny.CLICK])
    live.push(movie[1])
    loaded = predictor.resume(live.save(tmp_path / "live.sam2v"), live.movie)
    assert loaded.push(movie[2]).masks[1].any()
    assert loaded.masklets[1].frames == (0, 1, 2)


# Writing


def test_an_interrupted_save_leaves_the_file_that_was_there(saved, clicked, tmp_path, monkeypatch):
    path = tmp_path / "session.sam2v"
    shutil.copy(saved.path, path)

    def fail(*_paths) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(AnnotationFileError, match=r"cannot be saved as '.*session.sam2v': disk full"):
        clicked.save(path)
    assert path.read_bytes() == saved.path.read_bytes()
    assert list(tmp_path.iterdir()) == [path]


def test_an_existing_file_is_replaced_and_nothing_else_is_left(clicked, tmp_path):
    path = tmp_path / "session.sam2v"
    path.write_text("old", encoding="utf-8")
    assert clicked.save(str(path)) == path
    assert load(path).mask_at(1, 0) == clicked.masklets[1].mask_at(0)
    assert list(tmp_path.iterdir()) == [path]


def test_another_suffix_is_refused(clicked, tmp_path):
    with pytest.raises(AnnotationFileError, match=r"saved as a \.sam2v file, not as 'session.pkl'"):
        clicked.save(tmp_path / "session.pkl")


def test_a_folder_that_does_not_exist_is_named(clicked, tmp_path):
    with pytest.raises(AnnotationFileError, match="missing"):
        clicked.save(tmp_path / "missing" / "session.sam2v")


def test_a_stream_without_a_frame_has_nothing_to_save(predictor, tmp_path):
    with pytest.raises(MovieError, match="no frame yet"):
        predictor.start().save(tmp_path / "live.sam2v")


# What does not belong together


def test_the_session_of_another_model_is_refused_with_both_names_unless_allowed(saved, network, movie):
    other = tiny.StreamingPredictor(network, name="sam2.1-large", sha256="cd" * 32)
    message = r"the model 'tiny' \(sha256 abababababababab\), and this is 'sam2.1-large' \(sha256 cdcdcdcdcdcdcdcd\)"
    with pytest.raises(AnnotationFileError, match=message):
        other.resume(saved.path, movie)
    with pytest.raises(AnnotationFileError, match="allow_other_model=True"):
        other.replay(saved.path, movie)
    assert other.resume(saved.path, movie, allow_other_model=True).masklets == saved.masklets


def test_a_checkpoint_is_known_by_its_hash_whatever_it_is_called(saved, network, movie):
    renamed = tiny.StreamingPredictor(network, name="renamed", sha256="ab" * 32)
    assert renamed.resume(saved.path, movie).masklets == saved.masklets


def test_networks_without_a_file_are_known_by_their_name(network, movie, tmp_path):
    one, two = (tiny.StreamingPredictor(network, name=name) for name in ("one", "two"))
    path = one.start(movie).save(tmp_path / "session.sam2v")
    one.resume(path, movie)
    with pytest.raises(AnnotationFileError, match=r"'one' \(from no file\), and this is 'two' \(from no file\)"):
        two.resume(path, movie)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda movie: movie[:, :20], r"its frames have shape \(20, 52\), expected \(40, 52\)"),
        (lambda movie: movie[:5], "it has 5 frames, expected 10 or more"),
        (lambda movie: movie.astype(np.uint16), "its values are uint16, expected uint8"),
        (lambda movie: movie[::-1].copy(), "its images are others"),
    ],
)
def test_another_movie_is_refused_with_what_differs(saved, predictor, movie, change, message):
    with pytest.raises(AnnotationFileError, match=message):
        predictor.resume(saved.path, change(movie))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window": 3}, "window 3"),
        ({"image_size": 3}, "image size 3"),
        ({"preset": "mine"}, "setting preset cannot be used"),
        ({"max_conditioning": "many"}, "setting max_conditioning cannot be used"),
        ({"window_sizes": "a b"}, "invalid literal"),
    ],
)
def test_settings_that_cannot_be_are_refused(saved, predictor, movie, tmp_path, settings, message):
    document = load(saved.path)
    document.do(SetSettings(Settings({**document.project.settings, **settings})))
    with pytest.raises(AnnotationFileError, match=message):
        predictor.resume(save(document, tmp_path / "other.sam2v"), movie)


def test_a_document_that_says_nothing_of_settings_and_model_is_tracked_as_the_predictor_does(
    saved, predictor, movie, tmp_path
):
    document = load(saved.path)
    document.do(SetSettings(Settings()))
    document.do(SetModel(None))
    loaded = predictor.resume(save(document, tmp_path / "plain.sam2v"), movie)
    assert loaded.steps.settings == predictor.steps.settings


def test_a_movie_that_has_become_longer_is_welcome(saved, predictor):
    loaded = predictor.resume(saved.path, tiny.make_movie(12))
    assert [result.frame for result in loaded.propagate(9)] == [9, 10, 11]
