"""What the tests of signing in share: guesses, a clock that they set, and a count of the passwords that are hashed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from crossmodal import throttle

PASSWORD = "correct horse battery"
STRANGER = "198.51.100.7"


def sign_in(client: Client, name: str, password: str = PASSWORD, address: str = "127.0.0.1") -> Any:
    return client.post(reverse("login"), {"username": name, "password": password}, REMOTE_ADDR=address)


def guess(name: str, times: int = 1, address: str = STRANGER, client: Client | None = None) -> list[int]:
    """Wrong passwords, one after the other, from a browser without cookies; returns the statuses."""
    client = client or Client()
    return [sign_in(client, name, f"wrong {n}", address).status_code for n in range(times)]


def spend(name: str, address: str) -> bool:
    """A guess as the form counts it, without a page; returns whether a password would have been hashed."""
    request = RequestFactory().post("/", REMOTE_ADDR=address)
    return throttle.spend(throttle.sign_in_budgets(request, name)) == 0


def spend_from_many(name: str, addresses: int = 15, each: int = 8) -> int:
    """Guesses for one account from so many addresses; returns how many would have been hashed."""
    return sum(spend(name, f"203.0.{n}.1") for n in range(addresses) for _ in range(each))


def page_of(response: HttpResponse) -> str:
    return response.content.decode()


class PatientHasher(MD5PasswordHasher):
    """Takes as long as a real one, so that guesses meet, but no processor."""

    def encode(self, password: str, salt: str) -> str:
        time.sleep(0.3)
        return super().encode(password, salt)


class Clock:
    """The throttle's time, which stands still until a test moves it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_ms = throttle._now_ms()
        monkeypatch.setattr(throttle, "_now_ms", lambda: self.now_ms)

    def wait(self, seconds: float) -> None:
        self.now_ms += int(seconds * 1000)


@contextmanager
def counted_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every password that the tests' hasher is given meanwhile, also those that unknown names cost."""
    hashed: list[str] = []
    encode = MD5PasswordHasher.encode

    def counting(self: Any, password: str, *args: Any, **kwargs: Any) -> str:
        hashed.append(password)
        return encode(self, password, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(MD5PasswordHasher, "encode", counting)
        yield hashed
