"""What a tracked object leaves with CVAT between two frames: a name for its memory, and enough to go on without it."""

from __future__ import annotations

import hmac
import json
import secrets
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cvat_serverless.coarse_mask import MOST_CELLS, CoarseMask
from cvat_serverless.outline import largest_outline
from cvat_serverless.shapes import Shape, ShapeType, make_shape, shape_of
from src_model.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from src_model.masks import Rle

VERSION = 1
_KEPT_VERTICES = 16
"""Vertices of a polygon in a state: CVAT sends every state to the browser and back with every frame."""
_CHECKSUM_LETTERS = 24
"""Hexadecimal digits, which are 96 bits."""
_COARSE_MASK_LETTERS = 4 * MOST_CELLS**2 // 24
_CLOCK_SLACK = 300.0
"""Seconds by which the clocks of two replicas may differ."""
_UNKEYED = b"sam2v"
"""The key without a secret: an HMAC needs one."""


def new_track_id() -> str:
    """Return a name that nobody can guess."""
    return secrets.token_urlsafe(12)


@dataclass(frozen=True, slots=True)
class TrackState:
    """A tracked object on one frame.

    Attributes
    ----------
    track_id
        Names its memory in the store.
    step
        Frames tracked since it was drawn.
    kind
        The type of shape that CVAT wants of it.
    bare
        Whether shapes are bare lists of four numbers, as CVAT before 2.60 sends them.
    outline
        Its last shape: a rectangle, around a mask too, or a polygon of few vertices.
    image
        ``(Y, X)`` of the frames.
    coarse_mask
        Its last mask; None if that is not known.
    """

    track_id: str
    step: int
    kind: ShapeType
    bare: bool
    outline: Shape
    image: tuple[int, int]
    coarse_mask: CoarseMask | None = None

    @property
    def mask(self) -> Rle | None:
        """About its last mask; None if it is a rectangle in which nothing was ever found."""
        if self.coarse_mask is not None:
            return self.coarse_mask.mask(self.image)
        return None if self.kind == "rectangle" else self.outline.place(self.image)

    @property
    def shape(self) -> Shape:
        """Its last shape, as one of the kind that CVAT wants."""
        mask = self.mask
        if self.kind == self.outline.type or mask is None:
            return self.outline
        shape = shape_of(mask, self.kind)
        assert shape is not None, "masks in states cover pixels"
        return shape


class _Packed(BaseModel):
    """A state as JSON, short keys to keep it small; ``c`` is the checksum of all others."""

    model_config = ConfigDict(extra="forbid", strict=True)

    v: Literal[1]
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{16}$")]
    n: Annotated[int, Field(ge=0, le=10**9)]
    t: Literal["rectangle", "polygon", "mask", "bare"]
    s: Annotated[list[float], Field(min_length=4, max_length=2 * _KEPT_VERTICES)]
    f: Annotated[list[Annotated[int, Field(ge=1, le=10**6)]], Field(min_length=2, max_length=2)]
    at: Annotated[int, Field(ge=0)]
    m: list[int] | None = None
    b: Annotated[str, Field(max_length=_COARSE_MASK_LETTERS)] | None = None
    c: Annotated[str, Field(pattern=r"^[0-9a-f]{24}$")]


class StateCodec:
    """Writes states for CVAT and reads what comes back, which anybody may have changed.

    Parameters
    ----------
    secret
        With it nobody else can make a state. Replicas need the same one, and it has to outlive a restart, or states
        from before are refused. Empty: the checksum finds damage and foreign states only; a forger gains no more than
        by drawing a shape, since names of memories cannot be guessed.
    max_age
        Seconds after which a state is refused. CVAT itself refuses after 8 hours.
    clock
        Gives the time in seconds since 1970.
    """

    def __init__(
        self, secret: str = "", *, max_age: float = 12 * 3600.0, clock: Callable[[], float] = time.time
    ) -> None:
        self._key = secret.encode() or _UNKEYED
        self._max_age = max_age
        self._clock = clock

    def pack(self, state: TrackState) -> dict[str, object]:
        """Write a state; at most about 600 bytes of JSON."""
        packed: dict[str, object] = {
            "v": VERSION,
            "id": state.track_id,
            "n": state.step,
            "t": "bare" if state.bare else state.kind,
            "s": [round(float(point), 2) for point in state.outline.points],
            "f": list(state.image),
            "at": int(self._clock()),
        }
        if state.coarse_mask is not None:
            packed["m"], packed["b"] = state.coarse_mask.to_json()
        return {**packed, "c": self._checksum(packed)}

    def unpack(self, given: object) -> TrackState:
        """Read a state.

        Raises
        ------
        RequestError
            If it is foreign, damaged, forged, of another version, or too old.
        """
        try:
            packed = _Packed.model_validate(given)
        except ValidationError as error:
            where = ".".join(map(str, error.errors()[0]["loc"])) or "state"
            raise RequestError(
                f"the tracker state was not made by this function (at {where[:40]!r}); draw the object again"
            ) from error
        if not hmac.compare_digest(packed.c, self._checksum(packed.model_dump(exclude={"c"}, exclude_none=True))):
            raise RequestError("the tracker state was changed on its way or made elsewhere; draw the object again")
        age = self._clock() - packed.at
        if not -_CLOCK_SLACK <= age <= self._max_age:
            raise RequestError(
                f"the tracker state is {age / 3600:.1f} hours old, at most {self._max_age / 3600:g} are taken; "
                "draw the object again"
            )
        image = (packed.f[0], packed.f[1])
        kind: ShapeType = "rectangle" if packed.t == "bare" else packed.t
        outline = make_shape("rectangle" if len(packed.s) == 4 else "polygon", packed.s, image, may_cover_nothing=True)
        mask = None
        if packed.m is not None and packed.b is not None:
            mask = CoarseMask.from_json(packed.m, packed.b, image)
        return TrackState(packed.id, packed.n, kind, packed.t == "bare", outline, image, mask)

    def _checksum(self, packed: dict[str, object]) -> str:
        # CVAT and the browser may write 5.0 as 5
        normal = {**packed, "s": [f"{float(point):.2f}" for point in _listed(packed["s"])]}
        text = json.dumps(normal, sort_keys=True, separators=(",", ":"))
        return hmac.new(self._key, text.encode(), sha256).hexdigest()[:_CHECKSUM_LETTERS]


def outline_of(shape: Shape, image: tuple[int, int]) -> Shape:
    """Shorten a shape to what a state holds of it beside the mask: a rectangle, or a polygon of few vertices."""
    if shape.type == "rectangle":
        return shape
    if shape.type == "mask":
        y0, x0, y1, x1 = shape.box
        return Shape("rectangle", (x0, y0, x1, y1))
    if len(shape.points) <= 2 * _KEPT_VERTICES:
        return shape
    ring = largest_outline(shape.place(image), vertices=_KEPT_VERTICES)
    return Shape("polygon", tuple(ring[:, ::-1].ravel().tolist()))


def _listed(value: object) -> list[float]:
    assert isinstance(value, list)
    return value
