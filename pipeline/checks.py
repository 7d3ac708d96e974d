"""What is checked before a server, a worker or a command starts."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured

from pipeline.download_settings import unusable_here, wrong_settings
from pipeline.policies import label_policies

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
