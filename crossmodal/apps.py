from django.apps import AppConfig


class CrossmodalConfig(AppConfig):
    name = "crossmodal"
