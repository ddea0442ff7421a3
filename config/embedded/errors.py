"""What the embedded servers say to the person at the terminal."""

OWN_SERVERS = "set DATABASE_URL and REDIS_URL to servers of your own"


class EmbeddedError(Exception):
    """One sentence: what is wrong, and what to do instead. Shown without a traceback."""
