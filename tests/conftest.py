"""Fixtures of the whole suite, and the rule that no skip goes unnoticed where it matters."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from pipeline.policies import label_policies
from tests.factories import Factory

if TYPE_CHECKING:
    from tests.youtube.site import Tube

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: Any, call: Any) -> Any:
    """With CROSSMODAL_NO_SKIPS=1 a skipped test is a failed one."""
    report = yield
    if report.skipped and os.environ.get("CROSSMODAL_NO_SKIPS") == "1":
        report.outcome = "failed"
        report.longrepr = f"Skipped where skips are failures: {report.longrepr}"
    return report


@pytest.fixture
def shared_data() -> Path:
    if not SHARED_DATA.is_dir():
        pytest.skip(f"the shared test data is not there ({SHARED_DATA})")
    return SHARED_DATA


@pytest.fixture(autouse=True)
def _own_files(settings: Any, tmp_path: Path) -> None:
    """Each test has its own file storage."""
    folder = tmp_path / "files"
    settings.MEDIA_ROOT = folder
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "crossmodal.storage.FolderStorage", "OPTIONS": {"location": folder}},
    }


@pytest.fixture
def factory(db: None) -> Factory:
    return Factory()


@pytest.fixture
def admin(factory: Factory) -> User:
    return factory.make_user("ada", role="admin")


@pytest.fixture
def annotator(factory: Factory) -> User:
    return factory.make_user("ann", role="annotator")


@pytest.fixture
def admin_client(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


@pytest.fixture
def annotator_client(annotator: User) -> Client:
    client = Client()
    client.force_login(annotator)
    return client


@pytest.fixture
def strict_policy(settings: Any) -> Iterator[None]:
    """A label policy of the settings besides the built-in ones."""
    label_policies.cache_clear()
    settings.LABEL_POLICIES = {"strict": {"base": "seed-2019", "min_abs_mean": 0.5}}
    yield
    label_policies.cache_clear()


@pytest.fixture
def mine(settings: Any) -> Any:
    """Settings with a further label policy, “mine”."""
    label_policies.cache_clear()
    settings.LABEL_POLICIES = {"mine": {"base": "seed-2019", "min_abs_mean": 0.6}}
    yield settings
    label_policies.cache_clear()


@pytest.fixture
def tube(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Iterator[Tube]":
    """YouTube on loopback. Whatever goes through the proxy `tube.proxy` reaches it, and nothing else."""
    from tests import fake_youtube  # loads what makes certificates and speech; few tests need it

    with fake_youtube.serving(tmp_path) as tube:
        monkeypatch.setenv("SSL_CERT_FILE", str(tube.authority))
        yield tube
