"""Settle a million pending rewards of twenty thousand raters, against plain SQL that only adds them up."""

import time
from datetime import timedelta

from django.utils import timezone

from kudos.invariants import find_violations
from ratings.services.settlement import settle_rewards
from tests.benchmarks.data import fetch, make_callers, make_dataset, settle_down
from tests.benchmarks.data import run as execute

REWARDS, RATERS = 1_000_000, 20_000


def run(*, rewards: int = REWARDS) -> list[str]:
    """Print seconds; the target is 15 for a million."""
    dataset = make_dataset("settled", number=4, image_count=rewards // RATERS)
    make_callers(RATERS, prefix="earner")
    execute(
        """
        INSERT INTO ratings_rating (dataset_id, image_id, rater_id, is_shared, aesthetic, state, created_at, reward,
            proof, is_late, client_agent, address_hash, country, scale_version, rater_is_trusted,
            rater_rating_count, rater_challenges_failed)
        SELECT i.dataset_id, i.id, t.id, false, 5, 'counted', now() - interval '1 day', 5, 'lease', false,
            'bench:1:x', '', '', 1, false, 0, 0
        FROM ratings_rater t JOIN accounts_identity a ON a.id = t.identity_id
            JOIN accounts_user u ON u.id = a.user_id AND u.username LIKE 'earner%%', ratings_image i
        WHERE i.dataset_id = %(dataset)s
        """,
        dataset=dataset.pk,
    )
    settle_down()
    start = time.perf_counter()
    fetch("SELECT rater_id, sum(reward) FROM ratings_rating WHERE settlement_id IS NULL GROUP BY 1")
    summed = time.perf_counter()
    settled = settle_rewards(hold=timedelta(0), now=timezone.now())
    seconds = time.perf_counter() - summed
    assert settled.rating_count == rewards, settled
    assert list(find_violations()) == []
    ratio = seconds / (summed - start)
    return [
        (
            f"settle {rewards:,} rewards of {RATERS:,} raters: {seconds:.1f} s (target < 15 s a million), "
            f"{ratio:.0f} x merely adding them up"
        )
    ]
