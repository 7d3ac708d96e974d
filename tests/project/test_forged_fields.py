"""Fields that only a proxy may set, sent by clients to the real web server."""

from collections.abc import Iterator

import pytest

from tests.project.door import Door, opened

LOGIN = "/accounts/login/"
WAY_TO_LOGIN = "location: /accounts/login/?next=/\r\n"


@pytest.fixture(scope="module", params=["0", "1"], ids=["without a proxy", "behind a proxy"])
def door(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("door")
    settings = {"DJANGO_SETTINGS_MODULE": "tests.project.server_settings", "VAR_DIR": str(folder)}
    with opened(folder, BEHIND_PROXY=request.param, **settings) as door:
        yield door
        assert "Traceback" not in door.log
        assert "ERROR" not in door.log


@pytest.mark.parametrize("name", ["SCRIPT_NAME", "script_name", "SCRIPT-NAME", "PATH_INFO", "X_Forwarded_Proto"])
@pytest.mark.parametrize("value", ["/accounts", "/none", "//other.example", "/"])
def test_no_field_moves_the_path_or_the_way_back(door: Door, name: str, value: str) -> None:
    assert door.ask(LOGIN, f"{name}: {value}").status == 200
    answer = door.ask("/", f"{name}: {value}")
    assert answer.status == 302
    assert WAY_TO_LOGIN in answer.fields.lower()


def test_fields_that_contradict_each_other_hinder_nobody(door: Door) -> None:
    assert (
        door.ask(LOGIN, "X-Forwarded-Proto: https", "X-Forwarded-Ssl: off", "X-Forwarded-Protocol: ssl").status == 200
    )


def test_only_a_trusted_proxy_tells_the_scheme(door: Door, request: pytest.FixtureRequest) -> None:
    behind_proxy = "behind" in request.node.callspec.id
    schemes = {door.ask("/scheme", f"X-Forwarded-{name}").body.decode() for name in ("Ssl: on", "Protocol: ssl")}
    assert schemes == {"http"}
    assert door.ask("/scheme", "X-Forwarded-Proto: https").body.decode() == ("https" if behind_proxy else "http")
