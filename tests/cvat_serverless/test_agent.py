"""Functions for ``cvat-cli``: called as its agent calls them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

sdk = pytest.importorskip("cvat_sdk.auto_annotation")
from cvat_sdk import masks  # noqa: E402

from cvat_serverless import agent  # noqa: E402
from cvat_serverless.shapes import make_shape  # noqa: E402
from src_model.detection import AutomaticDetector, Detection  # noqa: E402
from src_model.errors import RequestError  # noqa: E402
from tests.cvat_serverless.asking import MASK, POLYGON, RECTANGLE  # noqa: E402
from tests.tracking import tiny  # noqa: E402


@pytest.fixture
def create(predictor):
    return lambda kind, **options: agent.create(kind, predictor=predictor, **options)


def follow(function, frames, shape):
    """What ``cvat-cli`` does of a tracking function: a state that is made once and changed by each frame."""
    context = SimpleNamespace(original_shape_type=shape["type"])
    images = [function.preprocess_image(None, Image.fromarray(frame)) for frame in frames]
    state = function.init_tracking_state(context, images[0], sdk.TrackableShape(**shape))
    return [function.track(context, image, state) for image in images[1:]]


@pytest.mark.parametrize("shape", [RECTANGLE, POLYGON, MASK], ids=lambda shape: shape["type"])
def test_an_agent_follows_objects_as_the_function_of_nuclio_does(create, asking, frames, shape):
    found = follow(create("tracker"), frames[:5], shape)
    expected = asking.track(frames[:5], shape)[1:]
    assert [{"type": item.type, "points": item.points} for item in found] == [shapes[0] for shapes in expected]


def test_an_agent_says_which_shapes_it_follows(create):
    assert create("tracker").spec.supported_shape_types == {"rectangle", "polygon", "mask"}


def test_a_lost_object_stays_where_it_was(create, frames, network):
    with tiny.sees(network, anything=False):
        assert follow(create("tracker"), frames[:3], RECTANGLE)[-1].points == RECTANGLE["points"]


def test_a_correction_through_an_agent_is_recognised(create, frames):
    function = create("tracker")
    last = follow(function, frames[:4], RECTANGLE)[-1]
    x0, y0, x1, y1 = last.points
    image = function.preprocess_image(None, Image.fromarray(frames[3]))
    shape = sdk.TrackableShape(type="rectangle", points=[x0 + 2, y0 + 2, x1 - 2, y1 - 2])
    assert function.init_tracking_state(None, image, shape).state.step == 3


def test_an_agent_answers_clicks_as_the_function_of_nuclio_does(create, asking, frames):
    function = create("interactor")
    image = function.preprocess_image(None, Image.fromarray(frames[0]))
    prompts = SimpleNamespace(pos_points=((15.5, 20.5),), neg_points=(), bounding_box=None)
    (shape,) = function.detect(None, image, prompts)
    (expected,) = asking.click(frames[0], [15.5, 20.5]).body["shapes"]
    assert (shape.type, shape.points) == ("mask", expected["points"])
    assert shape.attributes[0].spec_id == 0


def test_an_agent_takes_a_box_alone(create, frames):
    function = create("interactor")
    image = function.preprocess_image(None, Image.fromarray(frames[0]))
    assert function.spec.min_bounding_boxes == 0
    prompts = SimpleNamespace(pos_points=(), neg_points=(), bounding_box=((3, 8), (28, 33)))
    assert len(function.detect(None, image, prompts)) == 1


@pytest.fixture
def found(monkeypatch):
    """Everything that an image has, by decree: the tiny network is certain of nothing."""
    from src_model.masks import Rle

    y, x = np.mgrid[:40, :52]
    rles = [Rle.encode(np.hypot(y - 20, x - centre) < 6) for centre in (12, 30)]
    items = [Detection.of_mask(rle, score) for rle, score in zip(rles, (0.9, 0.6), strict=True)]
    monkeypatch.setattr(AutomaticDetector, "detect", lambda *_: items)
    return rles


def detect(function, frame, threshold=None, polygons=False):
    context = SimpleNamespace(frame_name="0.png", conf_threshold=threshold, conv_mask_to_poly=polygons)
    return function.detect(context, Image.fromarray(frame))


def test_automatic_annotation_gives_masks_of_one_label(create, frames, found):
    function = create("detector", label="cell")
    assert [label.name for label in function.spec.labels] == ["cell"]
    shapes = detect(function, frames[0])
    assert [shape.label_id for shape in shapes] == [function.spec.labels[0].id] * 2
    for shape, rle in zip(shapes, found, strict=True):
        assert (masks.decode_mask(shape.points, image_width=52, image_height=40) == rle.decode()).all()


def test_what_is_less_certain_than_asked_for_is_left_out(create, frames, found):
    assert len(detect(create("detector"), frames[0], threshold=0.7)) == 1


def test_masks_become_polygons_where_they_are_asked_for(create, frames, found):
    shape = detect(create("detector"), frames[0], polygons=True)[0]
    assert str(shape.type) == "polygon"
    assert make_shape("polygon", shape.points, (40, 52)).mask((40, 52)).area == pytest.approx(found[0].area, rel=0.1)


def test_a_kind_or_a_setting_that_is_not_there_is_said_so(create):
    with pytest.raises(RequestError, match="tracker, interactor, detector"):
        create("segmenter")
    with pytest.raises(RequestError, match="color"):
        create("tracker", color="red")


def test_cvat_cli_finds_the_factory_in_the_module():
    assert callable(agent.create)
    assert not hasattr(agent, "spec")
