"""Django's settings, with those names of edx-platform that the component reads."""

import json
import os
from pathlib import Path

URL = os.environ["INTEROP_URL"]
SCHOOL = os.environ["INTEROP_SCHOOL"]
FORM = json.loads(os.environ["INTEROP_FORM"])

ALLOWED_HOSTS = ["127.0.0.1"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
DEBUG_PROPAGATE_EXCEPTIONS = True  # into the log
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": Path(os.environ["INTEROP_DATA"]) / "openedx.sqlite3",
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "rest_framework",
    "django_filters",
    "lti_consumer",
    "interop.openedx.apps.EdxPlatform",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "crum.CurrentRequestUserMiddleware",
    "edx_django_utils.cache.middleware.RequestCacheMiddleware",
    "edx_django_utils.cache.middleware.TieredCacheMiddleware",
]
ROOT_URLCONF = "interop.openedx.views"
SECRET_KEY = "of this one run, on this machine alone"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
USE_TZ = True

# Names of edx-platform.
LMS_ROOT_URL = URL
PLATFORM_NAME = "Open edX beside Clauseway"
SERVICE_VARIANT = "lms"
USAGE_ID_PATTERN = r"(?P<usage_id>[^/]+)"
