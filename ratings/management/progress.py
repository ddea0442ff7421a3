"""How a long import tells how far it is, on a terminal and in a log."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ratings.services.importing import ImportReport

SECONDS_BETWEEN_LINES = 10.0


class ImportProgress:
    """On a terminal a line that changes in place; elsewhere a line every ten seconds, so that logs stay short."""

    def __init__(self, *, label: str, total: int | None = None, console: Console | None = None) -> None:
        self.label = label
        self.total = total
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

    def update(self, report: ImportReport) -> None:
        now = time.monotonic()
        if self.console.is_terminal:
            self.display.update(self.task, completed=report.seen, description=self._sentence(report, now))
        elif now - self.printed_at >= SECONDS_BETWEEN_LINES:
            self.printed_at = now
            self.console.print(self._sentence(report, now), markup=False, highlight=False, soft_wrap=True)

    def _sentence(self, report: ImportReport, now: float) -> str:
        rate = report.seen / max(now - self.started_at, 0.001)
        seen = f"{report.seen:,}" if self.total is None else f"{report.seen:,} of {self.total:,}"
        return f"{self.label}: {seen} pictures, {report.refused:,} refused, {rate:,.0f} a second"
