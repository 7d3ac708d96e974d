#!/usr/bin/env python
"""Command line of Crossmodal: `python manage.py help` lists what it can do."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crossmodal.settings")
    from django.conf import settings
    from django.core.management import execute_from_command_line

    try:
        settings.INSTALLED_APPS  # noqa: B018  (reads the settings)
    except ValueError as error:  # a variable of the environment that cannot be used
        sys.exit(f"Crossmodal cannot start: {error}")
    try:
        execute_from_command_line(sys.argv)
    except Exception as error:
        from pipeline.stages.disk import explain_full

        if (full := explain_full(error)) is None:
            raise
        sys.exit(full.message)


if __name__ == "__main__":
    main()
