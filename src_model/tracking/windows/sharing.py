"""Which objects of a frame share a window: where one costs less than two and shows them nearly as well."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from src_model.masks.window import Window, square

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from src_model.tracking.windows.rules import Extent, WindowRules

_LEAST_ZOOM = 0.75
"""A shared window shows an object at least this much of the size at which its own would."""

_ENCODING, _FOLLOWING = 5.4, 1.4
"""Work of encoding an input of 256 pixels and of following one object in it; both grow with its pixels."""


@dataclass(frozen=True, slots=True)
class WindowRequest:
    """What one object asks of the plan.

    Attributes
    ----------
    extent
        Box of the object, in pixels of the movie, and its motion.
    window
        The window it had if that still suits it, else the one it would have alone; None: the whole frame.
    """

    extent: Extent
    window: Window | None


def cost(size: int, objects: int) -> float:
    """Work for one window in which so many objects are followed."""
    return (size / 256) ** 2 * (_ENCODING + _FOLLOWING * objects)


def plan_windows(requests: Mapping[int, WindowRequest], rules: WindowRules) -> dict[int, Window | None]:
    """Decide which windows of one frame are encoded, and which objects are looked for in which.

    Objects that share a window stay together. The others join a window that is there anyway and suits them, or one
    another where a window around both costs less than two. As long as a shared window suits its objects they ask for
    it again, so that nothing changes from frame to frame.

    Parameters
    ----------
    requests
        What each object asks for, by object id.
    rules
        How windows are chosen in the movie.

    Returns
    -------
    dict
        The window of each object; None: the whole frame.
    """
    counts = Counter(request.window for request in requests.values())
    shared = [window for window, count in counts.items() if window is not None and count > 1]
    groups: dict[Window, list[int]] = {window: [] for window in shared}
    for number in sorted(requests, key=lambda key: (requests[key].extent.centre, key)):
        own = requests[number].window
        if own is None:
            continue
        if own in shared:
            groups[own].append(number)
            continue
        near = [window for window in groups if _overlap(window, own)]
        joined = _joined(requests[number].extent, own, near, rules)
        union = None
        if joined is None and rules.pixels is None:
            union = _best_union(number, [window for window in near if window not in shared], groups, requests, rules)
        members = [number] if union is None else [*groups.pop(union.instead_of), number]
        window = union.window if union is not None else joined or own
        groups.setdefault(window, []).extend(members)
    plan = {number: window for window, members in groups.items() for number in members}
    return {number: plan.get(number) for number in requests}


@dataclass(frozen=True, slots=True)
class _Union:
    """A window around two, and which of them it replaces."""

    window: Window
    instead_of: Window
    saved: float


def _joined(extent: Extent, own: Window, near: Iterable[Window], rules: WindowRules) -> Window | None:
    """Find a window already planned that shows an object well; its encoding costs nothing more."""
    suitable = [
        window
        for window in near
        if window.zoom >= _LEAST_ZOOM * own.zoom
        and rules.fits(window, extent)
        and cost(window.size, 1) - cost(window.size, 0) < cost(own.size, 1)
    ]
    return max(suitable, key=lambda window: (window.zoom, window.box), default=None)


def _best_union(
    number: int,
    near: Iterable[Window],
    groups: Mapping[Window, Sequence[int]],
    requests: Mapping[int, WindowRequest],
    rules: WindowRules,
) -> _Union | None:
    """Find the window planned before with which an object's own is best united."""
    own = requests[number].window
    assert own is not None, "objects on the whole frame have nothing to unite"
    found = []
    for other, size in product(near, rules.sizes):
        together = [requests[key] for key in (*groups[other], number)]
        saved = cost(other.size, len(together) - 1) + cost(own.size, 1) - cost(size, len(together))
        window = _around(own, other, rules, size)
        if saved > 0 and all(_suits(window, request, rules) for request in together):
            found.append(_Union(window, other, saved))
    return max(found, key=lambda union: (union.saved, union.window.box), default=None)


def _suits(window: Window, request: WindowRequest, rules: WindowRules) -> bool:
    is_large_enough = request.window is not None and window.zoom >= _LEAST_ZOOM * request.window.zoom
    return is_large_enough and rules.fits(window, request.extent)


def _overlap(one: Window, other: Window) -> bool:
    return all(one.box[axis] < other.box[axis + 2] and other.box[axis] < one.box[axis + 2] for axis in (0, 1))


def _around(first: Window, second: Window, rules: WindowRules, size: int) -> Window:
    """Return the smallest square that holds two windows."""
    corners = (
        min(first.box[0], second.box[0]),
        min(first.box[1], second.box[1]),
        max(first.box[2], second.box[2]),
        max(first.box[3], second.box[3]),
    )
    side = max(corners[2] - corners[0], corners[3] - corners[1])
    tokens = size // 16
    side = -(-side // tokens) * tokens
    centre = ((corners[0] + corners[2]) / 2, (corners[1] + corners[3]) / 2)
    return square(centre, side, rules.frame_shape, size)
