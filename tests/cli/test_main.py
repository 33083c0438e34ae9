"""The command as a whole: it starts fast, and errors are one red line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer

from src_model import __version__
from src_model.cli.error_messages import FAILED, STOPPED
from src_model.errors import MovieError

REPOSITORY = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "numpy", "scipy", "tifffile", "PIL", "huggingface_hub", "dask")


@pytest.mark.parametrize("words", [["--help"], ["track", "--help"], ["models", "--help"]])
def test_help_comes_without_importing_anything_heavy(words):
    program = (
        "import sys\nfrom src_model.cli.main import main\n"
        f"sys.argv = ['sam2v', *{words}]\n"
        f"try:\n    main()\nfinally:\n    print('loaded:', [m for m in {HEAVY} if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "Usage" in run.stdout
    assert run.stdout.rstrip().endswith("loaded: []")


def test_the_version_is_told(sam2v):
    assert sam2v("--version").stdout.strip() == f"sam2v {__version__}"


def test_all_sub_commands_are_listed(sam2v):
    text = sam2v("--help").stdout
    assert all(name in text for name in ("track", "demo", "replay", "models", "info"))


def test_help_says_how_prompts_are_grouped(sam2v):
    text = " ".join(sam2v("track", "--help").stdout.split())
    assert "Prompts belong to the last --object before them" in text
    for option in ("--point", "--negative", "--box", "--mask", "--object", "--resume", "--direction", "--overlap"):
        assert option in text


def test_an_error_is_one_line_on_standard_error_without_a_traceback(sam2v):
    result = sam2v("track", "nothing.tif", "--point", "0,1,1", code=2)
    assert result.stdout == ""
    assert len(result.stderr.strip().splitlines()) == 1
    assert result.stderr.startswith("Error: there is no file or folder 'nothing.tif'")


@pytest.mark.parametrize("words", [["--debug", "track"], ["track", "--debug"]])
def test_debug_shows_the_error_itself(sam2v, words):
    result = sam2v(*words, "nothing.tif", "--point", "0,1,1", code=1)
    assert isinstance(result.exception, MovieError)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FileNotFoundError(2, "No such file or directory", "a.png"), "No such file or directory: 'a.png'"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (MemoryError(), "not enough memory"),
        (type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory"), "not enough memory"),
    ],
)
def test_errors_of_the_system_are_one_line_too(sam2v, monkeypatch, error, words):
    monkeypatch.setattr("src_model.cli.track.run", _raising(error))
    result = sam2v("track", "movie.tif", "--point", "0,1,1", code=FAILED)
    assert words in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("error", [RuntimeError("a defect"), ZeroDivisionError(), OSError("unknown")])
def test_a_defect_keeps_its_traceback(sam2v, monkeypatch, error):
    monkeypatch.setattr("src_model.cli.track.run", _raising(error))
    assert sam2v("track", "movie.tif", "--point", "0,1,1", code=1).exception is error


def test_ctrl_c_before_anything_is_tracked_says_so(sam2v, monkeypatch):
    monkeypatch.setattr("src_model.cli.track.run", _raising(KeyboardInterrupt()))
    assert "stopped" in sam2v("track", "movie.tif", "--point", "0,1,1", code=STOPPED).stderr


def test_the_console_script_reports_its_exit_code(monkeypatch, capsys):
    from src_model.cli.main import main

    monkeypatch.setattr(sys, "argv", ["sam2v", "models", "get", "unknown"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == FAILED
    assert "no checkpoint named 'unknown'" in capsys.readouterr().err


def test_leaving_on_purpose_is_no_error(sam2v, monkeypatch):
    monkeypatch.setattr("src_model.cli.track.run", _raising(typer.Exit(7)))
    assert sam2v("track", "movie.tif", "--point", "0,1,1", code=7).stderr == ""


def _raising(error):
    def run(*_):
        raise error

    return run
