"""Sessions on disk: what is saved comes back, goes on, and can be done again."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace

import numpy as np
import pytest

from src_model.errors import PromptError, SessionFileError
from src_model.frames import Normalization
from src_model.masks import mask_iou
from src_model.tracking.operations import Locked, Prompted, Propagated, Resumed
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
        assert other.directions == item.directions
        assert other.conditioning_frames == item.conditioning_frames
    assert loaded.normalization == saved.session.normalization
    assert loaded.steps.settings == saved.session.steps.settings


def test_loading_computes_nothing(saved, predictor, movie):
    counted = tiny.CountingMovie(movie)
    loaded = predictor.resume(saved.path, counted)
    assert loaded.feature_cache.misses == 0
    assert sum(counted.reads) == 0


def test_saving_a_loaded_session_gives_the_same_file_but_for_the_note_that_it_was_resumed(
    saved, predictor, movie, tmp_path
):
    again = predictor.resume(saved.path, movie).save(tmp_path / "again.json")
    first, second = json.loads(saved.content), json.loads(again.read_text(encoding="utf-8"))
    assert second.pop("operations") == [*first.pop("operations"), {"kind": "resume"}]
    assert second == first


def test_an_interrupted_propagation_goes_on_after_loading(predictor, movie, tracked, tmp_path):
    session = predictor.start(movie)
    session.prompt(0, 1, points=[tiny.CLICK])
    tiny.finish(session.propagate(stop=6))
    loaded = predictor.resume(session.save(tmp_path / "half.json"), movie)
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
    loaded = predictor.resume(session.save(tmp_path / "official.json"), movie)
    assert loaded.steps.settings == made.steps.settings
    assert loaded.steps.image_size == 96
    assert loaded.steps.network is predictor.steps.network
    assert loaded.normalization == session.normalization


def test_an_empty_session_can_be_saved_and_loaded(predictor, movie, tmp_path):
    loaded = predictor.resume(predictor.start(movie).save(tmp_path / "empty.json"), movie)
    assert dict(loaded.objects) == {}
    assert loaded.prompt(0, 1, points=[tiny.CLICK]).mask.any()


# Doing it again


def test_a_replayed_session_gives_the_same_masks(saved, predictor, movie):
    replayed = predictor.replay(saved.path, movie)
    assert replayed.masklets == saved.masklets
    assert replayed.log.operations == saved.session.log.operations
    assert {number: item.prompts for number, item in replayed.objects.items()} == {
        number: item.prompts for number, item in saved.session.objects.items()
    }


def test_a_session_that_was_loaded_and_went_on_is_replayed_to_the_same_masks(saved, predictor, movie, tmp_path):
    loaded = predictor.resume(saved.path, movie)
    loaded.prompt(5, 1, points=[(25, 25)], labels=[0])
    tiny.finish(loaded.propagate(3))
    replayed = predictor.replay(loaded.save(tmp_path / "longer.json"), movie)
    assert loaded.log.operations.count(Resumed()) == 1
    assert replayed.masklets == loaded.masklets
    assert replayed.masklets != saved.masklets


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda session: session.remove_object(2),
        lambda session: session.clear_prompt(0, 2),
        lambda session: session.prompt(1, 3, points=[(30, 45)]),
        lambda session: session.lock(1, 2),
        lambda session: (session.remove_object(2), session.prompt(1, 2, points=[(30, 45)])),
    ],
    ids=["removed", "cleared", "added", "locked", "replaced"],
)
def test_what_was_done_while_tracking_was_paused_is_replayed_in_its_place(predictor, movie, tmp_path, meanwhile):
    session = predictor.start(movie)
    session.prompt(0, 1, points=[tiny.CLICK])
    session.prompt(0, 2, points=[tiny.OTHER_CLICK])
    results = session.propagate(stop=5)
    next(results)
    next(results)
    meanwhile(session)
    tiny.finish(results)
    replayed = predictor.replay(session.save(tmp_path / "paused.json"), movie)
    assert replayed.masklets == session.masklets


def test_a_live_session_is_replayed_on_the_recording(predictor, movie, tmp_path):
    live = predictor.start()
    for number, image in enumerate(movie):
        live.push(image)
        if number in (2, 5):
            live.prompt(number, number, points=[tiny.CLICK])
    path = live.save(tmp_path / "live.json")
    replayed = predictor.replay(path, movie)
    assert replayed.masklets == live.masklets
    assert replayed.masklets[2].spans() == [(2, tiny.LENGTH)]


def test_a_live_session_goes_on_with_the_same_stream(predictor, movie, tmp_path):
    live = predictor.start()
    live.push(movie[0])
    live.prompt(0, 1, points=[tiny.CLICK])
    live.push(movie[1])
    loaded = predictor.resume(live.save(tmp_path / "live.json"), live.movie)
    assert loaded.push(movie[2]).masks[1].any()
    assert loaded.masklets[1].frames == (0, 1, 2)


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        ({"kind": "clear", "object_id": 99, "frame": 0}, "there is no object 99"),
        ({"kind": "propagate", "object_ids": [1], "first": 0, "last": 99, "reverse": False}, "stop=100 is outside"),
        ({"kind": "choose", "object_id": 1, "frame": 9, "candidate": 0}, "was last prompted"),
        (
            {"kind": "prompt", "object_id": 1, "frame": 9, "replaced": False, "prompt": {"mask": "12"}},
            "run lengths sum to",
        ),
    ],
)
def test_an_operation_that_cannot_be_done_again_is_named(changed, predictor, movie, operation, message):
    path = changed(lambda document: document["operations"].append(operation))
    number = len(json.loads(path.read_text(encoding="utf-8"))["operations"]) - 1
    with pytest.raises(SessionFileError, match=rf"operation {number} of '.*' cannot be done again: .*{message}"):
        predictor.replay(path, movie)


def test_a_propagation_over_nothing_is_replayed_as_nothing(changed, predictor, movie):
    nothing = {"kind": "push", "object_ids": [], "first": 0, "last": 9, "reverse": False}
    replayed = predictor.replay(changed(lambda document: document["operations"].insert(0, nothing)), movie)
    assert replayed.log.operations[0] == Propagated((), 0, 9, reverse=False, kind="push")


# Writing


def test_numbers_from_arrays_are_saved_as_numbers(session, tmp_path):
    session.prompt(np.int64(0), np.int64(1), points=np.array([tiny.CLICK]), labels=np.array([1]))
    session.lock(np.int64(0), np.int64(1))
    session.save(tmp_path / "numbers.json")
    assert [type(operation) for operation in session.log.operations] == [Prompted, Locked]


def test_an_interrupted_save_leaves_the_file_that_was_there(saved, clicked, tmp_path, monkeypatch):
    path = tmp_path / "session.json"
    path.write_bytes(saved.content)

    def fail(*_paths) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(SessionFileError, match=r"cannot be saved as '.*session.json': disk full"):
        clicked.save(path)
    assert path.read_bytes() == saved.content
    assert list(tmp_path.iterdir()) == [path]


def test_an_existing_file_is_replaced_and_nothing_else_is_left(clicked, tmp_path):
    path = tmp_path / "session.json"
    path.write_text("old", encoding="utf-8")
    assert clicked.save(str(path)) == path
    assert json.loads(path.read_text(encoding="utf-8"))["format"] == "sam2v-session"
    assert list(tmp_path.iterdir()) == [path]


def test_another_suffix_is_refused(clicked, tmp_path):
    with pytest.raises(SessionFileError, match=r"saved as a \.json file, not as 'session.pkl'"):
        clicked.save(tmp_path / "session.pkl")


def test_a_folder_that_does_not_exist_is_named(clicked, tmp_path):
    with pytest.raises(SessionFileError, match="missing"):
        clicked.save(tmp_path / "missing" / "session.json")


def test_a_stream_without_a_frame_has_nothing_to_save(predictor, tmp_path):
    with pytest.raises(SessionFileError, match="no frame yet"):
        predictor.start().save(tmp_path / "live.json")


# What does not belong together


def test_the_session_of_another_model_is_refused_with_both_names_unless_allowed(saved, network, movie):
    other = tiny.StreamingPredictor(network, name="sam2.1-large", sha256="cd" * 32)
    message = r"the model 'tiny' \(sha256 abababababababab\), and this is 'sam2.1-large' \(sha256 cdcdcdcdcdcdcdcd\)"
    with pytest.raises(SessionFileError, match=message):
        other.resume(saved.path, movie)
    with pytest.raises(SessionFileError, match="allow_other_model=True"):
        other.replay(saved.path, movie)
    assert other.resume(saved.path, movie, allow_other_model=True).masklets == saved.masklets


def test_a_checkpoint_is_known_by_its_hash_whatever_it_is_called(saved, network, movie):
    renamed = tiny.StreamingPredictor(network, name="renamed", sha256="ab" * 32)
    assert renamed.resume(saved.path, movie).masklets == saved.masklets


def test_networks_without_a_file_are_known_by_their_name(network, movie, tmp_path):
    one, two = (tiny.StreamingPredictor(network, name=name) for name in ("one", "two"))
    path = one.start(movie).save(tmp_path / "session.json")
    one.resume(path, movie)
    with pytest.raises(SessionFileError, match=r"'one' \(from no file\), and this is 'two' \(from no file\)"):
        two.resume(path, movie)


@pytest.mark.parametrize(
    "change", [lambda movie: movie[:, :20], lambda movie: movie[:5], lambda m: m.astype(np.uint16)]
)
def test_another_movie_is_refused_with_both_shapes(saved, predictor, movie, change):
    other = change(movie)
    shape = re.escape(str(other.shape))
    with pytest.raises(
        SessionFileError, match=rf"shape \(10, 40, 52\) and type uint8, .*{shape} and type {other.dtype}"
    ):
        predictor.resume(saved.path, other)


def test_a_movie_that_has_become_longer_is_welcome(saved, predictor):
    loaded = predictor.resume(saved.path, tiny.make_movie(12))
    assert [result.frame for result in loaded.propagate(9)] == [9, 10, 11]
