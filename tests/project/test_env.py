"""Reading the environment, and the key that is made where none is given."""

import errno
import stat
from pathlib import Path
from typing import Any

import pytest

from crossmodal import env


@pytest.mark.parametrize(
    ("value", "expected"), [("1", True), ("Yes", True), ("on", True), ("0", False), ("off", False)]
)
def test_a_flag(monkeypatch: pytest.MonkeyPatch, value: str, expected: bool) -> None:
    monkeypatch.setenv("SOME_FLAG", value)
    assert env.flag("SOME_FLAG", default=not expected) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("", 0), ("0", 0), ("false", 0), ("no", 0), ("1", 1), ("True", 1), ("yes", 1), (" 2 ", 2), ("3", 3)],
)
def test_a_number_of_proxies(monkeypatch: pytest.MonkeyPatch, value: str, expected: int) -> None:
    monkeypatch.setenv("BEHIND_PROXY", value)
    assert env.proxies("BEHIND_PROXY") == expected


@pytest.mark.parametrize("value", ["-1", "1.5", "10", "two", "127.0.0.1", "²"])
def test_a_number_of_proxies_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("BEHIND_PROXY", value)
    with pytest.raises(ValueError, match="write how many proxies stand in front"):
        env.proxies("BEHIND_PROXY")


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOMETHING", "  ")
    assert env.text("SOMETHING", "default") == "default"
    assert env.number("SOMETHING", 7) == 7
    assert env.flag("SOMETHING", default=True) is True
    assert env.words("SOMETHING", "a, b,,") == ["a", "b"]


def test_a_key_is_made_once_and_only_its_owner_can_read_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SECRET_KEY")
    first = env.secret_key(tmp_path / "var")
    assert len(first) >= 50
    assert env.secret_key(tmp_path / "var") == first
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["secret_key"]
    assert stat.S_IMODE((tmp_path / "var" / "secret_key").stat().st_mode) == 0o600


def test_a_key_that_cannot_be_read_is_told_in_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Root reads everything; a folder in its place cannot be read by anybody."""
    monkeypatch.delenv("SECRET_KEY")
    (tmp_path / "secret_key").mkdir()
    with pytest.raises(ValueError, match=r"secret_key cannot be read \(.*set VAR_DIR to a folder of your own"):
        env.secret_key(tmp_path)


def test_a_key_that_finds_no_room_is_told_in_words_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*args: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.delenv("SECRET_KEY")
    monkeypatch.setattr("crossmodal.env.os.link", fail)
    with pytest.raises(ValueError, match=r"cannot be written \(No space left on device\): make room"):
        env.secret_key(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_key_from_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SECRET_KEY", "from the environment")
    assert env.secret_key(tmp_path / "var") == "from the environment"
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", {"": 5.0}),
        ("0", {"": 0.0}),
        ("5,youtube.com=10", {"": 5.0, "youtube.com": 10.0}),
        (" www.YouTube.com. = 2.5 , vimeo.com=0,7", {"": 7.0, "youtube.com": 2.5, "vimeo.com": 0.0}),
        ("youtube.com=10", {"": 5.0, "youtube.com": 10.0}),
    ],
)
def test_pauses_are_read_by_site(monkeypatch: pytest.MonkeyPatch, value: str, expected: dict[str, float]) -> None:
    monkeypatch.setenv("PAUSES", value)
    assert env.pauses("PAUSES", 5) == expected


@pytest.mark.parametrize(
    "value",
    ["soon", "-1", "5s", "1e3", "nan", "inf", "youtube=5", "https://youtube.com=5", "youtube.com=", "=5", "a.b=c"],
)
def test_a_pause_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PAUSES", value)
    with pytest.raises(ValueError, match="PAUSES holds .*write "):
        env.pauses("PAUSES", 5)


def test_seconds_may_have_a_fraction(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.seconds("PAUSE", 1) == 1
    monkeypatch.setenv("PAUSE", "0.5")
    assert env.seconds("PAUSE", 1) == 0.5
    monkeypatch.setenv("PAUSE", "half")
    with pytest.raises(ValueError, match="PAUSE is 'half'; write a number of seconds"):
        env.seconds("PAUSE", 1)


@pytest.mark.parametrize(("value", "name"), [("", ""), ("Lab.Example.org ", "lab.example.org")])
def test_a_site_has_one_name(monkeypatch: pytest.MonkeyPatch, value: str, name: str) -> None:
    monkeypatch.setenv("SITE_NAME", value)
    assert env.site_name() == name


@pytest.mark.parametrize(
    "value", ["https://lab.example.org", "lab.example.org:443", "*.example.org", "a.org,b.org", "localhost"]
)
def test_what_is_no_name_of_a_site_is_told(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SITE_NAME", value)
    with pytest.raises(ValueError, match="write a name alone, as in crossmodal.example.org"):
        env.site_name()
