"""What cannot be done is said in one line that tells what to do, before anything is written."""

from __future__ import annotations

import pytest

from src_model.tracking import StreamingPredictor
from tests.cvat_serverless.sdk.cvat_server import PASSWORD, TOKEN, USER
from tests.cvat_serverless.sdk.drawn import MASK, OTHER, POLYGON, RECTANGLE


def refused(result):
    text = " ".join(result.output.split())
    assert text.count("Error:") == 1
    assert "Traceback" not in text
    return text


def test_a_task_that_is_not_there(sam2v, cvat):
    cvat.tasks.clear()
    assert "refuses reading task 5: there is no such thing" in refused(sam2v("track", "--object", "1", code=2))


def test_a_job_that_is_not_there(sam2v):
    assert "task 5 has no job 7; its jobs are 50" in refused(sam2v("track", "--object", "1", "--job", 7, code=2))


def test_a_shape_that_is_not_there(sam2v, task):
    task.draw("rectangle", RECTANGLE)
    assert "there is no shape or track 99; there are 101" in refused(sam2v("track", "--object", "99", code=2))


def test_a_number_that_a_shape_and_a_track_have(sam2v, task):
    task.draw("rectangle", RECTANGLE)
    task.tracks.append({**task.shapes[0], "shapes": []})
    assert "write shape:101 or track:101" in refused(sam2v("track", "--object", "101", code=2))


@pytest.mark.parametrize(
    ("kind", "advice"),
    [
        ("points", "draw a rectangle around the object"),
        ("polyline", "draw a rectangle, a polygon or a mask"),
        ("ellipse", "draw the object as a polygon"),
        ("skeleton", "draw a rectangle around the object"),
        ("cuboid", "draw a rectangle"),
    ],
)
def test_shapes_that_enclose_nothing(sam2v, task, kind, advice):
    number = task.draw(kind, [1.0, 1.0, 9.0, 9.0])
    text = refused(sam2v("track", "--object", number, code=2))
    assert f"shape {number} is of the type {kind}, which cannot be tracked" in text
    assert advice in text


def test_a_frame_with_nothing_on_it(sam2v):
    assert "there is nothing on frame 2" in refused(sam2v("track", "--all-shapes-on", 2, code=2))


@pytest.mark.parametrize("frames", ["5:40", "7:3"])
def test_frames_that_are_not_there(sam2v, task, frames):
    task.draw("rectangle", RECTANGLE)
    text = refused(sam2v("track", "--object", "101", "--frames", frames, code=2))
    assert "has the frames 0 to 9" in text


def test_a_frame_to_track_from_that_is_not_there(sam2v):
    assert "has the frames 0 to 9" in refused(sam2v("track", "--all-shapes-on", 40, code=2))


def test_a_drawing_outside_of_the_frames_asked_for(sam2v, task):
    task.draw("rectangle", RECTANGLE, frame=8)
    text = refused(sam2v("track", "--object", "101", "--frames", "0:5", code=2))
    assert "shape 101 is drawn on frame 8" in text


def test_a_drawing_outside_of_the_picture(sam2v, task):
    task.draw("rectangle", [500.0, 500.0, 520.0, 520.0])
    text = refused(sam2v("track", "--object", "101", code=2))
    assert "shape 101 on frame 0" in text
    assert "lies outside the image of 52 x 40 pixels" in text


def test_a_label_that_takes_no_such_shapes(sam2v, cvat, task):
    task.draw("rectangle", RECTANGLE, label_id=2)
    text = refused(sam2v("track", "--object", "101", "--as", "masks", code=2))
    assert "'box only' takes shapes of the type rectangle only, not masks" in text
    assert cvat.frames_asked() == []


def test_images_of_several_sizes(sam2v, task):
    task.sizes = [(52, 40)] * 9 + [(60, 40)]
    task.draw("rectangle", RECTANGLE)
    assert "frame 9 has 60 x 40 pixels, but frame 0 52 x 40" in refused(sam2v("track", "--object", "101", code=2))


def test_point_clouds(sam2v, task):
    task.dimension = "3d"
    assert "only images and videos" in refused(sam2v("track", "--object", "1", code=2))


def test_a_server_that_is_too_old(sam2v, cvat):
    cvat.version = "2.8.0"
    text = refused(sam2v("track", "--object", "1", code=2))
    assert "has version 2.8.0; sam2v works with 2.40 and later" in text


def test_a_server_that_is_none_of_cvat(sam2v, cvat):
    cvat.version = "no version"
    assert "does not answer as a CVAT server does" in refused(sam2v("track", "--object", "1", code=2))


def test_a_server_that_refuses_what_is_written_leaves_all_as_it_was(sam2v, cvat, task):
    task.draw("polygon", POLYGON)
    cvat.fault = lambda method, path, query: 403 if method == "PATCH" else None
    assert "you have no permission" in refused(sam2v("track", "--object", "101", code=2))
    assert len(task.shapes) == 1
    cvat.fault = lambda method, path, query: None
    assert "nothing that this computer wrote" in refused(sam2v("track", "--undo", code=2))


def test_who_may_only_look_is_told_before_any_work_is_done(sam2v, cvat, task, monkeypatch):
    monkeypatch.setattr(StreamingPredictor, "load", lambda *names, **options: pytest.fail("a model was loaded"))
    cvat.is_read_only = True
    task.draw("rectangle", RECTANGLE)
    text = refused(sam2v("track", "--object", "101", code=2))
    assert "refuses writing annotations of task 5" in text
    assert "you have no permission" in text
    assert cvat.frames_asked() == []


@pytest.mark.parametrize("words", [[], ["--object", "1", "--all-shapes-on", "0"]])
def test_what_to_track_is_said_in_one_way(sam2v, words):
    assert "--all-shapes-on" in sam2v("track", *words, code=2).output


# Secrets --------------------------------------------------------------------------------------------------------------


def everything_written(folder):
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_credentials_are_in_no_output_and_no_file(sam2v, cvat, task, folder, monkeypatch, caplog):
    task.draw("mask", MASK)
    task.draw("rectangle", OTHER)
    texts = [sam2v("track", "--all-shapes-on", 0, "--as", "masks").output, sam2v("track", "--undo").output]
    cvat.fault = lambda method, path, query: 403 if path.startswith("/api/tasks") else None
    texts.append(sam2v("track", "--object", "1", code=2).output)
    monkeypatch.delenv("CVAT_ACCESS_TOKEN")
    monkeypatch.setenv("PASS", "a wrong password")
    texts.append(refused(sam2v("track", "--object", "1", "--auth", USER, code=2)))
    for secret in (TOKEN, PASSWORD, "a wrong password", "secret-session-id"):
        assert all(secret not in text for text in texts)
        assert secret not in caplog.text
        assert secret.encode() not in everything_written(folder)


def test_the_debug_traceback_holds_no_secret(sam2v, cvat):
    cvat.fault = lambda method, path, query: 403 if path.startswith("/api/tasks") else None
    error = sam2v("track", "--object", "1", code=1, first=("--debug",)).exception
    chain = []
    while error is not None:
        chain.append(str(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    assert "no permission" in chain[0]
    assert all("secret" not in text for text in chain)


def test_a_user_logs_in_with_a_password_from_the_environment(sam2v, task, monkeypatch):
    monkeypatch.delenv("CVAT_ACCESS_TOKEN")
    monkeypatch.setenv("PASS", PASSWORD)
    task.draw("rectangle", RECTANGLE)
    sam2v("track", "--object", "101", "--auth", USER)
    assert len(task.tracks) == 1


def test_a_wrong_token_is_said_to_be_that(sam2v, monkeypatch):
    monkeypatch.setenv("CVAT_ACCESS_TOKEN", "wrong")
    text = refused(sam2v("track", "--object", "1", code=2))
    assert "does not accept these credentials" in text


def test_a_wrong_password_is_said_to_be_that_with_the_reason_of_the_server(sam2v, monkeypatch):
    monkeypatch.delenv("CVAT_ACCESS_TOKEN")
    monkeypatch.setenv("PASS", "wrong")
    text = refused(sam2v("track", "--object", "1", "--auth", USER, code=2))
    assert "does not accept these credentials" in text
    assert "Unable to log in with provided credentials." in text
    assert "400" not in text


def test_without_credentials_it_says_where_they_are_looked_for(sam2v, monkeypatch):
    monkeypatch.delenv("CVAT_ACCESS_TOKEN")
    assert "CVAT_ACCESS_TOKEN" in refused(sam2v("track", "--object", "1", code=2))


def test_a_password_in_the_address_is_refused_and_not_repeated(sam2v):
    text = refused(sam2v("track", "--object", "1", "--server-host", f"http://me:{PASSWORD}@localhost", code=2))
    assert PASSWORD not in text
