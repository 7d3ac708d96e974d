"""Fixtures of the whole suite, and the rule that no skip goes unnoticed where it matters."""

import os
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.factories import Factory

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
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": folder}},
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
