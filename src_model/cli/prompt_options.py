"""Prompts on the command line, grouped by object through the order in which the options are given.

Option parsers hand over all values of one option together, so that ``--object 1 --point A --object 2 --point B`` would
lose which point belongs to which object. `PromptCommand` keeps the order of the options besides their values.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

_ORDER = "sam2v.option-order"
_PANEL = "Prompts (in this order: --object N, then what shows it; repeatable)"

PointOption = Annotated[
    list[str] | None,
    typer.Option(
        "--point", metavar="T,Y,X", rich_help_panel=_PANEL, help="A click inside the object: frame, row, column."
    ),
]
NegativeOption = Annotated[
    list[str] | None,
    typer.Option("--negative", metavar="T,Y,X", rich_help_panel=_PANEL, help="A click that is not on the object."),
]
BoxOption = Annotated[
    list[str] | None,
    typer.Option(
        "--box",
        metavar="T,Y0,X0,Y1,X1",
        rich_help_panel=_PANEL,
        help="A box around the object: frame, first row and column, then the row and column after the last.",
    ),
]
MaskOption = Annotated[
    list[str] | None,
    typer.Option(
        "--mask", metavar="T,FILE", rich_help_panel=_PANEL, help="The object itself: frame, image that is not 0 on it."
    ),
]
ObjectOption = Annotated[
    list[int] | None,
    typer.Option(
        "--object",
        metavar="N",
        min=1,
        rich_help_panel=_PANEL,
        help="The number of the object that all prompts after this belong to, up to the next --object. "
        "Before the first it is 1.",
    ),
]


@dataclass(slots=True)
class FramePrompt:
    """All that was given for one object on one frame.

    Attributes
    ----------
    object_id, frame
        Which object, on which frame.
    points, labels
        (y, x) of each click, and 1 (inside) or 0 (outside) for each.
    box
        (y0, x0, y1, x1).
    mask
        An image file of the movie's frame size, nonzero inside the object.
    """

    object_id: int
    frame: int
    points: list[tuple[float, float]] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    box: tuple[float, float, float, float] | None = None
    mask: Path | None = None


@dataclass(frozen=True, slots=True)
class GivenPrompts:
    """The values of the prompt options as typed, each option's in the order given."""

    point: Sequence[str] | None = None
    negative: Sequence[str] | None = None
    box: Sequence[str] | None = None
    mask: Sequence[str] | None = None
    object_ids: Sequence[int] | None = None


class PromptCommand(TyperCommand):
    """A command that remembers the order of its options."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse once for the order of the options, then as always."""
        # The parser itself knows best which words are options and which are values: --out --point, --point=..., --.
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        ctx.meta[_ORDER] = [parameter.name for parameter in order]
        return super().parse_args(ctx, args)


def option_order(ctx: typer.Context) -> list[str]:
    """Names of the command's parameters in the order typed, each as often as it was given."""
    return list(ctx.meta.get(_ORDER, ()))


def collect_prompts(order: Iterable[str], given: GivenPrompts) -> list[FramePrompt]:
    """Group prompts by object and frame.

    Parameters
    ----------
    order
        Names of the options as typed: "point", "negative", "box", "mask" and "object_ids"; others are skipped.
    given
        The values of these options.

    Returns
    -------
    list of FramePrompt
        In the order in which each object and frame was first mentioned.

    Raises
    ------
    typer.BadParameter
        If a value cannot be read, a number is too large for an object, or one has two boxes or two masks on a frame.
    """
    names = ("point", "negative", "box", "mask")
    waiting = {name: iter(getattr(given, name) or ()) for name in names}
    ids = iter(given.object_ids or ())
    object_id = 1
    found: dict[tuple[int, int], FramePrompt] = {}
    for name in order:
        if name == "object_ids":
            object_id = _checked_id(next(ids))
        elif name in names:
            _add(found, object_id, name, next(waiting[name]))
    return list(found.values())


def parse_point(text: str, option: str = "--point") -> tuple[int, float, float]:
    """Read ``T,Y,X``.

    Raises
    ------
    typer.BadParameter
        If this is something else.
    """
    frame, values = _numbers(text, 3, option, "T,Y,X (frame, row, column), such as 0,75,64")
    return frame, values[0], values[1]


def _checked_id(object_id: int) -> int:
    from src_model.document import MAX_OBJECT_ID

    if object_id > MAX_OBJECT_ID:
        raise typer.BadParameter(
            f"{object_id} is no number of an object: expected 1 to {MAX_OBJECT_ID}", param_hint="--object"
        )
    return object_id


def _add(found: dict[tuple[int, int], FramePrompt], object_id: int, name: str, text: str) -> None:
    option = f"--{name}"
    if name in ("point", "negative"):
        frame, y, x = parse_point(text, option)
        prompt = found.setdefault((object_id, frame), FramePrompt(object_id, frame))
        prompt.points.append((y, x))
        prompt.labels.append(int(name == "point"))
        return
    if name == "box":
        frame, values = _numbers(text, 5, option, "T,Y0,X0,Y1,X1, such as 0,60,40,90,80")
        prompt = found.setdefault((object_id, frame), FramePrompt(object_id, frame))
        _refuse_second(prompt.box, prompt, option)
        prompt.box = values[0], values[1], values[2], values[3]
        return
    number, _, file = text.partition(",")
    if not number.strip().isdecimal() or not file:
        raise _unreadable(text, option, "T,FILE, such as 0,cell.png")
    frame = int(number)
    prompt = found.setdefault((object_id, frame), FramePrompt(object_id, frame))
    _refuse_second(prompt.mask, prompt, option)
    prompt.mask = Path(file).expanduser()


def _numbers(text: str, count: int, option: str, expected: str) -> tuple[int, list[float]]:
    parts = [part.strip() for part in text.split(",")]
    try:
        values = [float(part) for part in parts[1:]]
    except ValueError:
        raise _unreadable(text, option, expected) from None
    if len(parts) != count or not parts[0].isdecimal() or not all(map(math.isfinite, values)):
        raise _unreadable(text, option, expected)
    return int(parts[0]), values


def _unreadable(text: str, option: str, expected: str) -> typer.BadParameter:
    return typer.BadParameter(f"{text!r} is not {expected}", param_hint=option)


def _refuse_second(earlier: object, prompt: FramePrompt, option: str) -> None:
    if earlier is not None:
        raise typer.BadParameter(
            f"object {prompt.object_id} has two on frame {prompt.frame}; give one, or another --object before it",
            param_hint=option,
        )
