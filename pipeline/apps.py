from django.apps import AppConfig


class PipelineConfig(AppConfig):
    name = "pipeline"

    def ready(self) -> None:
        from pipeline import checks, own_jobs  # noqa: F401  (checks registers itself)

        own_jobs.guard()
