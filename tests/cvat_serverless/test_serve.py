"""The command ``sam2v serve cvat``."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

uvicorn = pytest.importorskip("uvicorn")
from cvat_serverless import functions, serve  # noqa: E402
from src_model.errors import RequestError  # noqa: E402

TOKEN = "a token of enough letters"


@pytest.fixture
def started(monkeypatch, service):
    """Holds the settings and servers that were started, none of which runs."""
    seen: list[object] = []

    def make(settings):
        seen.append(settings)
        return service

    monkeypatch.setattr(functions, "make_service", make)
    monkeypatch.setattr(uvicorn.Server, "run", lambda self: seen.append(self.config))
    return seen


def run(*arguments: str, **environment: str):
    app = typer.Typer()
    app.command()(serve.serve_cvat)
    return CliRunner().invoke(app, arguments, env=environment)


def test_it_listens_on_this_computer_alone(started):
    assert run().exit_code == 0
    settings, config = started
    assert (config.host, config.port) == ("127.0.0.1", 8070)
    assert settings.model == "default"


def test_elsewhere_it_wants_a_token_before_a_model_is_loaded(started):
    result = run("--host", "0.0.0.0")
    assert isinstance(result.exception, RequestError)
    assert started == []
    assert run("--host", "0.0.0.0", SAM2V_TOKEN=TOKEN).exit_code == 0


def test_states_are_bound_to_the_token_unless_there_is_a_secret(started):
    run("--token", TOKEN)
    run("--token", TOKEN, "--state-secret", "other")
    assert [settings.state_secret for settings in started[::2]] == [TOKEN, "other"]


def test_its_options_reach_the_service(started):
    run(
        "--model", "m", "--device", "cpu", "--image-size", "256", "--cache-mb", "7", "--store-mb", "8", "--max-age", "1"
    )
    settings = started[0]
    assert (settings.model, settings.device, settings.image_size) == ("m", "cpu", 256)
    assert (settings.cache_mb, settings.store_mb, settings.max_age_hours) == (7, 8, 1.0)


def test_a_setting_that_makes_no_sense_is_refused(started):
    assert isinstance(run("--wait", "0").exception, RequestError)
    assert started == []


def test_requests_under_way_are_finished_when_it_is_told_to_stop(started):
    run()
    assert started[1].timeout_graceful_shutdown >= 100
