"""The dashboard that CVAT talks to, over HTTP."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("starlette")
from cvat_serverless.functions import INTERACTOR, TRACKER
from cvat_serverless.server.app import ServerLimits
from tests.cvat_serverless.asking import RECTANGLE, base64_of

TOKEN = "a token of enough letters"
JSON = {"Content-Type": "application/json"}


def ask(url: str, body: object = None, **headers: str):
    """Status and body of an answer."""
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {**JSON, **{k.replace("_", "-"): v for k, v in headers.items()}})
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            status, text = reply.status, reply.read()
    except urllib.error.HTTPError as error:
        with error:
            status, text = error.code, error.read()
    return status, json.loads(text) if text.startswith((b"{", b"[")) else text.decode()


def invoke(url: str, name: str, body: object, **headers: str):
    return ask(f"{url}/api/function_invocations", body, x_nuclio_function_name=name, x_nuclio_path="/", **headers)


@pytest.fixture
def url(service, serving):
    with serving(service) as address:
        yield address


def test_both_functions_are_found_as_nuclio_lists_them(url):
    status, found = ask(f"{url}/api/functions", x_nuclio_project_name="cvat", x_nuclio_function_namespace="nuclio")
    assert status == 200
    assert set(found) == {TRACKER, INTERACTOR}
    for name, function in found.items():
        assert function["metadata"]["name"] == name
        assert function["spec"]["description"]
        assert function["status"]["httpPort"] == 8070
        assert all(isinstance(value, str) for value in function["metadata"]["annotations"].values())


def test_a_function_is_described_as_in_the_list(url):
    _, found = ask(f"{url}/api/functions")
    assert ask(f"{url}/api/functions/{TRACKER}") == (200, found[TRACKER])


def test_the_annotations_are_those_that_cvat_needs(url):
    _, found = ask(f"{url}/api/functions")
    tracker, interactor = (found[name]["metadata"]["annotations"] for name in (TRACKER, INTERACTOR))
    assert tracker["type"] == "tracker"
    assert "rectangle" in tracker["supported_shape_types"].split(",")
    assert interactor["type"] == "interactor"
    assert int(interactor["version"]) >= 2
    assert "false" not in {*tracker.values(), *interactor.values()}


def test_an_unknown_function_is_404(url):
    assert ask(f"{url}/api/functions/other")[0] == 404
    assert invoke(url, "other", {"image": ""})[0] == 404
    assert ask(f"{url}/somewhere/else")[0] == 404


def test_a_function_is_invoked_through_the_dashboard(url, frames):
    body = {"image": base64_of(frames[0]), "shapes": [RECTANGLE], "states": []}
    status, answer = invoke(url, TRACKER, body)
    assert status == 200
    assert answer["states"][0]["n"] == 0


def test_direct_calls_name_no_function_and_are_told_apart(url, frames):
    image = base64_of(frames[0])
    assert "states" in ask(f"{url}/", {"image": image, "shapes": [RECTANGLE], "states": []})[1]
    assert "states" not in ask(f"{url}/", {"image": image, "pos_points": [[9, 9]], "neg_points": []})[1]


def test_a_request_of_another_content_type_is_refused(url):
    assert invoke(url, TRACKER, b"{}", Content_Type="text/plain")[0] == 415


def test_an_empty_request_is_refused(url):
    status, answer = invoke(url, TRACKER, b"")
    assert status == 400
    assert "empty" in answer["message"]


def test_it_says_that_it_is_well_and_which_model_it_has(url):
    assert ask(f"{url}/healthz") == (200, {"status": "ok", "model": "tiny"})


def test_it_counts_for_prometheus(url, frames):
    body = {"image": base64_of(frames[0]), "shapes": [RECTANGLE], "states": []}
    invoke(url, TRACKER, body)
    invoke(url, TRACKER, b"{")
    _, text = ask(f"{url}/metrics")
    lines = text.splitlines()
    for line in (
        f'sam2v_requests_total{{function="{TRACKER}",status="200"}} 1.0',
        f'sam2v_requests_total{{function="{TRACKER}",status="400"}} 1.0',
        "sam2v_objects_started_total 1.0",
        "sam2v_images_encoded_total 1.0",
        "sam2v_tracks 1.0",
        "sam2v_cached_images 1.0",
    ):
        assert line in lines


def test_names_that_somebody_made_up_do_not_fill_the_metrics(url):
    invoke(url, "made up", b"{}")
    _, text = ask(f"{url}/metrics")
    assert "made up" not in text


# Who may ask ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def closed(service, serving):
    with serving(service, token=TOKEN) as address:
        yield address


@pytest.mark.parametrize("path", ["/api/functions", f"/api/functions/{TRACKER}", "/metrics", "/nowhere"])
def test_without_the_token_nothing_is_told(closed, path):
    assert ask(closed + path)[0] == 401
    assert ask(closed + path, Authorization="Bearer wrong")[0] == 401


def test_a_function_is_not_invoked_without_the_token(closed, frames):
    body = {"image": base64_of(frames[0]), "shapes": [RECTANGLE], "states": []}
    assert invoke(closed, TRACKER, body)[0] == 401
    assert invoke(closed, TRACKER, body, Authorization=f"Bearer {TOKEN}")[0] == 200


def test_cvat_sends_the_token_when_it_is_in_its_host_setting(closed):
    requests = pytest.importorskip("requests")
    address = closed.replace("http://", f"http://sam2v:{TOKEN.replace(' ', '%20')}@")
    with requests.get(f"{address}/api/functions", timeout=60) as reply:
        assert reply.status_code == 200


def test_cvat_sends_the_token_when_it_is_its_namespace(closed, frames):
    namespace = {"x_nuclio_project_name": "cvat", "x_nuclio_function_namespace": TOKEN}
    for path in ("/api/functions", f"/api/functions/{TRACKER}"):
        assert ask(closed + path, **namespace)[0] == 200
    body = {"image": base64_of(frames[0]), "shapes": [RECTANGLE], "states": []}
    assert invoke(closed, TRACKER, body, **namespace)[0] == 200
    assert invoke(closed, TRACKER, body, x_nuclio_function_namespace="nuclio")[0] == 401


def test_what_is_turned_away_is_logged_with_its_reason_and_never_the_token(service, serving, frames, caplog):
    almost = TOKEN[:-1] + "X"
    with caplog.at_level("INFO"), serving(service, token=TOKEN, limits=ServerLimits(body_bytes=1000)) as url:
        assert ask(f"{url}/api/functions", x_nuclio_function_namespace=almost)[0] == 401
        assert invoke(url, TRACKER, b" " * 2000, Authorization=f"Bearer {TOKEN}")[0] == 413
        assert invoke(url, TRACKER, b"{", x_nuclio_function_namespace=TOKEN)[0] == 400
    for reason in ("127.0.0.1 does not have the token", "--max-body-mb", "no valid JSON"):
        assert reason in caplog.text
    assert TOKEN not in caplog.text
    assert almost not in caplog.text


def test_health_needs_no_token(closed):
    assert ask(f"{closed}/healthz")[0] == 200


# Limits --------------------------------------------------------------------------------------------------------------


def connection(url: str) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)


def test_a_request_that_says_it_is_too_large_is_refused_before_it_is_read(service, serving):
    with serving(service, limits=ServerLimits(body_bytes=1000)) as url:
        client = connection(url)
        client.putrequest("POST", "/api/function_invocations")
        client.putheader("Content-Length", str(10**12))
        client.putheader("Content-Type", "application/json")
        client.endheaders()
        assert client.getresponse().status == 413
        client.close()


def test_a_request_that_turns_out_too_large_is_refused(service, serving):
    with serving(service, limits=ServerLimits(body_bytes=1000)) as url:
        client = connection(url)
        parts = (b"x" * 600 for _ in range(3))
        client.request("POST", "/", parts, {**JSON, "Transfer-Encoding": "chunked"}, encode_chunked=True)
        reply = client.getresponse()
        assert reply.status == 413
        assert b"--max-body-mb" in reply.read()
        client.close()


def test_requests_that_wait_share_a_limit_and_free_it_when_they_are_answered(service, serving, frames):
    """64 of the largest ones at once would be gigabytes."""
    body = json.dumps({"image": base64_of(frames[0]), "shapes": [RECTANGLE], "states": []}).encode()
    limits = ServerLimits(body_bytes=len(body), held_bytes=2 * len(body) + 10)
    inside = threading.Semaphore(0)
    answer = service.answer

    def counted(*asked):
        inside.release()
        return answer(*asked)

    service.answer = counted
    with serving(service, limits=limits) as url, ThreadPoolExecutor(2) as pool:
        with service.model.turn():
            waiting = [pool.submit(invoke, url, TRACKER, body) for _ in range(2)]
            assert all(inside.acquire(timeout=60) for _ in waiting)
            status, refusal = invoke(url, TRACKER, body[:100])
            assert status == 503
            assert "--max-waiting-mb" in refusal["message"]
            assert ask(f"{url}/healthz")[0] == 200
        assert [item.result(60)[0] for item in waiting] == [200, 200]
        assert invoke(url, TRACKER, body)[0] == 200


def test_a_request_that_does_not_arrive_in_time_is_given_up(service, serving):
    with serving(service, limits=ServerLimits(body_seconds=0.2)) as url:
        client = connection(url)
        client.putrequest("POST", "/")
        client.putheader("Content-Length", "100")
        client.endheaders(b"{")
        assert client.getresponse().status == 408
        client.close()


def test_a_client_that_hangs_up_leaves_the_server_healthy(url):
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
    time.sleep(0.05)
    assert ask(f"{url}/healthz")[0] == 200


def test_health_is_answered_while_the_model_is_busy(service, serving, frames):
    with serving(service) as url, service.model.turn(), ThreadPoolExecutor(1) as pool:
        body = {"image": base64_of(frames[0]), "shapes": [RECTANGLE], "states": []}
        waiting = pool.submit(invoke, url, TRACKER, body)
        assert ask(f"{url}/healthz")[0] == 200
        assert not waiting.done()
        service.model._turn.release()  # as the end of the block does, so that the request gets its turn
        assert waiting.result(60)[0] == 200
        service.model._turn.acquire()
