"""What a detector found becomes objects of the document, as one step."""

from __future__ import annotations

import pytest

from src_model.document import AddDetections, AnnotatedObject, Origin, Prompt, Skipped
from src_model.errors import FrameRangeError, PromptError
from src_model.masks import Detection, Rle
from tests.document.sample import LENGTH, SHAPE, document, empty_document, square


def found(*places, score=0.5, label=""):
    return tuple(Detection.of_mask(square(y, x), score, label) for y, x in places)


def test_each_detection_becomes_an_object_with_a_mask_and_a_prompt_and_one_undo_takes_all_back():
    annotation = document()
    before = annotation.contents()
    annotation.do(AddDetections(3, found((15, 3), (15, 20), score=0.75, label="nucleus"), "automatic masks"))
    assert list(annotation.objects) == [1, 2, 3, 4, 5, 6]
    for object_id, mask in ((5, square(15, 3)), (6, square(15, 20))):
        assert annotation.object(object_id) == AnnotatedObject(object_id, class_name="nucleus")
        assert annotation.prompts(object_id) == {3: Prompt(mask=mask)}
        entry = annotation.frame(object_id, 3)
        assert (entry.mask, entry.score, entry.origin) == (mask, 0.75, Origin.PROMPTED)
    assert annotation.undo() == "Detect with automatic masks, frame 3"
    assert annotation.contents() == before


def test_objects_are_numbered_from_the_best_detection_on():
    annotation = empty_document()
    annotation.do(AddDetections(0, (*found((1, 1), score=0.2), *found((9, 9), score=0.9)), "a detector"))
    assert annotation.frame(1, 0).mask == square(9, 9)
    assert annotation.frame(2, 0).mask == square(1, 1)


def test_the_log_says_which_detector_it_was():
    annotation = empty_document()
    annotation.do(AddDetections(4, found((1, 1)), "a detector"))
    event = annotation.logged()[-1]
    assert (event.kind, event.detail, event.frame) == ("detection", "Detect with a detector, frame 4", 4)


def test_what_is_annotated_on_the_frame_stays_as_it_is_and_is_not_added_again():
    annotation = document()  # on frame 3 object 1 is at (2, 6), locked on frame 4, and object 2 painted at (10, 10)
    before = annotation.contents()
    part, group = Rle.from_box((3, 7, 5, 9), SHAPE), Rle.from_box((1, 1, 20, 20), SHAPE)
    done = annotation.do(
        AddDetections(3, (*found((2, 7)), Detection.of_mask(part, 1), Detection.of_mask(group, 1)), "a")
    )
    assert done.step is None
    assert done.skipped == (Skipped(1, 3, "annotated already"), Skipped(2, 3, "annotated already"))
    assert annotation.contents() == before
    annotation.do(AddDetections(9, found((2, 6)), "a"))
    assert annotation.masklet(5).frames == (9,)


def test_neighbours_that_touch_and_overlap_a_little_are_added():
    annotation = document()
    done = annotation.do(AddDetections(3, found((2, 9)), "a"))  # has 2 of 5 columns in common with object 1
    assert done.skipped == ()
    assert 5 in annotation.objects
    assert annotation.do(AddDetections(3, found((2, 12)), "a", most_shared=0.1)).step is None


def test_of_two_detections_of_one_object_the_better_one_is_added():
    annotation = empty_document()
    annotation.do(AddDetections(0, (*found((1, 1), score=0.6), *found((1, 2), score=0.8), *found((9, 9))), "a"))
    assert [annotation.frame(object_id, 0).mask for object_id in annotation.objects] == [square(1, 2), square(9, 9)]


def test_a_box_becomes_a_prompt_that_is_to_be_answered():
    annotation = document()
    boxes = (Detection((14.5, 2, 19, 9.5), 0.9, label="cell"), Detection((1.5, 5, 8, 12), 0.8))
    done = annotation.do(AddDetections(3, boxes, "words"))
    assert annotation.prompts(5) == {3: Prompt(box=(14.5, 2, 19, 9.5))}
    assert annotation.frame(5, 3) is None
    assert done.skipped == (Skipped(1, 3, "annotated already"),)
    assert 6 not in annotation.objects


def test_nothing_found_is_no_step():
    annotation = document()
    assert annotation.do(AddDetections(3, (), "a detector")).step is None


@pytest.mark.parametrize(
    ("frame", "detection", "error"),
    [
        (LENGTH, found((1, 1))[0], FrameRangeError),
        (0, Detection.of_mask(Rle.from_box((0, 0, 3, 3), (9, 9)), 0.5), PromptError),
        (0, Detection((30, 0, 40, 10), 0.5), PromptError),
        (0, Detection((0, 0, float("inf"), 10), 0.5), PromptError),
    ],
)
def test_what_does_not_fit_the_movie_is_refused(frame, detection, error):
    annotation = document()
    before = annotation.contents()
    with pytest.raises(error):
        annotation.do(AddDetections(frame, (*found((15, 3)), detection), "a detector"))
    assert annotation.contents() == before
