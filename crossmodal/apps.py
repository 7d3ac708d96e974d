from django.apps import AppConfig


class CrossmodalConfig(AppConfig):
    name = "crossmodal"

    def ready(self) -> None:
        from crossmodal import checks  # noqa: F401  (registers itself)
