"""How texts of shared options are read."""

from __future__ import annotations

import pytest
import typer

from src_model.cli.options import parse_channel, parse_frames, parse_plane


@pytest.mark.parametrize(
    ("text", "value"), [(None, None), ("1", 1), ("0,2", (0, 2)), ("0,-,2", (0, None, 2)), (" 1 , 0 ", (1, 0))]
)
def test_channels_are_one_or_up_to_three(text, value):
    assert parse_channel(text) == value


@pytest.mark.parametrize("text", ["-", "x", "1,2,3,4", "", "1.5", "-1"])
def test_other_channels_are_refused(text):
    with pytest.raises(typer.BadParameter, match="neither a channel"):
        parse_channel(text)


@pytest.mark.parametrize(("text", "value"), [(None, None), ("3", 3), ("max", "max"), ("mean", "mean")])
def test_planes_are_a_number_or_a_projection(text, value):
    assert parse_plane(text) == value


@pytest.mark.parametrize("text", ["median", "-1", "1.5", ""])
def test_other_planes_are_refused(text):
    with pytest.raises(typer.BadParameter, match="neither a plane"):
        parse_plane(text)


@pytest.mark.parametrize(
    ("text", "value"), [(None, (0, None)), (":", (0, None)), ("3:", (3, None)), (":8", (0, 8)), ("3:8", (3, 8))]
)
def test_frames_are_a_span_with_its_end_excluded(text, value):
    assert parse_frames(text) == value


@pytest.mark.parametrize("text", ["3", "a:b", "-2:", "1:2:3", "5:5", "5:3"])
def test_other_frames_are_refused(text):
    with pytest.raises(typer.BadParameter, match="START"):
        parse_frames(text)
