"""End to end: a web page, a server that speaks CVAT's side, and the functions, all over HTTP."""

from __future__ import annotations

import urllib.error

import numpy as np
import pytest
from PIL import Image

from cvat_serverless.functions import TRACKER
from cvat_serverless.shapes import make_shape, shape_of
from cvat_serverless.shared_model import SharedModel
from src_model.masks import Rle, mask_iou
from tests.cvat_serverless.asking import MASK, OTHER, RECTANGLE, movie
from tests.cvat_serverless.fake_cvat import BadSignature, FakeCvat, TimestampSigner, WebPage, served
from tests.tracking import tiny

IMAGE = (40, 52)


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def page(service, serving, frames):
    with serving(service) as nuclio, served(FakeCvat(nuclio, {1: frames})) as cvat:
        yield WebPage(cvat)


def mask_of(shape, image=IMAGE) -> Rle:
    return make_shape(shape["type"], shape["points"], image).mask(image)


def propagated(predictor, frames, mask) -> dict[int, Rle]:
    session = predictor.start(frames)
    session.prompt(0, 1, mask=mask)
    tiny.finish(session.propagate())
    return tiny.masks_of(session)


def test_an_object_is_followed_through_20_frames_as_propagation_follows_it(make_service, serving, predictor):
    frames = movie(20)
    expected = propagated(predictor, frames, mask_of(MASK).decode())
    with serving(make_service()) as nuclio, served(FakeCvat(nuclio, {1: frames})) as cvat:
        page = WebPage(cvat)
        page.draw(MASK)
        for frame in range(1, 20):
            (shape,) = page.step()
            assert mask_iou(mask_of(shape), expected[frame]) > 0.99
        assert page.starts == 1


@pytest.mark.slow
def test_a_real_object_is_followed_through_20_frames_as_propagation_follows_it(make_service, serving, shared_data):
    from src_model.tracking import StreamingPredictor

    folder = shared_data / "davis2016" / "JPEGImages" / "blackswan"
    files = sorted(folder.rglob("*.jpg"))[:20]
    if len(files) < 20:
        pytest.skip(f"the movie {folder} is not here")
    frames = np.stack([np.asarray(Image.open(file).convert("RGB")) for file in files])
    truth = sorted((shared_data / "davis2016" / "Annotations" / "blackswan").rglob("*.png"))[0]
    mask = np.asarray(Image.open(truth).convert("L")) > 127
    predictor = StreamingPredictor.load("default", device="cpu", image_size=224)
    expected = propagated(predictor, frames, mask)
    drawn = shape_of(Rle.encode(mask), "mask")
    service = make_service(model=SharedModel(predictor))
    with serving(service) as nuclio, served(FakeCvat(nuclio, {1: frames})) as cvat:
        page = WebPage(cvat)
        page.draw({"type": "mask", "points": list(drawn.points)})
        ious = [mask_iou(mask_of(page.step()[0], mask.shape), expected[frame]) for frame in range(1, 20)]
    assert min(ious) > 0.99
    assert service.model.counts.images_encoded == 20


def test_objects_may_join_while_others_are_followed(page):
    page.draw(RECTANGLE)
    page.step()
    page.draw(OTHER)
    assert len(page.step()) == 2
    assert len(page.step()) == 2
    assert page.starts == 2


def test_a_box_that_the_page_gets_is_never_one_that_it_has_to_clamp(page):
    """Or each frame would start the object anew, without a word."""
    page.draw({"type": "rectangle", "points": [0, 0, 52, 40]})
    for _ in range(5):
        page.step()
    assert page.starts == 1


def test_a_shape_that_was_moved_is_a_correction(page, service):
    page.draw(RECTANGLE)
    page.step()
    x0, y0, x1, y1 = page.step()[0]["points"]
    page.move(0, {"type": "rectangle", "points": [x0 + 2, y0 + 2, x1, y1]})
    page.step()
    assert service.model.counts.corrections == 1
    assert page.starts == 2


def test_going_back_and_stepping_again_gives_the_same_shapes(page, service):
    page.draw(MASK)
    seen = [page.step() for _ in range(4)]
    page.frame, page.shapes = 2, list(seen[1])
    assert page.step() == seen[2]
    assert page.step() == seen[3]
    assert service.model.counts.corrections == 0


def test_a_click_and_then_a_track_see_an_image_once(page, service):
    (shape,) = page.click([15.5, 20.5])
    page.draw({"type": "mask", "points": shape["points"]})
    page.step()
    assert service.model.counts.images_encoded == 2


def test_a_state_that_the_browser_changed_or_kept_too_long_does_not_reach_the_function(service, serving, frames):
    clock = Clock()
    with serving(service) as nuclio:
        cvat = FakeCvat(nuclio, {1: frames}, clock)
        start = {"task": 1, "frame": 0, "shapes": [RECTANGLE], "states": []}
        status, answer = cvat.call(TRACKER, start)
        assert status == 200
        (state,) = answer["states"]
        follow = {"task": 1, "frame": 1, "shapes": [None]}
        assert cvat.call(TRACKER, {**follow, "states": [state[:-1] + "x"]})[0] == 400
        clock.now += 9 * 3600
        assert cvat.call(TRACKER, {**follow, "states": [state]})[0] == 400
        assert cvat.calls == 1


def test_of_a_refusal_the_page_gets_status_and_address_so_the_reason_is_logged(page, caplog):
    page.draw({"type": "skeleton", "points": [1, 2, 3, 4]})
    with pytest.raises(urllib.error.HTTPError) as caught:
        page.step()
    with caught.value as error:
        assert error.code == 422
        assert b"422 Client Error" in error.read()
    assert "cannot be tracked" in caplog.text


def test_with_a_token_as_namespace_everything_works_and_no_error_shows_it(service, serving, frames, caplog):
    token = "a-token-of-enough-letters"
    with serving(service, token=token) as nuclio:
        with served(FakeCvat(nuclio, {1: frames}, namespace=token)) as cvat:
            page = WebPage(cvat)
            assert page.click([15.5, 20.5])
            page.draw(RECTANGLE)
            page.step()
            page.draw({"type": "skeleton", "points": [1, 2, 3, 4]})
            with pytest.raises(urllib.error.HTTPError) as caught:
                page.step()
            with caught.value as error:
                assert token.encode() not in error.read()
        status, answer = FakeCvat(nuclio, {1: frames}).call(TRACKER, {"task": 1, "frame": 0})
    assert status == 401
    assert token not in answer["message"] + caplog.text


def test_a_right_click_first_shows_nothing_and_no_error(page):
    assert page.click(beside=[[15.5, 20.5]]) == []
    assert page.click(box=[[3, 3], [3, 9]]) == []
    assert len(page.click([15.5, 20.5], beside=[[40.5, 30.5]])) == 1


def test_a_function_that_is_not_there_is_404(service, serving, frames):
    with serving(service) as nuclio:
        status, _ = FakeCvat(nuclio, {1: frames}).call("sam2v-detector", {"task": 1, "frame": 0})
    assert status == 404


def test_the_signer_signs_as_django_does():
    """What Django 5.2 gives: ``TimestampSigner(key="the secret key", salt="salt").sign_object(..., compress=True)``."""
    signer = TimestampSigner("salt", Clock())
    assert signer.sign({"a": 1}) == "eyJhIjoxfQ:1r31eq:5mv3ru3raNjzgPw127kB04kYqtUKu3OQSonYpC16hgk"
    signed = signer.sign({"a": "b" * 100})
    assert signed == ".eJyrVkpUslJKogNQqgUAeN0oZA:1r31eq:Ama6vl9ddVgd02M1WM-q8s6alXUpy_BOA7umm0Kr8Ns"
    assert signer.unsign(signed, 10) == {"a": "b" * 100}
    with pytest.raises(BadSignature, match="match"):
        TimestampSigner("pepper", Clock()).unsign(signed, 10)
