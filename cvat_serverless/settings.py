"""How the functions are set up: by options of the command, or by environment variables in Nuclio."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from src_model.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from src_model.tracking.precision import PrecisionChoice

_PREFIX = "SAM2V_"


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """How to answer CVAT. Each setting is an environment variable too: ``SAM2V_MODEL``, ``SAM2V_CACHE_MB``, ...

    Attributes
    ----------
    model
        A name of ``sam2v models`` or a checkpoint file.
    device
        Where to compute: auto, cpu, cuda, cuda:1, mps, ...
    precision
        auto, exact (float32) or fast (bfloat16 for the heavy parts).
    image_size
        Side of the network input in pixels; 0: the model's own.
    threads
        CPU threads; 0: as torch chooses.
    cache_mb
        Megabytes for features of recent images.
    store_mb
        Megabytes for memories of tracked objects.
    max_age_hours
        Hours after which an unused memory, and a state, is too old.
    wait_seconds
        How long a request waits while the model is busy. CVAT gives up after 120 seconds.
    max_megapixels
        Largest image, in millions of pixels.
    redis
        Address of a Redis that replicas share, such as ``redis://host:6379/0``; empty: memories stay in the process.
    state_secret
        Makes states unforgeable; the same for all replicas and restarts.
    """

    model: str = "default"
    device: str = "auto"
    precision: PrecisionChoice = "auto"
    image_size: int = 0
    threads: int = 0
    cache_mb: int = 512
    store_mb: int = 1024
    max_age_hours: float = 12.0
    wait_seconds: float = 100.0
    max_megapixels: float = 80.0
    redis: str = ""
    state_secret: str = ""

    def __post_init__(self) -> None:
        """Refuse what makes no sense before a model is loaded."""
        for name in ("cache_mb", "store_mb", "max_age_hours", "wait_seconds", "max_megapixels"):
            if not getattr(self, name) > 0:
                raise RequestError(f"{name} is {getattr(self, name)}; expected a number above 0")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> ServiceSettings:
        """Read the environment variables that are set.

        Raises
        ------
        RequestError
            If a number is none.
        """
        given: dict[str, Any] = {}
        for field in fields(cls):
            text = environment.get(_PREFIX + field.name.upper(), "")
            if text:
                given[field.name] = _read(_PREFIX + field.name.upper(), text, type(field.default))
        return cls(**given)


def _read(name: str, text: str, kind: type[Any]) -> object:
    try:
        return kind(text)
    except ValueError as error:
        raise RequestError(f"{name} is {text!r}; expected a number") from error
