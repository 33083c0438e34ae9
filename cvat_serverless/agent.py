"""Functions for CVAT's own command line: agents of the Online and Enterprise editions, and automatic annotation.

cvat-cli function create-native sam2v --function-module cvat_serverless.agent -p kind=str:tracker
cvat-cli function run-agent ID        --function-module cvat_serverless.agent -p kind=str:tracker
cvat-cli task auto-annotate ID        --function-module cvat_serverless.agent -p kind=str:detector -p label=str:cell
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from cvat_serverless.functions import make_engine, make_store
from cvat_serverless.images import as_shown
from cvat_serverless.interactor import InteractorFunction
from cvat_serverless.requests import Prompts
from cvat_serverless.settings import ServiceSettings
from cvat_serverless.shapes import SHAPE_TYPES, make_shape, shape_of
from cvat_serverless.state import StateCodec, TrackState
from cvat_serverless.tracker import ObjectRequest, TrackerFunction
from src_model.errors import MissingExtraError, RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL.Image import Image

    from cvat_serverless.engine import SeenImage, SharedModel
    from cvat_serverless.shapes import ShapeType
    from cvat_serverless.store import TrackStore
    from src_model.tracking import StreamingPredictor

_LABEL = 0


def create(
    kind: str = "tracker",
    *,
    label: str = "object",
    predictor: StreamingPredictor | None = None,
    **settings: Any,
) -> Tracking | Interaction | Detection:
    """Make a function, as ``cvat-cli`` asks for it.

    Parameters
    ----------
    kind
        ``"tracker"``, ``"interactor"`` or ``"detector"``.
    label
        What the detector calls all it finds; a task needs a label of that name.
    predictor
        A model that is loaded already.
    **settings
        As in :class:`~cvat_serverless.settings.ServiceSettings`, such as ``model`` and ``device``.

    Raises
    ------
    RequestError
        If there is no such kind or setting.
    MissingExtraError
        If the CVAT SDK is not installed.
    """
    makers: dict[str, Callable[[SharedModel, TrackStore], Tracking | Interaction | Detection]] = {
        "tracker": Tracking,
        "interactor": lambda engine, _: Interaction(engine),
        "detector": lambda engine, _: Detection(engine, label),
    }
    if kind not in makers:
        raise RequestError(f"there is no function of the kind {kind!r}; choose one of {', '.join(makers)}")
    unknown = settings.keys() - set(ServiceSettings.__dataclass_fields__)
    if unknown:
        raise RequestError(f"there is no setting {min(unknown)!r}; see ServiceSettings for those there are")
    chosen = ServiceSettings(**settings)
    engine = make_engine(chosen, predictor)
    return makers[kind](engine, make_store(chosen, engine))


@dataclass(slots=True)
class Followed:
    """What the agent keeps of a tracked object: it changes from frame to frame, the memories behind it never do."""

    state: TrackState


class Tracking:
    """A tracking function of the SDK: rectangles, polygons and masks.

    Parameters
    ----------
    engine
        The model.
    store
        Where memories wait.
    """

    def __init__(self, engine: SharedModel, store: TrackStore) -> None:
        self.spec = _sdk().TrackingFunctionSpec(supported_shape_types=SHAPE_TYPES)
        self._engine = engine
        self._tracker = TrackerFunction(engine, store, StateCodec())

    def preprocess_image(self, context: Any, image: Image) -> SeenImage:
        """Take a frame; it is encoded when it is first needed, and once."""
        return self._engine.look_at(as_shown(image))

    def init_tracking_state(self, context: Any, pp_image: SeenImage, shape: Any) -> Followed:
        """Start an object from a shape, or correct the one that is there.

        Raises
        ------
        RequestError
            If the shape cannot be meant.
        """
        drawn = make_shape(shape.type, shape.points, pp_image.shape, may_cover_nothing=True)
        (answer,) = self._tracker.answer([ObjectRequest(drawn.type, shape=drawn)], pp_image)
        return Followed(answer.state)

    def track(self, context: Any, pp_image: SeenImage, state: Followed) -> Any:
        """Find an object in the next frame; a lost one stays where it was, since CVAT stops tracking all otherwise."""
        (answer,) = self._tracker.answer([ObjectRequest(state.state.kind, state=state.state)], pp_image)
        state.state = answer.state
        return _sdk().TrackableShape(type=answer.shape.type, points=list(answer.shape.points))


class Interaction:
    """An interaction function of the SDK: points and a box become a mask.

    Parameters
    ----------
    engine
        The model.
    """

    def __init__(self, engine: SharedModel) -> None:
        self.spec = _sdk().InteractionFunctionSpec(min_pos_points=0, min_neg_points=0, min_bounding_boxes=0)
        self._engine = engine
        self._interactor = InteractorFunction(engine)

    def preprocess_image(self, context: Any, image: Image) -> SeenImage:
        """Take an image; it is encoded when it is first needed, and once."""
        return self._engine.look_at(as_shown(image))

    def detect(self, context: Any, pp_image: SeenImage, prompts: Any) -> list[Any]:
        """Answer points and box.

        Raises
        ------
        RequestError
            If they cannot be meant.
        """
        asked = Prompts(prompts.pos_points, prompts.neg_points, prompts.bounding_box)
        return [_interaction_shape(shape) for shape in self._interactor.answer(asked, pp_image)]


class Detection:
    """A detection function of the SDK: everything in an image, as masks or polygons of one label.

    Parameters
    ----------
    engine
        The model.
    label
        Name of the label.
    """

    def __init__(self, engine: SharedModel, label: str) -> None:
        from src_model.tracking import AutomaticMaskGenerator

        sdk = _sdk()
        self.spec = sdk.DetectionFunctionSpec(labels=[sdk.label_spec(label, _LABEL)])
        self._engine = engine
        self._generator = AutomaticMaskGenerator(engine.predictor)

    def detect(self, context: Any, image: Image) -> list[Any]:
        """Find everything in an image that is as certain as asked for, best first."""
        sdk = _sdk()
        kind: ShapeType = "polygon" if context.conv_mask_to_poly else "mask"
        with self._engine.turn():
            found = self._generator.generate(as_shown(image))
        certain = [item for item in found if item.score >= (context.conf_threshold or 0.0)]
        shapes = [shape_of(item.rle, kind) for item in certain]
        return [sdk.shape(_LABEL, type=kind, points=list(shape.points)) for shape in shapes if shape is not None]


def _interaction_shape(shape: dict[str, Any]) -> Any:
    models: Any = import_module("cvat_sdk.models")
    attributes = [models.AttributeValRequest(**attribute) for attribute in shape["attributes"]]
    return _sdk().InteractionResultShape(type=shape["type"], points=shape["points"], attributes=attributes)


def _sdk() -> Any:
    try:
        return import_module("cvat_sdk.auto_annotation")
    except ImportError as error:
        raise MissingExtraError("cvat-sdk", "cvat", "a function for cvat-cli") from error
