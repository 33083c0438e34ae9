"""From a detector to tracked objects: what it finds enters the document, and the tracker goes on from there."""

from __future__ import annotations

from src_model.detection import AutomaticDetector, AutomaticOptions
from src_model.document import AddDetections, Annotation, MovieIdentity
from src_model.frames import open_movie
from src_model.workflow import DocumentTracker, TrackingJob, TrackRequest, run_job
from tests.tracking import tiny
from tests.workflow.document import masks

OPTIONS = AutomaticOptions(points_per_side=6, min_score=0.4, min_stability=0.3, stability_offset=0.3)


def test_what_was_found_is_tracked_at_once_and_goes_with_one_undo():
    predictor, movie = tiny.predictor(tiny.build()), open_movie(tiny.make_movie())
    document = Annotation(MovieIdentity("tiny", (tiny.LENGTH, *tiny.SHAPE), "uint8"))
    detector = AutomaticDetector(predictor, OPTIONS)
    found = detector.detect(movie.read(2))
    document.do(AddDetections(2, tuple(found), detector.name))
    assert document.objects
    tracker = DocumentTracker(movie, lambda: predictor)
    for _ in run_job(TrackingJob.track(document, TrackRequest(direction="forward")), tracker):
        pass
    session = predictor.start(movie)
    for object_id in document.objects:
        session.prompt(2, object_id, mask=document.frame(object_id, 2).mask.decode())
    tiny.finish(session.propagate())
    for object_id in document.objects:
        tracked = session.masklets[object_id]
        assert masks(document, object_id) == {frame: tracked.mask_at(frame) for frame in range(2, tiny.LENGTH)}
    assert document.undo().startswith("Track")
    assert document.undo() == "Detect with automatic masks, frame 2"
    assert not document.objects
