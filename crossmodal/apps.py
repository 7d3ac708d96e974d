from django.apps import AppConfig

from crossmodal import env
from crossmodal.processes import make_forks_die_with_parent


class CrossmodalConfig(AppConfig):
    name = "crossmodal"

    def ready(self) -> None:
        from crossmodal import checks  # noqa: F401  (registers itself)

        if env.flag("CROSSMODAL_SUPERVISED"):
            make_forks_die_with_parent()
