from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from src_model.tracking.windows.rules import WINDOW_SIZES, Extent, WindowRules
from src_model.tracking.windows.sharing import WindowRequest, cost, plan_windows

FIELD = (2048, 2048)
RULES = WindowRules(FIELD, 448, WINDOW_SIZES)


def extent(y: float, x: float, side: float = 30) -> Extent:
    return Extent((y - side / 2, x - side / 2, y + side / 2, x + side / 2))


def request(y: float, x: float, side: float = 30) -> WindowRequest:
    return WindowRequest(extent(y, x, side), RULES.fresh(extent(y, x, side)))


def test_objects_far_apart_have_windows_of_their_own():
    requests = {1: request(300, 300), 2: request(900, 900)}
    assert plan_windows(requests, RULES) == {number: wanted.window for number, wanted in requests.items()}


def test_neighbours_share_a_window_that_shows_both_well():
    plan = plan_windows({1: request(300, 300), 2: request(300, 320)}, RULES)
    assert plan[1] == plan[2]
    assert plan[1].zoom >= 0.75 * request(300, 300).window.zoom
    assert RULES.fits(plan[1], extent(300, 300))
    assert RULES.fits(plan[1], extent(300, 320))


def test_neighbours_of_different_size_do_not_share():
    plan = plan_windows({1: request(300, 300, 15), 2: request(300, 330, 100)}, RULES)
    assert plan[1] != plan[2]


def test_objects_that_share_a_window_stay_together_and_others_may_join():
    ours = RULES.fresh(extent(300, 300))
    requests = {
        1: WindowRequest(extent(300, 300), ours),
        2: WindowRequest(extent(305, 305), ours),
        3: request(305, 310),
    }
    assert plan_windows(requests, RULES) == dict.fromkeys(requests, ours)


def test_a_plan_carried_out_is_the_plan_of_the_next_frame():
    requests = {number: request(300, 300 + 20 * number) for number in range(6)}
    plan = plan_windows(requests, RULES)
    again = {key: WindowRequest(each.extent, RULES.follow(plan[key], each.extent)) for key, each in requests.items()}
    assert len(set(plan.values())) < len(requests)
    assert {key: each.window for key, each in again.items()} == plan == plan_windows(again, RULES)


def test_objects_on_the_whole_frame_stay_there():
    whole = WindowRequest(extent(1000, 1000, 900), None)
    assert plan_windows({1: whole, 2: request(300, 300)}, RULES)[1] is None


def test_windows_of_a_given_size_are_not_united():
    rules = WindowRules(FIELD, 448, WINDOW_SIZES, 100)
    requests = {n: WindowRequest(extent(300, x), rules.fresh(extent(300, x))) for n, x in ((1, 300), (2, 360))}
    assert {window.shape for window in plan_windows(requests, rules).values()} == {(100, 100)}


def test_nothing_wished_for_nothing_planned():
    assert plan_windows({}, RULES) == {}


def total(plan) -> float:
    windows = {window for window in plan.values() if window is not None}
    return sum(cost(w.size, sum(other == w for other in plan.values())) for w in windows)


places = st.lists(st.tuples(st.integers(20, 500), st.integers(20, 500), st.integers(12, 60)), max_size=12)


@given(places)
def test_every_object_is_seen_well_and_sharing_never_costs_more(placed):
    requests = {number: request(*place) for number, place in enumerate(placed, 1)}
    plan = plan_windows(requests, RULES)
    assert plan.keys() == requests.keys()
    for number, wanted in requests.items():
        assert plan[number].zoom >= 0.75 * wanted.window.zoom
        assert plan[number].holds(wanted.extent.box, FIELD)
    assert total(plan) <= sum(cost(wanted.window.size, 1) for wanted in requests.values()) + 1e-9


@given(places, st.randoms())
def test_the_plan_does_not_depend_on_the_order_of_the_wishes(placed, random):
    distinct = list(dict.fromkeys(placed))
    requests = {number: request(*place) for number, place in enumerate(distinct, 1)}
    shuffled = list(requests.items())
    random.shuffle(shuffled)
    assert plan_windows(dict(shuffled), RULES) == plan_windows(requests, RULES)
