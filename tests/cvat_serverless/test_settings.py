"""Settings from the environment."""

from __future__ import annotations

import pytest

from cvat_serverless.settings import ServiceSettings
from src_model.errors import RequestError


def test_what_is_not_set_has_its_default():
    assert ServiceSettings.from_environment({"SAM2V_MODEL": "", "HOME": "/"}) == ServiceSettings()


def test_every_setting_is_a_variable():
    environment = {"SAM2V_MODEL": "m", "SAM2V_STORE_MB": "12", "SAM2V_WAIT_SECONDS": "1.5", "SAM2V_REDIS": "redis://r"}
    settings = ServiceSettings.from_environment(environment)
    assert (settings.model, settings.store_mb, settings.wait_seconds, settings.redis) == ("m", 12, 1.5, "redis://r")


@pytest.mark.parametrize("name", ["SAM2V_STORE_MB", "SAM2V_MAX_MEGAPIXELS"])
def test_a_number_that_is_none_is_named(name):
    with pytest.raises(RequestError, match=f"{name} is 'lots'"):
        ServiceSettings.from_environment({name: "lots"})


@pytest.mark.parametrize("value", ["0", "-1", "nan"])
def test_a_number_that_makes_no_sense_is_refused(value):
    with pytest.raises(RequestError, match="max_age_hours"):
        ServiceSettings.from_environment({"SAM2V_MAX_AGE_HOURS": value})
