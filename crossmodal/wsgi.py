"""WSGI entry point, served by gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

from crossmodal.content_types import with_plain_content_types

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crossmodal.settings")

application = with_plain_content_types(get_wsgi_application())
