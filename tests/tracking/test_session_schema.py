"""The session file itself: what it holds, and what is refused."""

from __future__ import annotations

import contextlib
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src_model.errors import SessionFileError
from src_model.masks import Rle
from src_model.tracking import session_file
from src_model.tracking.session_schema import mask_text, read_mask
from tests.tracking import tiny


def test_the_file_is_json_and_says_what_it_is(saved, predictor):
    document = json.loads(saved.content.decode("utf-8"))
    assert (document["format"], document["version"]) == ("sam2v-session", 1)
    assert document["movie"] == {"name": "array", "shape": [tiny.LENGTH, *tiny.SHAPE], "dtype": "uint8"}
    assert document["checkpoint"] == {"name": "tiny", "sha256": predictor.sha256}
    assert document["settings"]["preset"] == "default"
    assert document["image_size"] == 64
    kinds = {operation["kind"] for operation in document["operations"]}
    assert kinds == {"prompt", "choose", "clear", "remove", "lock", "propagate", "repair"}


def test_masks_are_coco_text(saved):
    row = json.loads(saved.content)["objects"][0]["masklet"][3]
    assert read_mask(row["mask"], tiny.SHAPE) == saved.masklets[1].mask_at(row["frame"])
    assert mask_text(read_mask(row["mask"], tiny.SHAPE)) == row["mask"]


def test_the_densest_mask_there_can_be_is_read(saved):
    board = np.indices(tiny.SHAPE).sum(axis=0) % 2 == 0
    text = mask_text(Rle.encode(board))
    assert read_mask(text, tiny.SHAPE).area == board.sum()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no session file of sam2v"),
        (b"\x80\x04\x95 pickle", "no session file of sam2v"),
        (b"[1, 2]", "no session file of sam2v"),
        (b'{"format": "coco", "version": 1}', "no session file of sam2v"),
        (b'{"format": "sam2v-session", "version": 1}', "damaged at program: Field required"),
        (b'{"format": "sam2v-session", "version": 2, "program": "0.9.0"}', "version 2 .*install sam2v 0.9.0 or newer"),
        (b"[" * 100_000, "no session file of sam2v"),
        (b'{"format": "sam2v-session", "version": 1, "program": "\xff"}', "no session file of sam2v"),
    ],
)
def test_what_is_no_session_is_refused_with_what_it_is(predictor, movie, tmp_path, content, message):
    path = tmp_path / "session.json"
    path.write_bytes(content)
    with pytest.raises(SessionFileError, match=message):
        predictor.resume(path, movie)


def test_a_truncated_file_is_refused(saved, predictor, movie, tmp_path):
    path = tmp_path / "session.json"
    path.write_bytes(saved.content[:-20])
    with pytest.raises(SessionFileError, match="no session file of sam2v: EOF"):
        predictor.resume(path, movie)


def put(*keys_and_value):
    *keys, last, value = keys_and_value

    def change(document) -> None:
        for key in keys:
            document = document[key]
        document[last] = value

    return change


MASKLET = ("objects", 0, "masklet", 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("surprise", 1), "damaged at surprise: Extra inputs"),
        (put(*MASKLET, "score", None), r"damaged at objects\.0\.masklet\.0\.score"),
        (put(*MASKLET, "score", float("nan")), r"damaged at objects\.0\.masklet\.0\.score"),
        (put(*MASKLET, "frame", -1), r"damaged at objects\.0\.masklet\.0\.frame"),
        (put(*MASKLET, "frame", 10), "has frame 10 twice, or outside of the movie"),
        (put(*MASKLET, "frame", 5), "has frame 5 twice"),
        (put(*MASKLET, "mask", "0" * 10_000), "a mask of 10000 characters cannot be of 40 x 52 pixels"),
        (put(*MASKLET, "mask", "12"), "damaged: run lengths sum to"),
        (put(*MASKLET, "mask", "\x00"), "damaged: COCO counts hold"),
        (put("objects", 0, "object_id", 7), "holds an object twice"),
        (put("objects", 0, "object_id", 10**30), r"damaged at objects\.0\.object_id"),
        (put("objects", 0, "prompts", 0, "frame", 9_999), "prompted twice on frame 9999, or without a mask"),
        (put("objects", 1, "prompts", 0, "prompt", "points", [[99, 0]]), "outside the image"),
        (put("operations", 0, "kind", "exec"), r"damaged at operations\.0"),
        (put("image_size", 100_000), "damaged at image_size"),
        (put("image_size", 65), "image size 65 cannot be used"),
        (put("settings", "interpolation", "nearest"), "damaged at settings.interpolation"),
        (put("normalization", "low", [5, 5]), "normalization has 2 low and 1 high values"),
        (put("normalization", {"kind": "limits", "low": [0, 0, 0], "high": [1, 1, 1]}), "and the movie is gray"),
        (put("movie", "shape", [10**9, 40, 52]), "belongs to the movie"),
    ],
)
def test_a_damaged_session_is_refused_with_the_place_of_the_damage(changed, predictor, movie, change, message):
    with pytest.raises(SessionFileError, match=message):
        predictor.resume(changed(change), movie)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(saved, predictor, movie, monkeypatch):
    monkeypatch.setattr(session_file, "MAX_FILE_BYTES", 1000)
    with pytest.raises(SessionFileError, match=rf"has {len(saved.content)} bytes; session files have 1000 at most"):
        predictor.resume(saved.path, movie)
    with pytest.raises(SessionFileError, match="session files have 1000 at most"):
        saved.session.save(saved.path)


def test_a_file_of_too_many_values_is_refused_before_they_are_made(predictor, movie, tmp_path, monkeypatch):
    monkeypatch.setattr(session_file, "MAX_VALUES", 1000)
    path = tmp_path / "session.json"
    for content in ("[" + "1," * 1000 + "1]", "[" * 1001, '{"a":' * 1001):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(SessionFileError, match="session files hold 1000 at most"):
            predictor.resume(path, movie)


def test_a_missing_file_and_a_folder_are_refused(predictor, movie, tmp_path):
    with pytest.raises(SessionFileError, match="there is no session file"):
        predictor.resume(tmp_path / "missing.json", movie)
    with pytest.raises(SessionFileError, match="there is no session file"):
        predictor.resume(tmp_path, movie)


@settings(max_examples=60)
@given(data=st.data())
def test_a_file_with_changed_bytes_loads_or_is_refused_but_never_crashes(
    saved, predictor, movie, tmp_path_factory, data
):
    content = bytearray(saved.content)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.sampled_from(b'0129,.-eE"[]{}:x \x00\xff'))
    path = tmp_path_factory.mktemp("fuzz") / "session.json"
    path.write_bytes(content)
    with contextlib.suppress(SessionFileError):
        predictor.resume(path, movie, allow_other_model=True)
