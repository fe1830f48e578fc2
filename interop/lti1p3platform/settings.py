"""Django's settings for the platform."""

import os
from pathlib import Path

URL = os.environ["INTEROP_URL"]
TOOL_URL = os.environ["INTEROP_TOOL_URL"]
SCHOOL = os.environ["INTEROP_SCHOOL"]

ALLOWED_HOSTS = ["127.0.0.1"]
DEBUG_PROPAGATE_EXCEPTIONS = True  # into the log
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": Path(os.environ["INTEROP_DATA"]) / "lti1p3platform.sqlite3",
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
INSTALLED_APPS = ["interop.lti1p3platform"]
ROOT_URLCONF = "interop.lti1p3platform.views"
SECRET_KEY = "of this one run, on this machine alone"
USE_TZ = True
