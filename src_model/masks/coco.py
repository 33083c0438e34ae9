"""The compressed text that COCO stores run lengths in.

From the fourth run on, a run is written as its difference to the run two before it. Each number becomes groups of
five bits, lowest first, in two's complement; a sixth bit says that another group follows; 48 is added to make the
group a printable character.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from src_model.errors import MaskError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MAX_GROUPS = 7  # 35 bits hold the difference of any two 32-bit run lengths
_GROUP = np.arange(_MAX_GROUPS)


def counts_to_string(counts: NDArray[np.integer]) -> str:
    """Compress run lengths.

    Parameters
    ----------
    counts
        ``(N,)`` run lengths, each below 2**32.

    Returns
    -------
    str
        ASCII characters, 48 to 111.
    """
    values = counts.astype(np.int64)
    deltas = values.copy()
    deltas[3:] -= values[1:-2]
    magnitude = np.where(deltas < 0, ~deltas, deltas)
    last = (magnitude[:, None] >= np.int64(1) << (5 * _GROUP[1:] - 1)).sum(axis=1)[:, None]
    characters = ((deltas[:, None] >> (5 * _GROUP)) & 31) + 48 + 32 * (last > _GROUP)
    written: NDArray[np.uint8] = characters[last >= _GROUP].astype(np.uint8)
    return written.tobytes().decode("ascii")


def counts_from_string(text: str | bytes) -> NDArray[np.int64]:
    """Undo :func:`counts_to_string`.

    Parameters
    ----------
    text
        Compressed run lengths, as text or as the bytes that some libraries hand out.

    Returns
    -------
    numpy.ndarray
        ``(N,)`` int64. The numbers are as written: whether they describe a mask is for the caller to check.

    Raises
    ------
    MaskError
        If the text holds a foreign character, stops inside a number, or holds a number no run length can have.
    """
    codes = _codes(text)
    ends = np.flatnonzero(codes < 32)
    if ends.size == 0 or ends[-1] != codes.size - 1:
        raise MaskError("COCO counts stop inside a number; the text was cut off")
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts + 1
    if lengths.max() > _MAX_GROUPS:
        raise MaskError(f"COCO counts hold a number of {lengths.max()} characters; expected at most {_MAX_GROUPS}")
    shift = 5 * (np.arange(codes.size) - np.repeat(starts, lengths))
    deltas = np.add.reduceat((codes & 31) << shift, starts)
    deltas -= np.where(codes[ends] & 16, np.int64(1) << (5 * lengths), 0)
    deltas[1::2] = np.cumsum(deltas[1::2])
    deltas[2::2] = np.cumsum(deltas[2::2])
    return deltas


def _codes(text: str | bytes) -> NDArray[np.int64]:
    """Return the six bits of each character."""
    # Four bytes a character keep foreign ones, to be refused with their place in the text.
    raw = text.encode("utf-32-le", "surrogatepass") if isinstance(text, str) else bytes(text)
    codes = np.frombuffer(raw, "<u4" if isinstance(text, str) else np.uint8).astype(np.int64) - 48
    if codes.size == 0:
        raise MaskError("COCO counts are empty; a mask has at least one run")
    foreign = np.flatnonzero((codes < 0) | (codes > 63))
    if foreign.size:
        at = int(foreign[0])
        raise MaskError(f"COCO counts hold {text[at : at + 1]!r} at {at}; expected characters from '0' to 'o'")
    return codes
