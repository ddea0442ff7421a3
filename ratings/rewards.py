"""What answers are worth: the price list as data, and pure functions over it."""

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True, slots=True)
class PriceList:
    """Kudos for each kind of answer."""

    rating: int
    artifacts: int
    best_of_set: int


def current_prices() -> PriceList:
    """Return the prices that the settings state."""
    return PriceList(settings.REWARD_RATING, settings.REWARD_ARTIFACTS, settings.REWARD_BEST_OF_SET)


def reward_for(*, prices: PriceList, has_artifacts: bool) -> int:
    """Return what one rating earns, if it comes to count.

    Who cannot judge how much they like an image is paid as who can: a guess must not be worth more than the truth.
    """
    return prices.rating + (prices.artifacts if has_artifacts else 0)


def reward_for_comparison(*, prices: PriceList) -> int:
    """Return what one comparison earns, if it comes to count, whatever its outcome."""
    return prices.best_of_set


def promise_for(reward: int) -> int:
    """Return what an answer tells the client: at least 1, because old clients read 0 as a failure."""
    return max(1, reward)
