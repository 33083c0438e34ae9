"""Review: everything doubtful in a document as one list, the worst first, and what a person says of it. No torch.

See docs/whole-movie.md.
"""

from __future__ import annotations

from src_model.workflow.review.events import ReviewEvent, ReviewKind
from src_model.workflow.review.queue import ReviewQueue
from src_model.workflow.review.rules import LOW_SCORE
from src_model.workflow.review.steps import accept, reject

__all__ = ["LOW_SCORE", "ReviewEvent", "ReviewKind", "ReviewQueue", "accept", "reject"]
