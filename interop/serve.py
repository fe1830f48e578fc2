"""Serve one platform, from its own environment: ``python -m interop.serve openedx 8001``."""

import os
import sys

import django
from django.core.management import call_command


def main(name: str, port: str) -> None:
    """Make its tables and answer at ``port`` of this machine until it is told to end."""
    os.environ["DJANGO_SETTINGS_MODULE"] = f"interop.{name}.settings"
    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    call_command("runserver", f"127.0.0.1:{port}", use_reloader=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
