"""Doing it: every movie with every protocol and method, results written as they arrive."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.errors import EvaluationError, MissingExtraError
from src_model.evaluation.metrics import cell_tracking_scores
from src_model.evaluation.records import CellScores, UnitKey, UnitRecord
from src_model.evaluation.scoring import score_object
from src_model.evaluation.targets import Target, TargetChoice, choose_targets, span_of
from src_model.masks import labels_from_masks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from src_model.datasets import LabelledMovie
    from src_model.evaluation.methods import Method
    from src_model.evaluation.protocols import Attempt, EvaluationProtocol
    from src_model.evaluation.records import RecordFile
    from src_model.evaluation.sets import EvaluationSet


@dataclass(frozen=True, slots=True)
class Plan:
    """What is evaluated.

    Attributes
    ----------
    sets
        With different names.
    methods
        With different names.
    choice
        Which part of each movie.
    """

    sets: tuple[EvaluationSet, ...]
    methods: tuple[Method, ...]
    choice: TargetChoice

    def __post_init__(self) -> None:
        names = [each.name for each in self.sets]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice or not names:
            raise EvaluationError(
                f"two sets are called '{twice}'; rename one" if twice else "there is nothing to evaluate"
            )

    def units(self) -> Iterator[tuple[UnitKey, LabelledMovie, Method, EvaluationProtocol]]:
        """Go through the units of work, a movie's one after the other."""
        for each in self.sets:
            for movie in each.movies:
                for method in self.methods:
                    for protocol in method.protocols:
                        yield UnitKey(each.name, movie.name, protocol.name, method.name), movie, method, protocol


def run(plan: Plan, records: RecordFile, on_unit: Callable[[UnitKey], None] = lambda key: None) -> list[UnitRecord]:
    """Do all units that are not done yet.

    Parameters
    ----------
    plan
        What is evaluated.
    records
        Where results go, and where those of an earlier run are.
    on_unit
        Called before each unit, done or not.

    Returns
    -------
    list of UnitRecord
        Of all units of the plan, in its order.
    """
    results = []
    opened: _OpenedMovie | None = None
    for key, movie, method, protocol in plan.units():
        on_unit(key)
        if key not in records.done:
            if opened is None or opened.movie is not movie:
                opened = _OpenedMovie.open(movie, plan.choice)
            records.add(evaluate_unit(key, opened, method, protocol))
        results.append(records.done[key])
    return results


@dataclass(frozen=True, slots=True)
class _OpenedMovie:
    """A movie with its targets, for all units of it."""

    movie: LabelledMovie
    targets: tuple[Target, ...]
    complete: bool
    data_sha256: str

    @classmethod
    def open(cls, movie: LabelledMovie, choice: TargetChoice) -> _OpenedMovie:
        targets = choose_targets(movie, choice)
        complete = movie.kind == "microscopy" and choice.objects is None and len(movie.movie) > 1
        return cls(movie, targets, complete, data_digest(movie, targets))


def evaluate_unit(key: UnitKey, opened: _OpenedMovie, method: Method, protocol: EvaluationProtocol) -> UnitRecord:
    """Annotate one movie in one way and score what comes of it."""
    began = time.perf_counter()
    attempts = protocol.run(method.start(opened.movie.movie), opened.targets)
    seconds = time.perf_counter() - began
    return UnitRecord(
        key,
        frames=len(span_of(opened.targets)),
        seconds=seconds,
        data_sha256=opened.data_sha256,
        objects=tuple(
            score_object(target, attempts[target.object_id], gives_first_mask=protocol.gives_first_mask)
            for target in opened.targets
        ),
        cells=cell_scores(opened.targets, attempts, opened.movie.parents) if opened.complete else None,
    )


def cell_scores(
    targets: Sequence[Target], attempts: Mapping[int, Sequence[Attempt]], parents: Mapping[int, int]
) -> CellScores | None:
    """Score all cells of a movie together; who divided into whom is given, as every cell's first frame is.

    None where py-ctcmetrics is not installed.
    """
    frames = sorted({frame for target in targets for frame in target.truth})
    known = {target.object_id for target in targets}
    lineage = {daughter: mother for daughter, mother in parents.items() if {daughter, mother} <= known}

    def truth(frame: int) -> NDArray[np.integer]:
        masks = {target.object_id: target.truth[frame] for target in targets if frame in target.truth}
        return labels_from_masks(masks, shape, "int32")

    def predicted(frame: int) -> NDArray[np.integer]:
        found = {
            target.object_id: attempts[target.object_id][-1].masks[frame] for target in targets if frame in target.truth
        }
        masks = {object_id: entry.mask for object_id, entry in found.items()}
        scores = {object_id: entry.score for object_id, entry in found.items()}
        return labels_from_masks(masks, shape, "int32", overlap="score", scores=scores)

    shape = targets[0].truth[targets[0].first].shape
    try:
        scores = cell_tracking_scores(
            map(predicted, frames), map(truth, frames), predicted_parents=lineage, truth_parents=lineage
        )
    except MissingExtraError:
        return None
    return CellScores(*(None if score != score else score for score in (scores.seg, scores.det, scores.tra)))


def data_digest(movie: LabelledMovie, targets: Sequence[Target]) -> str:
    """Compute the SHA-256 of the images and true masks that are evaluated, the same for every layout on disk."""
    digest = hashlib.sha256()
    for frame in span_of(targets):
        image = movie.movie.read(frame)
        digest.update(f"{frame} {image.dtype} {image.shape}".encode())
        digest.update(image.tobytes())
    for target in targets:
        for frame, mask in target.truth.items():
            digest.update(f"{target.object_id} {frame}".encode())
            digest.update(mask.counts.tobytes())
    return digest.hexdigest()
