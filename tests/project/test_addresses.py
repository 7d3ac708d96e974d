"""The address of a client is what the trusted proxies wrote, never what the client wrote itself."""

import logging
from typing import Any

import pytest
from django.test import RequestFactory

from crossmodal import addresses
from crossmodal.addresses import client_address, customer_of, parse_address

PEER = "192.0.2.1"


def address(settings: Any, proxies: int, forwarded: str | None, peer: str = PEER) -> str:
    settings.TRUSTED_PROXIES = proxies
    headers: Any = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    return str(client_address(RequestFactory().get("/", REMOTE_ADDR=peer, **headers)))


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, None, PEER),
        (0, "203.0.113.9", PEER),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1,198.51.100.2,203.0.113.9", "203.0.113.9"),
        (1, "evil\t, ,,203.0.113.9 ", "203.0.113.9"),
        (2, "203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (3, "198.51.100.1, 203.0.113.9, 10.0.0.2, 10.0.0.3", "203.0.113.9"),
        (1, "203.0.113.9:4711", "203.0.113.9"),
        (1, "[2001:db8::1]:443", "2001:db8::1"),
        (1, "[2001:db8::1]", "2001:db8::1"),
        (1, '"[2001:db8::1]:443"', "2001:db8::1"),
        (1, "fe80::1%eth0", "fe80::1"),
        (1, "::ffff:203.0.113.9", "203.0.113.9"),
        (1, "[::ffff:cb00:7109]:1", "203.0.113.9"),
        (1, "64:ff9b::203.0.113.9", "203.0.113.9"),
        (1, "2002:cb00:7109:1234::1", "203.0.113.9"),
    ],
)
def test_it_is_the_entry_that_the_outermost_trusted_proxy_wrote(settings, proxies, forwarded, expected):
    assert address(settings, proxies, forwarded) == expected


@pytest.mark.parametrize(
    ("proxies", "forwarded"),
    [
        (1, None),
        (1, ""),
        (1, "203.0.113.9,"),
        (1, "203.0.113.9, unknown"),
        (1, "203.0.113.9, _hidden"),
        (1, "203.0.113.009"),
        (1, "203.0.113.9 198.51.100.1"),
        (1, "203.0.113.9;198.51.100.1"),
        (1, "[203.0.113.9"),
        (1, "203.0.113.9:port"),
        (1, "1" * 100_000),
        (1, "," * 100_000),
        (1, "\u0661.2.3.4"),
        (2, "203.0.113.9"),
        (3, "203.0.113.9, 10.0.0.2"),
    ],
)
def test_a_header_that_is_shorter_than_promised_or_malformed_leaves_the_connection(settings, proxies, forwarded):
    assert address(settings, proxies, forwarded) == PEER


def test_a_unix_socket_has_no_address(settings):
    assert address(settings, 0, "203.0.113.9", peer="") == "None"
    assert address(settings, 1, "203.0.113.9", peer="") == "203.0.113.9"


def test_a_broken_header_is_told_once_and_without_what_it_holds(settings, caplog):
    addresses._warn.cache_clear()
    with caplog.at_level(logging.WARNING):
        for n in range(3):
            address(settings, 1, f"forged {n}")
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "BEHIND_PROXY=1" in caplog.text
    assert "forged" not in caplog.text


def test_a_proxy_that_the_settings_do_not_know_is_told_once(settings, caplog):
    addresses._warn.cache_clear()
    for _ in range(3):
        address(settings, 0, "203.0.113.9")
    assert caplog.text.count("set BEHIND_PROXY") == 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("64:ff9b::192.0.2.1", "64:ff9b::192.0.2.2", False),
    ],
)
def test_a_customer_of_a_network_has_an_address_of_ipv4_or_a_64_of_ipv6(one, other, same):
    assert (customer_of(parse_address(one)) == customer_of(parse_address(other))) is same
