from types import SimpleNamespace
from typing import Any

import pytest

from crossmodal import server
from crossmodal.exposure import is_loopback, sentence


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_nothing_is_said_where_this_machine_alone_reaches_it(host):
    assert is_loopback(host)
    assert sentence(host, behind_proxy=False) == ""


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.4", "lab.example.org", "fe80::1"])
def test_it_says_that_others_reach_it_without_encryption(host):
    said = sentence(host, behind_proxy=False)
    assert said.startswith("Others can reach these pages")
    assert "without encryption" in said
    assert "Put a proxy with HTTPS in front" in said
    assert sentence(host, behind_proxy=True).startswith("Pages are trusted to come through a proxy")


@pytest.mark.parametrize(
    ("addresses", "proxies", "lines"),
    [
        ([("127.0.0.1", 8000)], "0", []),
        (["/run/web.sock"], "0", []),
        ([("0.0.0.0", 8000)], "0", [sentence("0.0.0.0", behind_proxy=False)]),
        ([("127.0.0.1", 1), ("::", 1)], "2", [sentence("::", behind_proxy=True)]),
    ],
    ids=["this machine", "a socket", "everybody", "behind a proxy"],
)
def test_the_web_server_says_it_in_its_log(monkeypatch, addresses, proxies, lines):
    said: list[str] = []
    gunicorn: Any = SimpleNamespace(cfg=SimpleNamespace(address=addresses), log=SimpleNamespace(warning=said.append))
    monkeypatch.setenv("BEHIND_PROXY", proxies)
    server.when_ready(gunicorn)
    assert said == lines
