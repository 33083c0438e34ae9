from __future__ import annotations

import pytest

from napari_sam2v.layers.result_layers import ResultLayers

SHAPE = (6, 20, 30)


@pytest.fixture
def document(make_document):
    document = make_document(SHAPE[1:])
    for frame in range(6):
        document.put(1, frame, (2, 2, 6, 6))
    return document


@pytest.fixture
def make_results(viewer, document, event_loop):
    def make(geometry):
        results = ResultLayers(viewer, geometry, document)
        results.messages, results.new = [], []
        results.refused.connect(results.messages.append)
        results.made.connect(results.new.append)
        return results

    return make


def test_masks_and_tracks_keep_up_with_the_document(make_results, make_movie, document, event_loop):
    results = make_results(make_movie(SHAPE))
    assert results.layers == ()
    results.show()
    results.show_tracks()
    results.update(document.masks)
    event_loop.run()
    masks, tracks = results.layers
    assert results.new == [masks, tracks]
    assert masks._slice.image.raw[3, 3] == 1
    assert len(tracks.data) == 6
    for key in [*document.masks]:
        del document.masks[key]
    results.remove([1])
    event_loop.run(20, until=lambda: len(results.layers) == 1)  # after drawing, the tracks rest
    assert results.layers == (masks,)
    assert not masks._slice.image.raw.any()


def test_painting_comes_out_of_one_door(make_results, make_movie, document, viewer, mouse):
    results = make_results(make_movie(SHAPE))
    results.show()
    strokes = []
    results.edited.connect(strokes.append)
    results.select(1)
    results.layer.mode = "paint"
    mouse(results.layer, viewer).drag((12, 20))
    assert [edit.object_id for edit in strokes[0]] == [1]


def test_where_napari_has_no_tracks_the_masks_still_work_and_a_sentence_says_so(make_results, make_movie, document):
    results = make_results(make_movie((2, 6, 20, 30), "CTYX"))
    results.show()
    results.set_parents({2: (1,)})
    results.set_colors({1: (255, 0, 0)})
    results.update([(1, 0)])
    results.remove([1])
    results.show_tracks(False)
    assert results.messages == []
    results.show_tracks()
    assert "tracks cannot be shown" in results.messages[0]
    results.close()
    assert results.layers == ()
