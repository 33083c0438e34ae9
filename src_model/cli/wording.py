"""Messages for who typed a command: errors name arguments of Python functions, and the shell has options for them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

_WORDS: Final = re.compile(
    r"""(?P<text>(?<!\w)'[^']*')                     # a path or a value: not ours to change
    |   (?P<asks>\b(?:pass|with)\s+)?
        \b(?P<name>[a-z][a-z_]*)=(?P<value>'[^']*'|\([^)]*\)|\.\.\.|\w+)""",
    re.VERBOSE,
)


_IN_PYTHON: Final = re.compile(r"; in Python (?:[^()]|\([^()]*\))*(?=\))")
"""What a message says for Python besides, within brackets that name the option first."""


def in_shell_words(message: str, options: Collection[str]) -> str:
    """Write arguments of Python functions as options: ``pass axes='TYX'`` becomes ``pass --axes TYX``.

    Parameters
    ----------
    message
        Of an error.
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
