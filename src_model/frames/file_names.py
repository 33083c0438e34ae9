"""What the names of image files tell: their order, and which of them are channels of one frame."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_CHANNEL_TAG = re.compile(r"(?<![a-zA-Z])(?:c|ch|chan|channel|w)[_-]?(\d+)", re.IGNORECASE)
_MOST_CHANNELS = 16


@dataclass(frozen=True, slots=True)
class FileTable:
    """Files by frame and channel.

    Attributes
    ----------
    rows : list of list of Path
        For each frame one file a channel, in the order of ``channels``; one where there are no channels.
    channels : tuple of str
        What tells the files of a frame apart, such as "GFP"; empty where each file is a frame.
    left_out : int
        Number of files of which a frame lacks other channels.
    """

    rows: list[list[Path]]
    channels: tuple[str, ...] = ()
    left_out: int = 0


def natural_key(path: Path) -> tuple[list[str | int], str]:
    """Sort key by which 'frame2' comes before 'frame10'."""
    parts = re.split(r"([0-9]+)", path.name.lower())
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], path.name


def sort_files(files: list[Path]) -> FileTable:
    """Put files in their order, and those that differ by a channel alone side by side.

    Channels are told by a word ('img_000_GFP.tif' beside 'img_000_DIC.tif') or by a number after c, ch, channel or w
    ('t000_c1.tif' beside 't000_c2.tif'), if what is left of their names is the same sequence of numbers.
    """
    files = sorted(files, key=natural_key)
    for split in (_split_at_words, _split_at_tag):
        table = _as_table(files, split)
        if table is not None:
            return table
    return FileTable([[file] for file in files])


def _split_at_words(path: Path) -> tuple[str, str]:
    return re.sub(r"\d+", "#", path.stem), "/".join(re.findall(r"\d+", path.stem))


def _split_at_tag(path: Path) -> tuple[str, str]:
    tags = list(_CHANNEL_TAG.finditer(path.stem))
    if not tags:
        return "", path.stem
    return tags[-1].group(0), path.stem[: tags[-1].start()] + path.stem[tags[-1].end() :]


def _as_table(files: list[Path], split: Callable[[Path], tuple[str, str]]) -> FileTable | None:
    groups: dict[str, dict[str, Path]] = defaultdict(dict)
    for file in files:
        channel, frame = split(file)
        if frame in groups[channel]:
            return None
        groups[channel][frame] = file
    if not 2 <= len(groups) <= _MOST_CHANNELS:
        return None
    common = set.intersection(*(set(group) for group in groups.values()))
    if len(common) < 2 or len(common) * 2 <= max(len(group) for group in groups.values()):
        return None
    names = sorted(groups)
    frames = [frame for frame in groups[names[0]] if frame in common]
    rows = [[groups[name][frame] for name in names] for frame in frames]
    return FileTable(rows, _distinct_parts(names), len(files) - len(names) * len(rows))


def _distinct_parts(names: list[str]) -> tuple[str, ...]:
    """Cut off what all names have in common: 'img_#_GFP' and 'img_#_DIC' become 'GFP' and 'DIC'."""
    start = len(re.sub(r"[a-zA-Z]+$", "", _common_start(names)))
    ends = _common_start([name[start:][::-1] for name in names])
    stop = len(re.sub(r"[a-zA-Z0-9]+$", "", ends))
    parts = tuple(name[start : len(name) - stop].strip("_-. #") for name in names)
    return parts if all(part and not part.isdigit() for part in parts) else tuple(names)


def _common_start(texts: list[str]) -> str:
    columns = takewhile(lambda letters: len(set(letters)) == 1, zip(*texts, strict=False))
    return "".join(letters[0] for letters in columns)
