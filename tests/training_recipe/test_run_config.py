"""The file that repeats a run."""

from __future__ import annotations

import pytest

from src_model.errors import TrainingError
from training_recipe.recipe import Recipe
from training_recipe.run_config import (
    RunConfig,
    TrainingStage,
    parse_config,
    read_config,
    shipped_recipes,
    with_length,
    write_config,
)


@pytest.mark.parametrize("name", shipped_recipes())
def test_every_recipe_that_ships_can_be_read(name):
    assert read_config(name).name == name


def test_the_default_checkpoint_is_made_in_five_stages_from_mobile_sam():
    config = read_config("default")
    assert config.start == "mobile-sam"
    assert [stage.minutes for stage in config.stages] == [38, 57, 129, 125, 105]
    assert [stage.memory_start for stage in config.stages] == [True, False, False, False, False]
    assert [stage.recipe.crowds for stage in config.stages] == [0.0, 0.4, 0.55, 0.5, 0.5]


def test_a_configuration_that_was_written_reads_the_same(tmp_path):
    stages = (TrainingStage(steps=5, recipe=Recipe(layer_decay=0.9)), TrainingStage(steps=7))
    config = RunConfig(stages, name="mine", seed=3, kinds={"nuclei": 1.0})
    write_config(config, tmp_path / "config.toml")
    assert read_config(tmp_path / "config.toml") == config


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"stages": [{"steps": 3, "recpe": {}}]}, "stages.0.recpe: no such entry"),
        ({"stages": [{"steps": 3, "recipe": {"bach": 4}}]}, "stages.0.recipe.bach: no such entry"),
        ({"stages": [{"steps": 3}], "sed": 1}, "sed: no such entry"),
        ({"stages": [{"steps": 0}]}, "stages.0.steps"),
        ({"stages": [{"steps": 3, "annotator": {"prompts": {"mask": 2}}}]}, "annotator.prompts.mask"),
        ({"stages": [{"steps": 3, "minutes": 3}]}, "stages.0 needs either 'minutes' or 'steps'"),
        ({"stages": [{}]}, "stages.0 needs either 'minutes' or 'steps'"),
        ({"stages": [{"steps": 3, "recipe": {"replays": 2}}]}, "stages.0 replays clips while the image encoder learns"),
        ({"stages": []}, "has no stages"),
        ({}, "stages"),
    ],
)
def test_what_is_unknown_or_impossible_is_refused_by_name(content, words):
    with pytest.raises(TrainingError, match=words):
        parse_config(content, "mine.toml")


def test_an_unknown_recipe_is_told_the_known_ones():
    with pytest.raises(TrainingError, match=r"give one of continue, default, third, or a \.toml file"):
        read_config("defualt")


def test_a_file_that_is_missing_or_no_toml_is_said_to_be(tmp_path):
    with pytest.raises(TrainingError, match="there is no recipe file"):
        read_config(tmp_path / "mine.toml")
    (tmp_path / "mine.toml").write_text("stages = [")
    with pytest.raises(TrainingError, match="is no TOML file"):
        read_config(tmp_path / "mine.toml")


def test_a_run_of_another_length_keeps_the_shares_of_its_stages():
    config = read_config("default")
    assert [stage.minutes for stage in with_length(config, minutes=908).stages] == pytest.approx(
        [76, 114, 258, 250, 210]
    )
    assert [stage.steps for stage in with_length(config, steps=908).stages] == [76, 114, 258, 250, 210]
    assert all(stage.minutes is None for stage in with_length(config, steps=908).stages)
    assert with_length(config) == config


def test_impossible_lengths_are_refused():
    config = read_config("default")
    with pytest.raises(TrainingError, match="give one of them"):
        with_length(config, minutes=3, steps=3)
    with pytest.raises(TrainingError, match="too few for 5 stages"):
        with_length(config, steps=2)
