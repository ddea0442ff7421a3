from pathlib import Path

from django.apps import AppConfig
from django.conf import settings

from config.catalogues.compiling import compile_stale_catalogues


class ConfigConfig(AppConfig):
    """The project itself: its checks and its commands."""

    name = "config"
    verbose_name = "Kudoscope"

    def ready(self) -> None:
        from config import celery, checks  # noqa: F401 - checks register themselves

        compile_stale_catalogues(map(Path, settings.LOCALE_PATHS))

        # Of all threads: the one of this import is not the one that will send a task.
        celery.app.set_default()
