"""An evaluation from beginning to end: runs what is missing, sums up, writes the report."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from src_model.evaluation.methods import baseline_method, check_baselines, tracking_method
from src_model.evaluation.protocols import make_protocols
from src_model.evaluation.provenance import Environment, ModelIdentity
from src_model.evaluation.records import RecordFile, UnitKey, UnitRecord
from src_model.evaluation.report import MovieUsed, Report, SetUsed, import_jinja, render_page, write_json
from src_model.evaluation.runner import Plan, run
from src_model.evaluation.summary import summarize
from src_model.evaluation.targets import TargetChoice

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from src_model.evaluation.sets import EvaluationSet
    from src_model.tracking import StreamingPredictor

RECORDS, REPORT, PAGE = "results.jsonl", "report.json", "report.html"
"""Files of a report's folder."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be evaluated.

    Attributes
    ----------
    sets
        Movies.
    protocols, baselines
        Names.
    choice
        Which part of each movie.
    rounds
        Frames that may be annotated in the interactive protocols.
    command
        What the report says to do it again.

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
        The tracker.
    baseline_predictor
        The image model of the baselines; the tracker's own if left out.

    Raises
    ------
    EvaluationError
        If there is nothing to evaluate, or two sets have one name.
    """

    def __init__(
        self,
        request: Request,
        predictor: StreamingPredictor,
        baseline_predictor: StreamingPredictor | None = None,
    ) -> None:
        image_model = baseline_predictor or predictor
        protocols = make_protocols(request.protocols, rounds=request.rounds)
        methods = [tracking_method(predictor, protocols)]
        methods += [baseline_method(name, image_model, protocols) for name in dict.fromkeys(request.baselines)]
        self._request = request
        self._plan = Plan(request.sets, tuple(methods), request.choice)
        self._models = ModelIdentity.of(predictor), ModelIdentity.of(image_model)
        self._device = str(predictor.device)

    def __len__(self) -> int:
        """Return the number of units of work."""
        return sum(1 for _ in self._plan.units())

    def run(self, folder: Path, on_unit: Callable[[UnitKey], None] = lambda key: None) -> Report:
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
        records = run(self._plan, file, on_unit)
        report = Report(
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
