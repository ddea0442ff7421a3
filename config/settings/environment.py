"""The environment that settings are read from; what is wrong with a variable is said with its name."""

from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

KINDS = {int: "a whole number", float: "a number"}


class Environment(environ.Env):
    """As django-environ, which says what it cannot read, and not of which variable."""

    def get_value(self, var: Any, cast: Any = None, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().get_value(var, cast, *args, **kwargs)
        except ValueError as error:
            kind = KINDS.get(cast, "something else")
            raise ImproperlyConfigured(f"{var} is {self.ENVIRON[var]!r}; it must be {kind}.") from error

    def choice(self, var: str, default: str, *, among: tuple[str, ...]) -> str:
        """Return one of a few words; ImproperlyConfigured names them for any other."""
        word = str(self.str(var, default))
        if word not in among:
            raise ImproperlyConfigured(f"{var} is {word!r}; it must be one of: {', '.join(among)}.")
        return word

    def at_least(self, var: str, default: int, *, least: int) -> int:
        """Return a whole number; ImproperlyConfigured for one below ``least``."""
        number = int(self.int(var, default))
        if number < least:
            raise ImproperlyConfigured(f"{var} is {number}; it must be {least} or more.")
        return number
