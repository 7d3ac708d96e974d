"""Starting the web server, or any command, does not load what only a page with figures needs."""

import subprocess
import sys

from tests.conftest import ROOT

LOADED = """
import django, sys
django.setup()
import crossmodal.urls
print(*(name for name in ("plotly", "sklearn") if name in sys.modules))
"""


def test_the_addresses_load_neither_plotly_nor_scikit_learn() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        cwd=ROOT,
        env={"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == []
