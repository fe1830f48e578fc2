"""Puts edx-platform's names where the component looks for them."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class EdxPlatform(AppConfig):
    """The few tables and modules that edx-platform would bring."""

    name = "interop.openedx"
    label = "edx_platform"

    def ready(self) -> None:
        """Imports here, because models can be imported only once Django knows every app."""
        from interop.openedx import edx_platform

        edx_platform.install()
        post_migrate.connect(edx_platform.enrol, sender=self)
