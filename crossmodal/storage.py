"""Static files under hashed names, also where one of this project's ES modules imports another."""

from whitenoise.storage import CompressedManifestStaticFilesStorage as Base

# Other apps bring scripts whose imports a bundler would resolve; only this project's are meant for browsers.
OWN_MODULES = "js/*.js"


class StaticStorage(Base):  # type: ignore[misc]
    manifest_strict = False
    patterns = (*Base.patterns, (OWN_MODULES, Base._js_module_import_aggregation_patterns[1]))
