from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """The project itself: its checks and its commands."""

    name = "config"
    verbose_name = "Kudoscope"

    def ready(self) -> None:
        from config import checks  # noqa: F401 - registers itself
