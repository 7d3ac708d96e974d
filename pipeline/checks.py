"""What is checked before a server, a worker or a command starts."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from pipeline.policies import label_policies


@register("settings")
def check_label_policies(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """A wrong policy shall be told at the start, not by the first video that is labelled."""
    try:
        label_policies()
    except ImproperlyConfigured as error:
        return [Error(str(error), hint="See “Further policies” in docs/method.md.", id="pipeline.E001")]
    return []
