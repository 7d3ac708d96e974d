"""Settings of a real web server in a test: as in production, but for what costs the test time."""

from crossmodal.settings import *  # noqa: F403

STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
PASSWORD_HASHERS = ["tests.project.sign_in.PatientHasher"]
