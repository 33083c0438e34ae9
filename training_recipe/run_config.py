"""What a training run is: the file that repeats it."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from src_model.errors import MissingExtraError, TrainingError
from src_model.training.losses import LossWeights
from src_model.training.option_types import Count, Rate, strict
from src_model.training.prompt_simulation import Annotator
from src_model.training.schedule import share_done
from training_recipe.recipe import Recipe

RECIPES = Path(__file__).parent / "recipes"
CONFIG_NAME = "config.toml"
MOBILE_SAM = "mobile-sam"

Precision = Literal["auto", "32", "bf16", "fp16"]
_Duration = Annotated[float, Field(gt=0)]


@strict
@dataclass(frozen=True, slots=True)
class TrainingStage:
    """A part of a run; each begins with the averaged weights of the one before and an optimizer of its own.

    Attributes
    ----------
    minutes, steps
        How long it lasts; exactly one of them is given.
    memory_start
        Begin by setting the memory parts from the statistics of the image encoder; only in the first stage.
    prompted_weight
        Weight of the loss of prompted frames, against 1 for tracked ones.
    recipe, annotator, losses
        What is done when, who prompts, and how the parts of the loss are weighted.
    """

    minutes: _Duration | None = None
    steps: Count | None = None
    memory_start: bool = False
    prompted_weight: Rate = 0.5
    recipe: Recipe = field(default_factory=Recipe)
    annotator: Annotator = field(default_factory=Annotator)
    losses: LossWeights = field(default_factory=LossWeights)

    def progress(self, step: int, elapsed: float) -> float:
        """Share of the stage that is over, 0 to 1 and more, after ``step`` steps and ``elapsed`` seconds of it."""
        return share_done(step, elapsed, minutes=self.minutes, steps=self.steps)


@strict
@dataclass(frozen=True, slots=True)
class RunConfig:
    """All that repeats a run: what it begins with, what is done in which order, and how it is computed.

    Attributes
    ----------
    stages
        What is done in which order; at least one.
    name, model
        What its result is called, and its architecture in ``MODEL_CONFIGS``.
    start
        "mobile-sam", the name of a checkpoint, or the path of one.
    seed
        Of everything that is drawn, 0 to 900; each seed has a million simulated movies below those held out.
    precision
        "auto" is bfloat16 wherever the device computes it.
    workers
        Processes that make clips for each process that trains; 0 to make them in the process itself.
    save_minutes, validate_minutes
        Minutes between two times that the run is saved, and validated.
    validation_clips
        Held-out clips of each kind that a validation tracks.
    tensorboard
        Write logs for TensorBoard too.
    kinds
        Relative share of each kind of clip; those of ``DEFAULT_WEIGHTS`` if None.
    """

    stages: tuple[TrainingStage, ...]
    name: str = "run"
    model: str = "default"
    start: str = MOBILE_SAM
    seed: Annotated[int, Field(ge=0, le=900)] = 0
    precision: Precision = "auto"
    workers: Annotated[int, Field(ge=0)] = 1
    save_minutes: Rate = 4.0
    validate_minutes: Rate = 10.0
    validation_clips: Count = 4
    tensorboard: bool = True
    kinds: dict[str, Rate] | None = None


_ADAPTER = TypeAdapter(RunConfig)
_UNKNOWN = "unexpected_keyword_argument"


def shipped_recipes() -> tuple[str, ...]:
    """Names of the recipes that come with sam2v."""
    return tuple(sorted(path.stem for path in RECIPES.glob("*.toml")))


def read_config(name_or_path: str | Path) -> RunConfig:
    """Read a recipe by name, or from a TOML file.

    Raises
    ------
    TrainingError
        If there is no such recipe or file, it is no TOML, or it holds something unknown or impossible.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        if str(name_or_path) not in shipped_recipes():
            raise TrainingError(
                f"there is no recipe {str(name_or_path)!r}: give one of {', '.join(shipped_recipes())}, or a .toml file"
            )
        path = RECIPES / f"{name_or_path}.toml"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise TrainingError(f"there is no recipe file '{path}'") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TrainingError(f"'{path}' is no TOML file: {error}") from error
    return parse_config(content, str(path))


def parse_config(content: dict[str, Any], source: str) -> RunConfig:
    """Check the content of a recipe file; TrainingError names each entry that is wrong."""
    try:
        config = _ADAPTER.validate_python(content)
    except ValidationError as error:
        problems = [
            f"{'.'.join(map(str, found['loc']))}: {'no such entry' if found['type'] == _UNKNOWN else found['msg']}"
            for found in error.errors()
        ]
        raise TrainingError(f"'{source}' cannot be used: {'; '.join(problems)}") from error
    if not config.stages:
        raise TrainingError(f"'{source}' has no stages: add a table [[stages]]")
    for number, stage in enumerate(config.stages):
        if (stage.minutes is None) == (stage.steps is None):
            raise TrainingError(f"'{source}': stages.{number} needs either 'minutes' or 'steps'")
        recipe = stage.recipe
        if recipe.replays > 1 and min(recipe.late_from, recipe.early_from) <= 1:
            raise TrainingError(
                f"'{source}': stages.{number} replays clips while the image encoder learns: "
                "set late_from and early_from to 2, or replays to 1"
            )
    return config


def with_length(config: RunConfig, *, minutes: float | None = None, steps: int | None = None) -> RunConfig:
    """Make a run last as long as asked for, each stage keeping its share of the whole.

    Raises
    ------
    TrainingError
        If both are given, or there are fewer steps than stages.
    """
    if minutes is not None and steps is not None:
        raise TrainingError("a run lasts for a number of minutes or of steps: give one of them")
    if minutes is None and steps is None:
        return config
    lengths = [stage.minutes or stage.steps or 0 for stage in config.stages]
    shares = [length / sum(lengths) for length in lengths]
    if minutes is not None:
        lasting = [
            replace(s, minutes=minutes * share, steps=None) for s, share in zip(config.stages, shares, strict=True)
        ]
    else:
        total = steps or 0
        if total < len(shares):
            raise TrainingError(f"{total} steps are too few for {len(shares)} stages: give one each at least")
        each = [max(1, round(total * share)) for share in shares]
        lasting = [replace(s, steps=count, minutes=None) for s, count in zip(config.stages, each, strict=True)]
    return replace(config, stages=tuple(lasting))


def write_config(config: RunConfig, path: Path) -> None:
    """Write all of a configuration, defaults included, as TOML."""
    try:
        import tomli_w
    except ImportError as error:
        raise MissingExtraError("tomli-w", "recipe", "writing the configuration of a run") from error
    path.write_text(tomli_w.dumps(_without_none(asdict(config))), encoding="utf-8")


def _without_none(value: Any) -> Any:
    """Leave out what TOML has no word for."""
    if isinstance(value, dict):
        return {key: _without_none(entry) for key, entry in value.items() if entry is not None}
    return [_without_none(entry) for entry in value] if isinstance(value, list | tuple) else value
