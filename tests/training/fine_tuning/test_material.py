"""What there is to learn from, and whether it is enough."""

from __future__ import annotations

import numpy as np
import pytest

from src_model.errors import TrainingError
from src_model.training.fine_tuning.material import check_enough, hold_out, survey
from tests.tracking.damage import DamagedMovie
from tests.training.fine_tuning.annotated import discs


def frames_and_objects(parts):
    return {(part.movie.name, frame) for part in parts for frame in part.frames}, {
        (part.movie.name, number) for part in parts for number in part.objects
    }


def test_a_survey_counts_frames_objects_and_masks():
    (part,) = survey([discs(length=4, count=3)])
    assert part.frames == (0, 1, 2, 3)
    assert part.objects == (1, 2, 3)
    assert part.masks == 12


def test_only_labelled_frames_count_and_movies_without_masks_do_not():
    parts = survey([discs("a", labelled=(1, 5)), discs("b", count=0)])
    assert [part.movie.name for part in parts] == ["a"]
    assert parts[0].frames == (1, 5)


def test_too_little_is_refused_with_what_is_there_and_what_is_needed():
    parts = survey([discs(length=3, count=2)])
    there, needed = "6 masks of 2 objects on 3 labelled frames in 1 movie", "at least 24 masks on 6 labelled frames"
    with pytest.raises(TrainingError, match=f"{there}.*{needed}"):
        check_enough(parts, "my-discs")


def test_enough_is_enough():
    check_enough(survey([discs(length=6, count=4)]), "my-discs")


def test_whole_movies_are_held_out_where_there_are_several():
    split = hold_out(survey([discs(name) for name in "abcd"]), seed=0)
    trained, held_out = frames_and_objects(split.train)[0], frames_and_objects(split.held_out)[0]
    assert not trained & held_out
    assert len(split.held_out) == 1
    assert "1 of 4 movies" in split.words


def test_of_one_movie_the_end_is_held_out_with_objects_that_training_never_sees():
    split = hold_out(survey([discs(length=10, count=6)]), seed=0)
    trained, held_out = frames_and_objects(split.train), frames_and_objects(split.held_out)
    assert max(frame for _, frame in trained[0]) == 6
    assert min(frame for _, frame in held_out[0]) == 7
    assert not trained[1] & held_out[1]
    assert len(held_out[1]) == 2
    assert split.words == "2 of 6 objects on the last 3 of 10 labelled frames"


def test_few_objects_are_not_divided():
    split = hold_out(survey([discs(length=10, count=3)]), seed=0)
    assert frames_and_objects(split.held_out)[1] == frames_and_objects(split.train)[1]
    assert split.words == "the last 3 of 10 labelled frames"


def test_what_cannot_be_divided_is_refused():
    (part,) = survey([discs(length=10, count=3)])
    early = part.only(frames=range(10), objects=())
    with pytest.raises(TrainingError, match="cannot be divided"):
        hold_out([early], seed=0)


def test_damaged_frames_are_not_learnt_from(caplog):
    movie = discs(length=4, count=3)
    images = np.stack([movie.movie.read(frame) for frame in range(4)])
    movie.__dict__["movie"] = DamagedMovie(images, {2})
    (part,) = survey([movie])
    assert part.frames == (0, 1, 3)
    assert "frame 2" in caplog.text
