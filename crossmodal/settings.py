"""Settings of Crossmodal, all from the environment; docs/operations.md lists the variables.

Without any variable set, everything runs on one machine: SQLite, a private Valkey on a Unix socket
and files, all under ``var/``.
"""

from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONCE, NONE, SELF

from crossmodal import env

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.text("VAR_DIR", str(BASE_DIR / "var"))).resolve()

DEBUG = env.flag("DEBUG")
SECRET_KEY = env.secret_key(VAR_DIR)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
if (_site := env.site_name()) and _site not in ALLOWED_HOSTS:
    ALLOWED_HOSTS.append(_site)
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "crossmodal",
    "pipeline",
    "annotation",
    "evaluation",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "csp",
    "django_htmx",
    "django_rq",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "crossmodal.admin_pages.PageMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "crossmodal.bodies.BodyMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "crossmodal.urls"
WSGI_APPLICATION = "crossmodal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "crossmodal.roles.context",
            ],
            "builtins": ["crossmodal.templatetags.display"],
        },
    },
]

# ---------------------------------------------------------------- database

_database_url = env.text("DATABASE_URL")
if _database_url:
    _database: dict[str, Any] = dict(
        dj_database_url.parse(
            _database_url, conn_max_age=60, conn_health_checks=True, ssl_require=env.flag("DATABASE_SSL")
        )
    )
else:
    _database = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": VAR_DIR / "crossmodal.sqlite3",
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=30000;",
        },
    }
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ---------------------------------------------------------------- queues

REDIS_URL = env.text("REDIS_URL", f"unix://{env.socket_path(VAR_DIR)}")
EMBEDDED_VALKEY = not env.text("REDIS_URL")
RQ_QUEUES = {
    "download": {"URL": REDIS_URL, "DEFAULT_TIMEOUT": 3600, "SERIALIZER": "rq.serializers.JSONSerializer"},
    "compute": {"URL": REDIS_URL, "DEFAULT_TIMEOUT": 6 * 3600, "SERIALIZER": "rq.serializers.JSONSerializer"},
}
RQ = {"WORKER_CLASS": "pipeline.workers.PipelineWorker"}

# ---------------------------------------------------------------- files

MEDIA_ROOT = Path(env.text("MEDIA_ROOT", str(VAR_DIR / "files")))
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "crossmodal.storage.FolderStorage", "OPTIONS": {"location": MEDIA_ROOT}},
    "staticfiles": {"BACKEND": "crossmodal.storage.StaticStorage"},
}
if _bucket := env.text("S3_BUCKET"):
    # Keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, as every S3 client reads them.
    STORAGES["default"] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": _bucket,
            "endpoint_url": env.text("S3_ENDPOINT_URL") or None,
            "region_name": env.text("S3_REGION") or None,
            "location": env.text("S3_PREFIX"),
            "default_acl": "private",
            "querystring_auth": True,
            "file_overwrite": False,
        },
    }
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
# Of forms without their files. crossmodal.bodies says who may send how much, and where.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
# A recording and its captions.
DATA_UPLOAD_MAX_NUMBER_FILES = 2
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "crossmodal.upload_room.RoomyUploadHandler",
]
FILE_UPLOAD_TEMP_DIR = env.text("FILE_UPLOAD_TEMP_DIR") or None
# A folder in it for each process, which crossmodal.scratch makes and removes.
SCRATCH_DIR = (VAR_DIR / "scratch").resolve()  # it may be a link to a larger disk
UPLOAD_SCRATCH_DIR = Path(FILE_UPLOAD_TEMP_DIR) / "crossmodal-scratch" if FILE_UPLOAD_TEMP_DIR else SCRATCH_DIR

# ---------------------------------------------------------------- downloads

# Hosts (and their subdomains) whose pages may be fetched; what such a page names as its recording may lie elsewhere.
DOWNLOAD_ALLOWED_HOSTS = env.words(
    "DOWNLOAD_ALLOWED_HOSTS", "youtube.com,youtu.be,youtube-nocookie.com,vimeo.com,dailymotion.com,ted.com,archive.org"
)
# The demonstration corpus is served from this machine at exactly this origin, and nowhere else.
DEMO_SITE_PORT = env.number("DEMO_SITE_PORT", 8799)
DEMO_SITE_ORIGIN = f"http://127.0.0.1:{DEMO_SITE_PORT}"
# Origins on a private network that may be fetched too, each exactly as written, as in http://media.lab.example:8080.
DOWNLOAD_PRIVATE_ORIGINS = env.words("DOWNLOAD_PRIVATE_ORIGINS")
# Read by pipeline.download_settings, and checked at the start: docs/operations.md explains them.
DOWNLOAD_COOKIES = env.text("DOWNLOAD_COOKIES")
DOWNLOAD_PROXY = env.text("DOWNLOAD_PROXY")
DOWNLOAD_PLAYER_CLIENTS = env.words("DOWNLOAD_PLAYER_CLIENTS")
DOWNLOAD_JS_RUNTIME = env.text("DOWNLOAD_JS_RUNTIME")
# Seconds between two downloads from one site, by site; "" is every other one.
DOWNLOAD_PAUSE_S = env.pauses("DOWNLOAD_PAUSE_S", 5)
# Seconds between two requests while a video is looked up.
DOWNLOAD_REQUEST_PAUSE_S = env.seconds("DOWNLOAD_REQUEST_PAUSE_S", 1)
# Label policies besides seed-2019 and recommended: name to parameters, see docs/method.md.
LABEL_POLICIES = env.mapping("LABEL_POLICIES")

# Memory of one compute job; 0 is half of what the machine or its container has. Checked at the start.
MAX_JOB_MEMORY_BYTES = env.number("MAX_JOB_MEMORY_BYTES", 0)
MAX_VIDEO_DURATION_S = env.number("MAX_VIDEO_DURATION_S", 4 * 3600)
MAX_VIDEO_BYTES = env.number("MAX_VIDEO_BYTES", 2 * 1024**3)
MAX_UPLOAD_BYTES = env.number("MAX_UPLOAD_BYTES", 2 * 1024**3)

# ---------------------------------------------------------------- people

AUTHENTICATION_BACKENDS = ["crossmodal.roles.RoleBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "crossmodal.passwords.MaximumLengthValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

# ---------------------------------------------------------------- security

HTTPS = env.flag("HTTPS", default=bool(_site))
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
# How many proxies in a row stand in front; crossmodal.addresses takes the client's address from what they write.
TRUSTED_PROXIES = env.proxies("BEHIND_PROXY")
# Threads of a web process, see crossmodal.server; crossmodal.throttle leaves some of them to pages.
WEB_THREADS = env.number("WEB_THREADS", 8)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "media-src": [SELF, "blob:"],
        # The waveform brings a style element inside its shadow root; pages that show one give it their nonce.
        "style-src": [SELF, NONCE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
    },
}

# ---------------------------------------------------------------- language and logs

LANGUAGE_CODE = "en"
TIME_ZONE = env.text("TIME_ZONE", "UTC")
USE_I18N = False
USE_TZ = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {"few_lines": {"()": "crossmodal.few_lines.FewLines"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["few_lines"]}},
    "root": {"handlers": ["stderr"], "level": env.text("LOG_LEVEL", "INFO")},
    "loggers": {"django.server": {"level": "WARNING"}},
}
