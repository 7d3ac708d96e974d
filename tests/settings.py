"""Settings of the tests: everything under one temporary folder, never a database or server found by accident."""

import os
import tempfile
from pathlib import Path

_folder = Path(tempfile.mkdtemp(prefix="crossmodal-tests-"))
for _name in ("REDIS_URL", "DATABASE_URL", "S3_BUCKET", "DEBUG", "HTTPS", "BEHIND_PROXY"):
    os.environ.pop(_name, None)
if os.environ.get("TEST_DATABASE_URL"):
    os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]
for _name in [name for name in os.environ if name.startswith("DOWNLOAD_")]:
    del os.environ[_name]
os.environ["VAR_DIR"] = str(_folder)
os.environ["SECRET_KEY"] = "tests-only-" + "x" * 40

from crossmodal.settings import *  # noqa: E402, F403

STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGGING["root"]["level"] = "WARNING"  # noqa: F405
if not os.environ.get("TEST_DATABASE_URL"):
    # In a file, as in production: a database in memory has other locks, and threads and processes cannot share it.
    DATABASES["default"]["TEST"] = {"NAME": str(_folder / "tests.sqlite3")}  # noqa: F405
