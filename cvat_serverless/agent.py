"""Functions for CVAT's own command line: agents of the Online and Enterprise editions, and automatic annotation.

cvat-cli function create-native sam2v --function-module cvat_serverless.agent -p kind=str:tracker
cvat-cli function run-agent ID        --function-module cvat_serverless.agent -p kind=str:tracker
cvat-cli task auto-annotate ID        --function-module cvat_serverless.agent -p kind=str:detector -p label=str:cell
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from cvat_serverless.functions import load_model, make_store
from cvat_serverless.images import as_shown
from cvat_serverless.interactor import InteractorFunction
from cvat_serverless.requests import InteractorPrompts
from cvat_serverless.settings import ServiceSettings
from cvat_serverless.shapes import SHAPE_TYPES, make_shape, shape_of
from cvat_serverless.state import StateCodec, TrackState
from cvat_serverless.tracker import ObjectRequest, TrackerFunction
from src_model.errors import MissingExtraError, RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL.Image import Image

    from cvat_serverless.shapes import ShapeType
    from cvat_serverless.shared_model import RequestImage, SharedModel
    from cvat_serverless.store import TrackStore
    from src_model.tracking import StreamingPredictor

_LABEL_ID = 0
"""The only label of the detector; CVAT maps it to the task's label of the same name."""


def create(
    kind: str = "tracker",
    *,
    label: str = "object",
    predictor: StreamingPredictor | None = None,
    **settings: Any,
) -> TrackingFunction | InteractionFunction | DetectionFunction:
    """Make a function, as ``cvat-cli`` asks for it.

    Parameters
    ----------
    kind
        Kind of function: ``"tracker"``, ``"interactor"`` or ``"detector"``.
    label
        What the detector calls all it finds; a task needs a label of that name.
    predictor
        A model that is loaded already; left out, that of the settings is loaded.
    **settings
        As in :class:`~cvat_serverless.settings.ServiceSettings`, such as ``model`` and ``device``.

    Raises
    ------
    RequestError
        If there is no such kind or setting.
    MissingExtraError
        If the CVAT SDK is not installed.
    """
    makers: dict[
        str, Callable[[SharedModel, TrackStore], TrackingFunction | InteractionFunction | DetectionFunction]
    ] = {
        "tracker": TrackingFunction,
        "interactor": lambda model, _: InteractionFunction(model),
        "detector": lambda model, _: DetectionFunction(model, label),
    }
    if kind not in makers:
        raise RequestError(f"there is no function of the kind {kind!r}; choose one of {', '.join(makers)}")
    unknown = settings.keys() - set(ServiceSettings.__dataclass_fields__)
    if unknown:
        raise RequestError(f"there is no setting {min(unknown)!r}; see ServiceSettings for those there are")
    chosen = ServiceSettings(**settings)
    model = load_model(chosen, predictor)
    return makers[kind](model, make_store(chosen, model))


@dataclass(slots=True)
class TrackingState:
    """What the agent keeps of a tracked object: it changes from frame to frame, the memories behind it never do."""

    state: TrackState


class TrackingFunction:
    """A tracking function of the SDK: rectangles, polygons and masks.

    Parameters
    ----------
    model
        The model that tracks.
    store
        Keeps tracks, with their memories, between frames.
    """

    def __init__(self, model: SharedModel, store: TrackStore) -> None:
        self.spec = _sdk().TrackingFunctionSpec(supported_shape_types=SHAPE_TYPES)
        self._model = model
        self._tracker = TrackerFunction(model, store, StateCodec())

    def preprocess_image(self, context: Any, image: Image) -> RequestImage:
        """Take a frame; it is encoded when it is first needed, and once."""
        return self._model.from_pixels(as_shown(image))

    def init_tracking_state(self, context: Any, pp_image: RequestImage, shape: Any) -> TrackingState:
        """Start an object from a shape, or correct the one that is there.

        Raises
        ------
        RequestError
            If the shape lies outside of the image or is of an unknown type.
        """
        drawn = make_shape(shape.type, shape.points, pp_image.shape, may_cover_nothing=True)
        (answer,) = self._tracker.answer([ObjectRequest(drawn.type, shape=drawn)], pp_image)
        return TrackingState(answer.state)

    def track(self, context: Any, pp_image: RequestImage, state: TrackingState) -> Any:
        """Find an object in the next frame; a lost one stays where it was, since CVAT stops tracking all otherwise."""
        (answer,) = self._tracker.answer([ObjectRequest(state.state.kind, state=state.state)], pp_image)
        state.state = answer.state
        return _sdk().TrackableShape(type=answer.shape.type, points=list(answer.shape.points))


class InteractionFunction:
    """An interaction function of the SDK: points and a box become a mask.

    Parameters
    ----------
    model
        The model that answers points and boxes.
    """

    def __init__(self, model: SharedModel) -> None:
        self.spec = _sdk().InteractionFunctionSpec(min_pos_points=0, min_neg_points=0, min_bounding_boxes=0)
        self._model = model
        self._interactor = InteractorFunction(model)

    def preprocess_image(self, context: Any, image: Image) -> RequestImage:
        """Take an image; it is encoded when it is first needed, and once."""
        return self._model.from_pixels(as_shown(image))

    def detect(self, context: Any, pp_image: RequestImage, prompts: Any) -> list[Any]:
        """Answer points and box with one mask, or none."""
        # As they are: the SDK has checked them, and has tuples where JSON has lists.
        given = InteractorPrompts.model_construct(
            pos_points=prompts.pos_points, neg_points=prompts.neg_points, obj_bbox=prompts.bounding_box
        )
        return [_interaction_shape(shape) for shape in self._interactor.answer(given, pp_image)]


class DetectionFunction:
    """A detection function of the SDK: everything in an image, as masks or polygons of one label.

    Parameters
    ----------
    model
        The model that finds objects.
    label
        Name that the task has for the label of everything found.
    """

    def __init__(self, model: SharedModel, label: str) -> None:
        from src_model.detection import AutomaticDetector

        sdk = _sdk()
        self.spec = sdk.DetectionFunctionSpec(labels=[sdk.label_spec(label, _LABEL_ID)])
        self._model = model
        self._detector = AutomaticDetector(model.predictor)

    def detect(self, context: Any, image: Image) -> list[Any]:
        """Find everything in an image that is as certain as asked for, best first."""
        sdk = _sdk()
        kind: ShapeType = "polygon" if context.conv_mask_to_poly else "mask"
        with self._model.turn():
            found = self._detector.detect(as_shown(image))
        certain = [item for item in found if item.score >= (context.conf_threshold or 0.0)]
        shapes = [shape_of(item.mask, kind) for item in certain]
        return [sdk.shape(_LABEL_ID, type=kind, points=list(shape.points)) for shape in shapes if shape is not None]


def _interaction_shape(shape: dict[str, Any]) -> Any:
    models: Any = import_module("cvat_sdk.models")
    attributes = [models.AttributeValRequest(**attribute) for attribute in shape["attributes"]]
    return _sdk().InteractionResultShape(type=shape["type"], points=shape["points"], attributes=attributes)


def _sdk() -> Any:
    try:
        return import_module("cvat_sdk.auto_annotation")
    except ImportError as error:
        raise MissingExtraError("cvat-sdk", "cvat", "a function for cvat-cli") from error
