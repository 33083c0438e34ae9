"""Parents, lineages and generations of objects."""

from __future__ import annotations

import pytest

from src_model.document import Division
from src_model.document.lineage import check_lineage, divisions_of, kinship_of, life_reasons, parents_of
from src_model.errors import AnnotationError

FAMILY = (Division(4, 2, (2, 3)), Division(2, 3, (5, 6)), Division(3, 5, (7,)), Division(6, 5, (7,)))
"""4 divides, its daughter 2 divides again, and 3 fuses with 6 to 7."""


def test_daughters_know_their_parents_of_which_a_fusion_has_several():
    assert parents_of(FAMILY) == {2: (4,), 3: (4,), 5: (2,), 6: (2,), 7: (3, 6)}


def test_a_lineage_is_called_by_its_root_and_generations_count_divisions():
    kinship = kinship_of(range(1, 8), parents_of(FAMILY))
    assert {number: kin.lineage_id for number, kin in kinship.items()} == {1: 1, **dict.fromkeys(range(2, 8), 4)}
    assert {number: kin.generation for number, kin in kinship.items()} == {1: 0, 4: 0, 2: 1, 3: 1, 5: 2, 6: 2, 7: 2}
    assert (kinship[2].parents, kinship[2].daughters, kinship[7].parents) == ((4,), (5, 6), (3, 6))


def test_families_that_fuse_are_one_lineage_with_the_smallest_of_their_roots():
    kinship = kinship_of((1, 8, 9), {1: (9, 8)})
    assert {kin.lineage_id for kin in kinship.values()} == {8}


def test_an_only_daughter_is_of_the_generation_of_its_parent():
    assert kinship_of((1, 2), {2: (1,)})[2].generation == 0


@pytest.mark.parametrize("parents", [{1: (2,), 2: (1,)}, {1: (3,), 2: (1,), 3: (2,)}])
def test_an_object_that_descends_from_itself_is_refused(parents):
    with pytest.raises(AnnotationError, match="would descend from themselves"):
        kinship_of((1, 2, 3), parents)
    with pytest.raises(AnnotationError, match="would descend from themselves"):
        check_lineage({parent: Division(parent, 1, (daughter,)) for daughter, (parent,) in parents.items()})


def test_links_become_divisions_on_the_frame_of_the_first_daughter():
    begun = {2: 3, 3: 2, 5: 3, 6: 3, 7: 5}
    assert divisions_of(parents_of(FAMILY), begun) == tuple(sorted(FAMILY, key=lambda item: item.parent))


def test_what_shares_a_daughter_happens_on_one_frame():
    found = divisions_of({3: (1,), 4: (1, 2), 5: (2,)}, {3: 4, 4: 3, 5: 2})
    assert found == (Division(1, 2, (3, 4)), Division(2, 2, (4, 5)))
    check_lineage({item.parent: item for item in found})


@pytest.mark.parametrize(
    ("number", "first", "last", "reasons"),
    [
        (4, 0, 1, ("first frame", "division")),
        (1, 2, 5, ("appears", "disappears")),
        (5, 3, 9, ("division", "last frame")),
        (3, 2, 4, ("division", "fusion")),
        (7, 5, 6, ("fusion", "link")),
        (8, 7, 9, ("link", "last frame")),
    ],
)
def test_how_an_object_begins_and_ends_is_said_in_a_word(number, first, last, reasons):
    kinship = kinship_of(range(1, 9), {**parents_of(FAMILY), 8: (7,)})
    assert life_reasons(number, kinship, first, last, 10) == reasons
