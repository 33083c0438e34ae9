"""A tracked movie in numbers, whoever tracked it: how many objects, how long, how many in doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from src_model.workflow.review.rules import LOW_SCORE

if TYPE_CHECKING:
    from src_model.document import DocumentView


def movie_summary(document: DocumentView) -> str:
    """Sum up a document in a sentence.

    It says how many objects there are, on how many frames each is in view on average, and how many have doubtful
    frames: tracked, in view, confirmed by nobody, and of a predicted IoU below `LOW_SCORE`.
    """
    lengths: list[int] = []
    doubtful = 0
    for number in document.objects:
        states = document.frame_states(number)
        lengths.append(sum(state.origin is not None and not state.absent for state in states))
        doubtful += any(state.is_open and state.score is not None and state.score < LOW_SCORE for state in states)
    count = len(lengths)
    objects = "1 object" if count == 1 else f"{count:,} objects"
    average = sum(lengths) / max(1, count)
    return f"{objects}, on {average:.1f} frames on average, {doubtful:,} with doubtful frames."
