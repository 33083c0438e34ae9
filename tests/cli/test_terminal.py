"""What the command says."""

from __future__ import annotations

import sys

import pytest

from src_model.cli import terminal
from src_model.cli.terminal import complain, duration_text, peak_memory, say, size_text, table_console


@pytest.mark.parametrize(
    ("size", "text"),
    [(None, "unknown"), (0, "0 bytes"), (999, "999 bytes"), (156_008_466, "156 MB"), (2_340_000_000, "2.3 GB")],
)
def test_sizes_are_written_for_people(size, text):
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.24, "0.2 s"), (59, "59.0 s"), (61, "1 min 01 s"), (3725, "1 h 02 min")]
)
def test_durations_are_written_for_people(seconds, text):
    assert duration_text(seconds) == text


def test_lines_are_never_broken_so_that_paths_can_be_copied(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    path = "/a/very/long/path" * 10
    say(path)
    complain(f"[red]{path}\nsecond line")
    out, err = capsys.readouterr()
    assert out == f"{path}\n"
    assert err == f"Error: [red]{path} second line\n"


def test_quiet_says_nothing(capsys):
    say("anything", quiet=True)
    assert capsys.readouterr().out == ""


def test_tables_in_a_pipe_are_not_squeezed():
    assert table_console().width >= 200


def test_peak_memory_is_in_bytes():
    peak = peak_memory()
    if sys.platform == "win32":
        assert peak is None
    else:
        assert 10e6 < peak < 1e12


def test_peak_memory_is_left_out_where_the_system_does_not_tell(monkeypatch):
    monkeypatch.setitem(sys.modules, "resource", None)
    assert terminal.peak_memory() is None
