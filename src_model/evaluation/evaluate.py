"""An evaluation from beginning to end: every movie with every protocol and method, summed up, and the report."""

from __future__ import annotations

import hashlib
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from src_model.errors import EvaluationError, MissingExtraError
from src_model.evaluation.methods import baseline_method, check_baselines, tracking_method
from src_model.evaluation.metrics import cell_tracking_scores
from src_model.evaluation.protocols import make_protocols
from src_model.evaluation.records import CellScores, RecordFile, UnitKey, UnitRecord
from src_model.evaluation.report import MovieUsed, SetUsed, import_jinja, render_page, write_json
from src_model.evaluation.report.document import Environment, EvaluatedModel, EvaluationReport
from src_model.evaluation.scoring import score_object
from src_model.evaluation.summary import summarize
from src_model.evaluation.targets import Target, TargetChoice, choose_targets, span_of
from src_model.masks import labels_from_masks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from src_model.datasets import LabelledMovie
    from src_model.evaluation.methods import Method
    from src_model.evaluation.protocols import Attempt, EvaluationProtocol
    from src_model.evaluation.sets import EvaluationSet
    from src_model.tracking import StreamingPredictor

RECORDS, REPORT, PAGE = "results.jsonl", "report.json", "report.html"
"""Files of a report's folder."""


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """What is to be evaluated.

    Attributes
    ----------
    sets
        Labelled movies, with a name for each set.
    protocols, baselines
        Names, of ``PROTOCOL_NAMES`` and ``BASELINE_NAMES``.
    choice
        Which frames and objects of each movie.
    rounds
        Frames of an object that may be annotated, at most, in the interactive protocols.
    command
        Command line that does it again, for the report.

    Raises
    ------
    EvaluationError
        If a protocol or baseline is unknown.
    """

    sets: tuple[EvaluationSet, ...]
    protocols: tuple[str, ...]
    baselines: tuple[str, ...] = ()
    choice: TargetChoice = field(default_factory=TargetChoice)
    rounds: int = 8
    command: str = ""

    def __post_init__(self) -> None:
        make_protocols(self.protocols)
        check_baselines(self.baselines)


class Evaluation:
    """A request with the models it is for.

    Parameters
    ----------
    request
        What is to be evaluated.
    predictor
        The tracker that is evaluated.
    baseline_predictor
        The image model of the baselines; the tracker's own if left out.

    Raises
    ------
    EvaluationError
        If there is nothing to evaluate, or two sets have one name.
    """

    def __init__(
        self,
        request: EvaluationRequest,
        predictor: StreamingPredictor,
        baseline_predictor: StreamingPredictor | None = None,
    ) -> None:
        image_model = baseline_predictor or predictor
        protocols = make_protocols(request.protocols, rounds=request.rounds)
        methods = [tracking_method(predictor, protocols)]
        methods += [baseline_method(name, image_model, protocols) for name in dict.fromkeys(request.baselines)]
        self._request = request
        self._plan = EvaluationPlan(request.sets, tuple(methods), request.choice)
        self._models = EvaluatedModel.of(predictor), EvaluatedModel.of(image_model)
        self._device = str(predictor.device)

    def __len__(self) -> int:
        """Return the number of units of work."""
        return sum(1 for _ in self._plan.units())

    def run(self, folder: Path, on_unit: Callable[[UnitKey], None] = lambda key: None) -> EvaluationReport:
        """Do what is not done yet and write results.jsonl, report.json and report.html into a folder.

        Parameters
        ----------
        folder
            Made if it does not exist. Results of the same settings that are there already are used.
        on_unit
            Called before each unit of work.

        Raises
        ------
        EvaluationError
            If the folder holds results of other settings, or a movie has nothing to evaluate.
        MissingExtraError
            If a package that the page needs is missing.
        """
        import_jinja()
        file = RecordFile(folder / RECORDS, self._settings())
        records = run_plan(self._plan, file, on_unit)
        report = EvaluationReport(
            command=self._request.command,
            model=self._models[0],
            baseline_model=self._models[1],
            settings=self._settings(),
            environment=Environment.here(self._device),
            sets=tuple(_used(each, records) for each in self._request.sets),
            rows=tuple(summarize(records)),
        )
        write_json(report, folder / REPORT)
        page = render_page(report, self._request.sets, records)
        (folder / PAGE).write_text(page, encoding="utf-8")
        return report

    def _settings(self) -> dict[str, object]:
        """Everything the numbers of one unit depend on besides its key."""
        model, image_model = map(asdict, self._models)
        return {
            "model": model,
            "baseline model": image_model,
            **asdict(self._request.choice),
            "rounds": self._request.rounds,
        }


def _used(each: EvaluationSet, records: Sequence[UnitRecord]) -> SetUsed:
    found = {record.key.movie: record for record in records if record.key.set == each.name}
    movies = (
        MovieUsed(name, record.frames, tuple(scores.object_id for scores in record.objects), record.data_sha256)
        for name, record in found.items()
    )
    return SetUsed(each.name, each.source, each.licence, tuple(movies))


@dataclass(frozen=True, slots=True)
class EvaluationPlan:
    """What is evaluated: every movie with every method and each of its protocols.

    Attributes
    ----------
    sets
        Labelled movies; no two sets have one name.
    methods
        The tracker and its baselines; no two have one name.
    choice
        Which frames and objects of each movie.
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


def run_plan(
    plan: EvaluationPlan, records: RecordFile, on_unit: Callable[[UnitKey], None] = lambda key: None
) -> list[UnitRecord]:
    """Do all units that are not done yet.

    Parameters
    ----------
    plan
        Says which units there are.
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
