"""Errors as one red line and an exit code, in words of the shell, with a traceback only for those who ask."""

from __future__ import annotations

import errno
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, Final

import typer
from typer.core import TyperGroup

from src_model.cli.terminal import complain
from src_model.errors import Sam2vError

FAILED, STOPPED = 2, 130
"""Exit codes: something is wrong with what was asked for, or the user stopped it."""

_DEBUG = "sam2v.debug"
_WORDS: Final = re.compile(
    r"""(?P<text>(?<!\w)'[^']*')                     # a path or a value: not ours to change
    |   (?P<asks>\b(?:pass|with)\s+)?
        \b(?P<name>[a-z][a-z_]*)=(?P<value>'[^']*'|\([^)]*\)|\.\.\.|\w+)""",
    re.VERBOSE,
)
_IN_PYTHON: Final = re.compile(r"; in Python (?:[^()]|\([^()]*\))*(?=\))")
"""What a message says for Python besides, within brackets that name the option first."""


class ErrorMessageGroup(TyperGroup):
    """The command with all its sub-commands, which turns errors into messages."""

    def invoke(self, ctx: Any) -> Any:
        """Run the sub-command."""
        with _errors_as_messages(ctx):
            return super().invoke(ctx)


@contextmanager
def _errors_as_messages(ctx: Any) -> Iterator[None]:
    try:
        yield
    except (Sam2vError, OSError, MemoryError, RuntimeError) as error:
        message = _message(error)
        if message is None or ctx.meta.get(_DEBUG):
            raise
        complain(in_shell_words(message, _options(ctx)))
        raise typer.Exit(FAILED) from error
    except KeyboardInterrupt:
        if ctx.meta.get(_DEBUG):
            raise
        complain("stopped")
        raise typer.Exit(STOPPED) from None


def remember_debug(ctx: typer.Context, value: bool) -> bool:
    """Note that errors are to be shown with their traceback."""
    if value:
        ctx.meta[_DEBUG] = True
    return value


def _options(ctx: Any) -> set[str]:
    """Name the options of the sub-command that was called, and of those below it."""
    called = ctx.command.get_command(ctx, ctx.invoked_subcommand) if ctx.invoked_subcommand else ctx.command
    commands = [called, *getattr(called, "commands", {}).values()]
    return {option for command in commands for parameter in command.params for option in parameter.opts}


def _message(error: Exception) -> str | None:
    """Put an error in words; None for one that is not the user's but a defect, which keeps its traceback."""
    if isinstance(error, Sam2vError):
        return str(error)
    if isinstance(error, OSError):
        if error.errno == errno.EPIPE or error.strerror is None:
            return None
        return f"{error.strerror}: '{error.filename}'" if error.filename else error.strerror
    # torch has an error of its own for a full GPU, which is not imported for this
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "there is not enough memory: choose a smaller --image-size, or another --device"
    return None


def in_shell_words(message: str, options: Collection[str]) -> str:
    """Write arguments of Python functions as options: ``pass axes='TYX'`` becomes ``pass --axes TYX``.

    Parameters
    ----------
    message
        Message of an error of the library.
    options
        Which options the command has. What it has none for stays as it is, and is said to be for Python.
    """

    def translated(match: re.Match[str]) -> str:
        if match["text"] is not None:
            return match[0]
        option = f"--{match['name'].replace('_', '-')}"
        if option in options:
            return f"{match['asks'] or ''}{option}{_typed(match['value'])}"
        return f"{match[0]} in Python" if match["asks"] else match[0]

    return _WORDS.sub(translated, _IN_PYTHON.sub("", message))


def _typed(value: str) -> str:
    """Write a value as it is typed after an option; nothing where there is none."""
    if value in ("...", "'...'", "True"):
        return ""
    if value.startswith("("):
        parts = [part.strip() for part in value.strip("()").split(",")]
        return " " + ",".join("-" if part == "None" else part for part in parts if part)
    return f" {value.strip(chr(39))}"
