"""A circuit breaker: what does not answer is left alone for a while, and tried by one call for all."""

import time


class Breaker:
    """After ``failures`` in a row, do not ask for ``seconds``; then let one call try for all.

    One for each service and process. Counting is not exact between threads, and need not be.
    """

    def __init__(self, *, failures: int = 3, seconds: float = 2.0) -> None:
        self.failures_before_opening = failures
        self.open_seconds = seconds
        self.failure_count = 0
        self.open_until = 0.0

    def is_left_alone(self) -> bool:
        """Return whether nobody is to ask just now, without becoming the call that tries for all."""
        return time.monotonic() < self.open_until

    def is_open(self) -> bool:
        """Return whether not to ask. Who gets False has to ask and to record how it went: others wait for that."""
        now = time.monotonic()
        if now < self.open_until:
            return True
        if self.failure_count >= self.failures_before_opening:
            # This call is the one that tries; the others learn from it.
            self.open_until = now + self.open_seconds
        return False

    def record_success(self) -> None:
        self.failure_count = 0
        self.open_until = 0.0

    def record_failure(self) -> None:
        self.failure_count += 1
        if self.failure_count >= self.failures_before_opening:
            self.open_until = time.monotonic() + self.open_seconds
