"""Static files under hashed names, also where one of this project's ES modules imports another."""

from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage

OWN_MODULES = "js/*.js"


class StaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    manifest_strict = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Other apps bring scripts whose imports a bundler would resolve; only this project's are meant for browsers.
        _, substitutions = self._js_module_import_aggregation_patterns
        self.patterns = (*self.patterns, (OWN_MODULES, substitutions))
        super().__init__(*args, **kwargs)
