from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """The project itself: its checks and its commands."""

    name = "config"
    verbose_name = "Kudoscope"

    def ready(self) -> None:
        from config import celery, checks  # noqa: F401 - checks register themselves

        # Of all threads: the one of this import is not the one that will send a task.
        celery.app.set_default()
