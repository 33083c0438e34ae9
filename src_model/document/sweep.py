"""Removing values that nothing leads to any more, a little at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter, ValidationError

from src_model.errors import AnnotationFileError

if TYPE_CHECKING:
    from src_model.document.history import OldestStep
    from src_model.document.store import CellStore

_KEYS: Final = {
    "project": (),
    "objects": ("object",),
    "prompts": ("object", "t", "z"),
    "locks": ("object", "z"),
    "edges": ("parent", "child"),
}
"""What tells the cells of each table apart, but for the masks, which are swept span by span."""

_Piece = tuple[int, bool, int, int, int]
"""A step, whether its own values go (or those that it replaced), and the object and frames that it touched."""

_PIECES: Final = TypeAdapter(list[_Piece])
_FRAMES_AT_ONCE: Final = 500


class Sweep:
    """What is still to be removed; it is noted in the document, so that it goes on after the document was closed.

    Parameters
    ----------
    store
        Where the cells lie.

    Raises
    ------
    AnnotationFileError
        If what was noted is damaged.
    """

    def __init__(self, store: CellStore) -> None:
        self._store = store
        self._pieces: list[_Piece] = []
        noted = store.fact("sweep")
        if noted is not None:
            try:
                self._pieces = _PIECES.validate_json(str(noted))
            except ValidationError as error:
                raise AnnotationFileError("what is to be removed of the history is damaged") from error

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to be removed."""
        return not self._pieces

    def add(self, oldest: OldestStep) -> None:
        """Note what goes when a step can no longer be undone, within a transaction of the caller's."""
        for step in oldest.beside:
            for table in _KEYS:
                self._store.connection.execute(f"DELETE FROM {table} WHERE step = ?", (step,))
        for table, keys in _KEYS.items():
            same = "".join(f" AND newer.{key} = {table}.{key}" for key in keys)
            self._store.connection.execute(
                f"DELETE FROM {table} WHERE EXISTS (SELECT 1 FROM {table} AS newer "
                f"WHERE newer.step = ? AND newer.version > {table}.version{same})",
                (oldest.step,),
            )
        touched = {**{step: (True, each) for step, each in oldest.beside.items()}, oldest.step: (False, oldest.touched)}
        for step, (own, each) in touched.items():
            for object_id, spans in each.masks.items():
                self._pieces.extend((step, own, object_id, *span) for span in spans)
        self._note()

    def run(self, cells: int | None) -> None:
        """Remove what belongs to about so many cells, or all, within a transaction of the caller's."""
        if self.is_done:
            return
        left = cells
        while self._pieces and (left is None or left > 0):
            step, own, object_id, start, stop = self._pieces.pop()
            part = min(stop, start + _FRAMES_AT_ONCE)
            if part < stop:
                self._pieces.append((step, own, object_id, part, stop))
            self._remove(step, object_id, start, part, own=own)
            left = None if left is None else left - (part - start)
        self._note()

    def _remove(self, step: int, object_id: int, start: int, stop: int, *, own: bool) -> None:
        condition = (
            "step = ?"
            if own
            else "EXISTS (SELECT 1 FROM masks AS newer WHERE newer.object = masks.object AND newer.t = masks.t "
            "AND newer.z = masks.z AND newer.step = ? AND newer.version > masks.version)"
        )
        self._store.connection.execute(
            f"DELETE FROM masks WHERE object = ? AND t >= ? AND t < ? AND {condition}", (object_id, start, stop, step)
        )

    def _note(self) -> None:
        self._store.put_fact("sweep", _PIECES.dump_json(self._pieces).decode() if self._pieces else None)
