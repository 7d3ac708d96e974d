"""What is checked before a server, a worker or a command starts."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured

from pipeline.download_settings import unusable_here, wrong_settings
from pipeline.job_limits import MIN_MEMORY_BYTES
from pipeline.policies import label_policies

MIN_LIMIT_BYTES = 1_000_000
SEE_LIMITS = "See “Limits of a job” in docs/operations.md."
SEE_DOWNLOADS = "See “Downloads” in docs/operations.md."


@register("settings")
def check_label_policies(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """A wrong policy shall be told at the start, not by the first video that is labelled."""
    try:
        label_policies()
    except ImproperlyConfigured as error:
        return [Error(str(error), hint="See “Further policies” in docs/method.md.", id="pipeline.E001")]
    return []


@register("settings")
def check_downloads(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Errors for values that cannot mean anything; warnings for files that may lie on the download workers only."""
    wrong = [Error(f"{name}: {why}", hint=SEE_DOWNLOADS, id="pipeline.E002") for name, why in wrong_settings()]
    missing = [Warning(f"{name}: {why}", hint=SEE_DOWNLOADS, id="pipeline.W001") for name, why in unusable_here()]
    return [*wrong, *missing]


@register("settings")
def check_job_limits(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Limits under which no job could end are told at the start, not by each video."""
    found: list[CheckMessage] = []
    memory = settings.MAX_JOB_MEMORY_BYTES
    if memory and memory < MIN_MEMORY_BYTES:
        told = f"MAX_JOB_MEMORY_BYTES is {memory}; write a number of bytes, {MIN_MEMORY_BYTES} or more, or nothing."
        found.append(Error(told, hint=SEE_LIMITS, id="pipeline.E003"))
    for name in ("MAX_VIDEO_BYTES", "MAX_UPLOAD_BYTES"):
        if (value := getattr(settings, name)) < MIN_LIMIT_BYTES:
            told = f"{name} is {value}; write a number of bytes, {MIN_LIMIT_BYTES} or more."
            found.append(Error(told, hint=SEE_LIMITS, id="pipeline.E003"))
    if settings.MAX_VIDEO_DURATION_S < 1:
        told = f"MAX_VIDEO_DURATION_S is {settings.MAX_VIDEO_DURATION_S}; write a number of seconds, 1 or more."
        found.append(Error(told, hint=SEE_LIMITS, id="pipeline.E003"))
    return found
