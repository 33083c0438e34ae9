"""Prompts on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from src_model.cli.prompt_options import (
    BoxOption,
    FramePrompt,
    GivenPrompts,
    MaskOption,
    NegativeOption,
    ObjectOption,
    PointOption,
    PromptCommand,
    collect_prompts,
    option_order,
    parse_point,
)


def parse(*words: str) -> list[FramePrompt]:
    """Parse a command line the way ``sam2v track`` does."""
    app = typer.Typer(pretty_exceptions_enable=False)
    collected: list[FramePrompt] = []

    @app.command(cls=PromptCommand)
    def command(
        ctx: typer.Context,
        movie: str,
        point: PointOption = None,
        negative: NegativeOption = None,
        box: BoxOption = None,
        mask: MaskOption = None,
        object_ids: ObjectOption = None,
        out: Annotated[str, typer.Option("--out", "-o")] = "",
        quiet: Annotated[bool, typer.Option("--quiet", "-q")] = False,
    ) -> None:
        collected.extend(collect_prompts(option_order(ctx), GivenPrompts(point, negative, box, mask, object_ids)))

    result = CliRunner().invoke(app, ["movie.tif", *words])
    if result.exit_code:
        raise typer.BadParameter(result.output)
    return collected


def test_without_object_everything_belongs_to_object_1():
    assert parse("--point", "0,75,64") == [FramePrompt(1, 0, [(75.0, 64.0)], [1])]


def test_prompts_belong_to_the_last_object_before_them():
    prompts = parse("--object", "3", "--point", "0,1,2", "--object", "7", "--point", "0,3,4", "--point", "0,5,6")
    assert prompts == [FramePrompt(3, 0, [(1.0, 2.0)], [1]), FramePrompt(7, 0, [(3.0, 4.0), (5.0, 6.0)], [1, 1])]


def test_prompts_before_the_first_object_belong_to_object_1():
    assert [prompt.object_id for prompt in parse("--point", "0,1,2", "--object", "2", "--point", "0,3,4")] == [1, 2]


def test_an_object_can_be_taken_up_again():
    words = ("--object", "1", "--point", "0,1,1", "--object", "2", "--point", "0,2,2", "--object", "1")
    assert parse(*words, "--negative", "0,3,3") == [
        FramePrompt(1, 0, [(1.0, 1.0), (3.0, 3.0)], [1, 0]),
        FramePrompt(2, 0, [(2.0, 2.0)], [1]),
    ]


def test_prompts_of_one_frame_come_together_and_those_of_others_apart():
    prompts = parse("--point", "0,1,1", "--box", "0,0,0,9,9", "--negative", "4,2,2")
    assert prompts == [FramePrompt(1, 0, [(1.0, 1.0)], [1], (0.0, 0.0, 9.0, 9.0)), FramePrompt(1, 4, [(2.0, 2.0)], [0])]


def test_order_holds_across_kinds_of_prompts():
    words = ("--object", "2", "--box", "0,0,0,4,4", "--object", "1", "--mask", "1,a.png", "--box", "2,1,1,5,5")
    assert [(p.object_id, p.frame) for p in parse(*words)] == [(2, 0), (1, 1), (1, 2)]


@pytest.mark.parametrize(
    "words",
    [
        ("--object=2", "--point=0,1,2"),
        ("--quiet", "--object", "2", "-q", "--point", "0,1,2"),
        ("--object", "2", "--out", "--point", "--point", "0,1,2"),
        ("-o", "x", "--object", "2", "-qo", "--object", "--point", "0,1,2"),
    ],
)
def test_other_options_and_ways_to_write_do_not_disturb(words):
    assert parse(*words) == [FramePrompt(2, 0, [(1.0, 2.0)], [1])]


def test_a_mask_file_may_have_commas_in_its_name():
    assert parse("--mask", "3,my,mask.png")[0].mask == Path("my,mask.png")


def test_spaces_and_fractions_are_read():
    assert parse_point(" 4, 1.5, -0.25 ") == (4, 1.5, -0.25)


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("--point", "0,1"),
        ("--point", "0,1,2,3"),
        ("--point", "0.5,1,2"),
        ("--point", "-1,1,2"),
        ("--point", "a,1,2"),
        ("--negative", "0,nan,2"),
        ("--negative", "0,1,inf"),
        ("--box", "0,1,2,3"),
        ("--box", "0,1,2,3,x"),
        ("--mask", "0"),
        ("--mask", "0,"),
        ("--mask", "x.png"),
        ("--object", "0"),
        ("--object", "x"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_option(option, text):
    with pytest.raises(typer.BadParameter) as error:
        parse(option, text)
    assert option in str(error.value)


@pytest.mark.parametrize(("option", "text"), [("--box", "0,1,1,5,5"), ("--mask", "0,a.png")])
def test_an_object_has_one_box_and_one_mask_a_frame(option, text):
    with pytest.raises(typer.BadParameter, match="has two on frame 0"):
        parse(option, text, option, text)
    assert len(parse(option, text, "--object", "2", option, text)) == 2


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 2), st.booleans()), max_size=12))
def test_any_mixture_is_grouped_as_if_it_had_been_said_one_by_one(said):
    words, expected = [], {}
    for place, (object_id, frame, positive) in enumerate(said):
        words += ["--object", str(object_id), "--point" if positive else "--negative", f"{frame},{place},0"]
        expected.setdefault((object_id, frame), []).append((float(place), int(positive)))
    found = {
        (p.object_id, p.frame): [(y, label) for (y, _), label in zip(p.points, p.labels, strict=True)]
        for p in parse(*words)
    }
    assert found == expected
    assert list(found) == list(expected)
