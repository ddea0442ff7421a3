"""Every app's invariants together, for the nightly task and the command."""

from collections.abc import Iterator
from itertools import chain

import structlog

from exports import invariants as exports_invariants
from kudos import invariants as kudos_invariants
from ratings import invariants as ratings_invariants

log = structlog.get_logger(__name__)


def find_violations() -> Iterator[str]:
    """Yield a sentence for everything that must be true and is not."""
    return chain(
        kudos_invariants.find_violations(), ratings_invariants.find_violations(), exports_invariants.find_violations()
    )


def report_violations() -> int:
    """Log every violation as an error; return how many there are."""
    count = 0
    for sentence in find_violations():
        log.error("invariant_violated", what=sentence)
        count += 1
    return count
