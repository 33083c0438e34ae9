"""The functions that CVAT finds, and the service that answers them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cvat_serverless.images import ImageLimits, digest_of
from cvat_serverless.interactor import InteractorFunction
from cvat_serverless.requests import read_body
from cvat_serverless.shapes import SHAPE_TYPES
from cvat_serverless.shared_model import SharedModel
from cvat_serverless.state import StateCodec
from cvat_serverless.store import LocalStore
from cvat_serverless.tracker import TrackerFunction
from src_model.errors import BusyError, RequestError, Sam2vError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cvat_serverless.settings import ServiceSettings
    from cvat_serverless.store import TrackStore
    from src_model.tracking import StreamingPredictor

_log = logging.getLogger(__name__)

TRACKER, INTERACTOR = "sam2v-tracker", "sam2v-interactor"


@dataclass(frozen=True, slots=True)
class FunctionInfo:
    """What CVAT reads of a function before it shows it.

    Attributes
    ----------
    name
        What CVAT calls it in requests.
    description
        One line for the list of models.
    annotations
        Strings all of them. A key with the value "false" counts as set, so what is off is left out.
    """

    name: str
    description: str
    annotations: Mapping[str, str]


FUNCTIONS = {
    info.name: info
    for info in (
        FunctionInfo(
            TRACKER,
            "Tracks rectangles, polygons and masks from frame to frame, with a memory of each object",
            {
                "name": "sam2v tracker",
                "type": "tracker",
                "spec": "",
                "framework": "pytorch",
                "supported_shape_types": ",".join(SHAPE_TYPES),
            },
        ),
        FunctionInfo(
            INTERACTOR,
            "Turns points on and beside an object, or a box around it, into a mask",
            {
                "name": "sam2v interactor",
                "type": "interactor",
                "spec": "",
                "framework": "pytorch",
                "version": "2",
                "min_pos_points": "0",
                "min_neg_points": "0",
                "startswith_box_optional": "true",
                "help_message": "Click on the object, or draw a box around it; clicks beside it take parts away.",
            },
        ),
    )
}
"""What CVAT finds, by name."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back: an HTTP status and a JSON object."""

    status: int
    body: dict[str, Any]


class FunctionService:
    """Both functions on one model, one image cache and one store.

    Parameters
    ----------
    model
        The model that both functions use.
    store
        Keeps tracks, with their memories, between requests.
    codec
        Reads and writes tracker states.
    """

    def __init__(self, model: SharedModel, store: TrackStore, codec: StateCodec) -> None:
        self.model = model
        self.store = store
        self._functions: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            TRACKER: TrackerFunction(model, store, codec),
            INTERACTOR: InteractorFunction(model),
        }

    def answer(self, name: str, body: object, content_type: str | None) -> Reply:
        """Answer a request, whatever it holds: mistakes of the request as 4xx, and no exception.

        Parameters
        ----------
        name
            The function; empty to tell it by the fields of the request.
        body
            Bytes of JSON, or a JSON object that was parsed already.
        content_type
            The request's header of that name; None if it has none.
        """
        try:
            request = read_body(body, content_type)
            name = name or _function_for(request)
            function = self._functions.get(name)
            if function is None:
                raise RequestError(f"there is no function {name[:60]!r}; there are {', '.join(FUNCTIONS)}", 404)
            return Reply(200, function(request))
        except BusyError as error:
            _log.warning("%s: %s", name, error)
            return Reply(503, _message(str(error)))
        except Sam2vError as error:
            # CVAT's page shows the status alone, so this is where the reason can be read.
            _log.warning("%s: refused: %s", name[:60], error)
            return Reply(getattr(error, "status", 400), _message(str(error)))
        except Exception as error:  # whatever it was, the next request finds the worker as it was
            _log.exception("%s: failed", name)
            return _failure(error)


def make_service(settings: ServiceSettings, predictor: StreamingPredictor | None = None) -> FunctionService:
    """Load the model and set both functions up.

    Parameters
    ----------
    settings
        Model, device, sizes and limits.
    predictor
        A model that is loaded already; left out, that of the settings is loaded.

    Raises
    ------
    Sam2vError
        If the model, the device or the store cannot be used.
    """
    model = load_model(settings, predictor)
    codec = StateCodec(settings.state_secret, max_age=settings.max_age_hours * 3600)
    return FunctionService(model, make_store(settings, model), codec)


def load_model(settings: ServiceSettings, predictor: StreamingPredictor | None = None) -> SharedModel:
    """Load the model, or take one that is loaded; parameters and errors as in :func:`make_service`."""
    from src_model.tracking import StreamingPredictor

    if predictor is None:
        predictor = StreamingPredictor.load(
            settings.model,
            device=settings.device,
            precision=settings.precision,
            image_size=settings.image_size or None,
            threads=settings.threads or None,
        )
    return SharedModel(
        predictor,
        cache_bytes=settings.cache_mb * 2**20,
        limits=ImageLimits(pixels=int(settings.max_megapixels * 1e6)),
        wait_seconds=settings.wait_seconds,
    )


def make_store(settings: ServiceSettings, model: SharedModel) -> TrackStore:
    """Set up where tracks are kept between requests; errors as in :func:`make_service`."""
    max_age = settings.max_age_hours * 3600
    if not settings.redis:
        return LocalStore(settings.store_mb * 2**20, max_age)
    from cvat_serverless.store.redis import RedisStore

    return RedisStore(settings.redis, model.steps.device, model_fingerprint(model), max_age=max_age)


def model_fingerprint(model: SharedModel) -> str:
    """Name all that memories depend on: those of other weights, input sizes or settings are of no use to a model."""
    steps = model.steps
    parts = (model.predictor.sha256, steps.image_size, steps.precision, steps.settings)
    return digest_of(repr(parts).encode())


def _function_for(request: Mapping[str, Any]) -> str:
    """Tell the functions apart by their fields: CVAT's direct calls name a port and no function."""
    return TRACKER if "states" in request or "shapes" in request else INTERACTOR


def _message(text: str) -> dict[str, Any]:
    return {"message": text}


def _failure(error: Exception) -> Reply:
    # torch's error for a full GPU is not imported for this
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        import torch

        torch.cuda.empty_cache()
        text = (
            "there is not enough memory for this request: track fewer objects at once, or choose a smaller image size"
        )
        return Reply(503, _message(text))
    return Reply(500, _message(f"the function failed ({type(error).__name__}); its log says more"))
