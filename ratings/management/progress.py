"""How a long import tells how far it is, on a terminal and in a log."""

import time
from datetime import timedelta
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

SECONDS_BETWEEN_LINES = 10.0


class Report(Protocol):
    """What every import can say of itself while it runs."""

    @property
    def seen(self) -> int: ...

    @property
    def refused(self) -> int: ...


class ImportProgress:
    """On a terminal a line that changes in place; elsewhere a line every ten seconds, so that logs stay short."""

    def __init__(
        self, *, label: str, total: int | None = None, noun: str = "pictures", console: Console | None = None
    ) -> None:
        self.label = label
        self.total = total
        self.noun = noun
        self.console = console or Console(stderr=True)
        self.started_at = self.printed_at = time.monotonic()
        bar = [BarColumn()] if total else []
        columns = [SpinnerColumn(), TextColumn("{task.description}"), *bar, TimeElapsedColumn()]
        self.display = Progress(*columns, console=self.console, disable=not self.console.is_terminal, transient=True)
        self.task = self.display.add_task(label, total=total)

    def __enter__(self) -> Self:
        self.display.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.display.stop()

    def update(self, report: Report) -> None:
        now = time.monotonic()
        if self.console.is_terminal:
            self.display.update(self.task, completed=report.seen, description=self._sentence(report, now))
        elif now - self.printed_at >= SECONDS_BETWEEN_LINES:
            self.printed_at = now
            self.console.print(self._sentence(report, now), markup=False, highlight=False, soft_wrap=True)

    def _sentence(self, report: Report, now: float) -> str:
        rate = report.seen / max(now - self.started_at, 0.001)
        seen = f"{report.seen:,}" if self.total is None else f"{report.seen:,} of {self.total:,}"
        told = f"{self.label}: {seen} {self.noun}, {report.refused:,} refused, {rate:,.0f} a second"
        if self.total is None or not report.seen:
            return told
        return f"{told}, {timedelta(seconds=round((self.total - report.seen) / rate))} left"
