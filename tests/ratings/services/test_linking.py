"""A person's AI Horde identity and their account become one person: what that does to ratings, kudos and images."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from accounts.access import Caller, caller_of_key
from accounts.models import Identity
from accounts.providers import horde_provider
from accounts.providers.base import ProviderUnavailable
from kudos.queries import balance_of, balance_of_person, history_of
from ratings.models import Image, Rater, Rating
from ratings.queries.datasets import get_dataset_for_rating
from ratings.queries.raters import my_ratings, my_standing
from ratings.selection import NoImageLeft, lease_images
from ratings.services.linking import (
    MAX_LINKED,
    HordeKeyUnknown,
    LinkedAlready,
    LinkedElsewhere,
    NoSuchLink,
    TooManyLinked,
    link_horde_identity,
    unlink_identity,
)
from ratings.services.rating import RatingSubmission, submit_rating
from ratings.services.refusals import AlreadyRated, NotLeased
from ratings.services.skipping import skip_image
from ratings.services.superseding import supersede_ratings
from ratings.services.voiding import void_ratings
from tests.people import make_person, now
from tests.ratings.services.test_rating import PRICES
from tests.settling import settle_rewards

pytestmark = pytest.mark.django_db
KEY = "hordeKey00000000000001"


@dataclass
class HordePerson:
    """Somebody with a key of AI Horde; who they are is found out anew each time, as for each request."""

    key: str

    @property
    def caller(self) -> Caller:
        return caller_of_key(horde_provider().find_owner(self.key, now=now()), "c" * 32)


@pytest.fixture
def ada(horde):
    """A user of AI Horde, number 7."""
    return HordePerson(horde.add_user(KEY, 7))


def rate(caller, leased, *, at=None, **fields):
    submission = RatingSubmission(image_id=leased.image_id, lease=leased.lease, **({"aesthetic": 6} | fields))
    return submit_rating(caller=caller, submission=submission, prices=PRICES, now=at or now())


def take(caller, count=1):
    return lease_images(caller=caller, dataset=get_dataset_for_rating("demo"), count=count, now=now())


def take_one(caller, image_id):
    """Lease one image and no other, as if chance had chosen it."""
    Image.objects.exclude(pk=image_id).update(is_open=False)
    try:
        return take(caller)[0]
    finally:
        Image.objects.update(is_open=True)


def link(person, key=KEY):
    return link_horde_identity(user=person.user, secret=key, provider=horde_provider(), now=now())


def both_rate(rater, ada, *, first=None):
    """Let account and AI Horde identity rate one image, the account first; return both ratings."""
    leased = take(rater.caller)[0]
    theirs = take_one(ada.caller, leased.image_id)
    answers = [rate(rater.caller, leased, aesthetic=3), rate(ada.caller, theirs, aesthetic=9)]
    return [Rating.objects.get(pk=answer.rating_id) for answer in answers]


def test_it_works(rater, ada, dataset, adds_up):
    linked = link(rater)
    identity = Identity.objects.get(pk=linked.id)
    assert (identity.user, identity.name, identity.external_id) == (rater.user, "user7#7", "7")
    caller = ada.caller
    assert (caller.user_id, caller.holder, caller.former_holder) == (rater.user.pk, rater.caller.holder, "horde:7")
    assert set(Rater.objects.values_list("is_linked")) == {(True,)}
    adds_up()


def test_evidence_is_what_ai_horde_said_last(ada, horde, dataset, adds_up):
    rate(ada.caller, take(ada.caller)[0])
    horde.users[KEY] |= {"kudos": 1750.9, "trusted": True, "records": {"request": {"image": 46}}, "username": "Ada#7"}
    caller = caller_of_key(horde_provider().find_owner(KEY, now=now() + timedelta(minutes=11)), "c" * 32)
    rate(caller, take(caller)[0])
    first, second = Rating.objects.order_by("id")
    assert (first.rater_kudos, first.rater_images_generated, first.rater_is_trusted_elsewhere) == (1500, 45, False)
    assert (second.rater_kudos, second.rater_images_generated, second.rater_is_trusted_elsewhere) == (1750, 46, True)
    assert first.rater_account_age == pytest.approx(100 * 86400, abs=60)
    assert first.rater_is_trusted is second.rater_is_trusted is False
    assert first.reward == second.reward == 5
    assert Identity.objects.get(kind="horde").name == "Ada#7"
    adds_up()


def test_nothing_is_written_down_again_while_nothing_changes(ada, dataset):
    rate(ada.caller, take(ada.caller)[0])
    before = row_versions()
    horde_only = ada.caller
    rate(horde_only, take(horde_only)[0])
    assert row_versions() == before


def row_versions():
    """Return where the identity's row lives: it moves with each update."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT id, ctid, xmin FROM accounts_identity ORDER BY id")
        return cursor.fetchall()


def test_a_rating_by_an_ai_horde_user_takes_four_statements_at_most(rater, ada, dataset, django_assert_max_num_queries):
    from tests.ratings.test_selection import statements_of

    rate(ada.caller, take(ada.caller)[0])
    caller = ada.caller
    leased, other = take(caller, 2)
    assert statements_of(lambda: rate(caller, leased)) <= 2
    link(rater)
    caller = ada.caller
    assert statements_of(lambda: rate(caller, other)) <= 4


def test_of_images_rated_as_both_the_later_rating_no_longer_counts(rater, ada, dataset, adds_up):
    first, second = both_rate(rater, ada)
    link(rater)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("counted", "superseded")
    assert (second.aesthetic, second.reward, second.settlement) == (9, 5, None)
    image = Image.objects.get(pk=first.image_id)
    assert (image.rating_count, image.aesthetic_sum) == (1, 3)
    assert dict(Rater.objects.values_list("identity__kind", "counted_count")) == {"account": 1, "horde": 0}
    assert set(Rater.objects.values_list("rating_count")) == {(1,)}
    settle_rewards(hold=timedelta(0), now=now() + timedelta(seconds=1))
    assert balance_of_person(rater.identity_id) == 5
    adds_up()


def test_an_image_that_was_complete_is_open_again(rater, ada, dataset, adds_up):
    dataset.target_rating_count = 2
    dataset.save(update_fields=["target_rating_count"])
    first, _ = both_rate(rater, ada)
    Image.objects.filter(pk=first.image_id).update(is_open=False)
    link(rater)
    assert Image.objects.get(pk=first.image_id).is_open
    adds_up()


def test_settled_kudos_stay(rater, ada, dataset, adds_up):
    _, second = both_rate(rater, ada)
    settle_rewards(hold=timedelta(0), now=now() + timedelta(seconds=1))
    linked = link(rater)
    second.refresh_from_db()
    assert second.state == "superseded"
    assert balance_of(linked.id) == balance_of(rater.identity_id) == 5
    adds_up()


def test_what_a_moderator_voided_is_not_in_the_way(rater, ada, dataset, adds_up):
    first, _ = both_rate(rater, ada)
    void_ratings(rating_ids=[first.pk], by=make_person("moderator").user, reason="a test", now=now())
    link(rater)
    assert list(Rating.objects.order_by("id").values_list("state", flat=True)) == ["voided", "counted"]
    adds_up()


def test_what_one_has_rated_or_skipped_is_not_handed_to_the_other(rater, ada, dataset):
    images = take(rater.caller, 10) + take(rater.caller, 9)
    for leased in images[:10]:
        rate(rater.caller, leased)
    for leased in images[10:]:
        skip_image(caller=rater.caller, image_id=leased.image_id, lease=leased.lease, now=now())
    link(rater)
    left = take(ada.caller, 10)
    assert {leased.image_id for leased in left}.isdisjoint({leased.image_id for leased in images})
    assert len(left) == 1
    rate(ada.caller, left[0])
    with pytest.raises(NoImageLeft):
        take(rater.caller)


def test_without_valkey_too(rater, ada, dataset, settings):
    rated = {rate_and_tell(rater.caller, leased) for leased in take(rater.caller, 10) + take(rater.caller, 9)}
    link(rater)
    caller = ada.caller
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock?db=0"
    for _ in range(5):
        assert take(caller)[0].image_id not in rated


def rate_and_tell(caller, leased):
    rate(caller, leased)
    return leased.image_id


def test_both_share_the_limit_of_open_leases(rater, ada, dataset):
    link(rater)
    held = take(rater.caller, 10) + take(ada.caller, 10)
    assert len({leased.image_id for leased in held}) == 20
    again = take(ada.caller)
    assert again[0].image_id in {leased.image_id for leased in held}


def test_rating_it_again_as_the_other_is_refused(rater, ada, dataset, adds_up):
    leased = take(rater.caller)[0]
    theirs = take_one(ada.caller, leased.image_id)
    link(rater)
    rate(rater.caller, leased)
    with pytest.raises(AlreadyRated):
        rate(ada.caller, theirs)
    assert Rating.objects.count() == 1
    adds_up()


def test_what_was_leased_before_linking_can_be_rated_after_it(rater, ada, dataset, adds_up):
    first, second = take(ada.caller, 2)
    link(rater)
    rate(ada.caller, first)
    submission = RatingSubmission(image_id=second.image_id, aesthetic=4)
    submit_rating(caller=ada.caller, submission=submission, prices=PRICES, now=now())
    with pytest.raises(NotLeased):
        submit_rating(caller=ada.caller, submission=submission, prices=PRICES, now=now())
    assert set(Rating.objects.values_list("proof", "rater__identity__kind")) == {
        ("lease", "horde"),
        ("lookup", "horde"),
    }
    adds_up()


def test_another_persons_lease_is_no_better_than_before(rater, outsider, ada, dataset):
    leased = take(outsider.caller)[0]
    link(rater)
    with pytest.raises(NotLeased):
        rate(ada.caller, leased)


def test_history_and_kudos_are_one(rater, ada, dataset, adds_up):
    for caller in (rater.caller, ada.caller, rater.caller):
        rate(caller, take(caller)[0])
    settle_rewards(hold=timedelta(0), now=now() + timedelta(seconds=1))
    linked = link(rater)
    for caller in (rater.caller, ada.caller):
        rate(caller, take(caller)[0])
    midnight = now() - timedelta(hours=1)
    standing = my_standing(identity_id=rater.identity_id, today=midnight)
    assert (standing.today_count, standing.rating_count, standing.pending_kudos, standing.settled_kudos) == (
        5,
        5,
        10,
        15,
    )
    assert my_standing(identity_id=linked.id, today=midnight) == standing
    everything = list(Rating.objects.order_by("-id").values_list("id", flat=True))
    assert [rating.id for rating in my_ratings(identity_id=rater.identity_id, today=now())] == everything
    assert [
        r.id for r in my_ratings(identity_id=rater.identity_id, today=now(), before_id=everything[1], limit=2)
    ] == everything[2:4]
    lines = history_of(identity_id=rater.identity_id)
    assert sorted(line.amount for line in lines) == [5, 10]
    assert [line.balance_after for line in lines] == [15, 15 - lines[0].amount]
    assert history_of(identity_id=rater.identity_id, before_id=lines[0].entry_id) == lines[1:]


def test_a_stranger_has_nothing_of_it(rater, outsider, ada, dataset):
    rate(ada.caller, take(ada.caller)[0])
    link(rater)
    assert my_ratings(identity_id=outsider.identity_id, today=now()) == []
    assert my_standing(identity_id=outsider.identity_id, today=now()).rating_count == 0


@pytest.mark.parametrize("key", ["", "short", "A" * 22, "é" * 22, "01234567-89ab-cdef-0123-456789abcdef"])
def test_a_key_that_ai_horde_does_not_know_links_nothing(rater, horde, key):
    with pytest.raises(HordeKeyUnknown):
        link(rater, key)
    assert not Identity.objects.filter(kind="horde").exists()


def test_ones_own_key_of_ours_is_none_of_ai_horde(rater, horde):
    with pytest.raises(HordeKeyUnknown):
        link(rater, rater.key)


def test_linking_twice_says_so(rater, ada):
    link(rater)
    with pytest.raises(LinkedAlready):
        link(rater)


def test_somebody_elses_is_refused_in_words(rater, outsider, ada, adds_up):
    link(rater)
    with pytest.raises(LinkedElsewhere, match="linked to another account"):
        link(outsider)
    assert Identity.objects.get(kind="horde").user == rater.user
    assert not Rater.objects.get(identity_id=outsider.identity_id).is_linked
    adds_up()


def test_there_is_a_limit(rater, horde, adds_up):
    for number in range(1, MAX_LINKED + 1):
        link(rater, horde.add_user(f"many{number:018}", number))
    with pytest.raises(TooManyLinked):
        link(rater, horde.add_user(f"many{99:018}", 99))
    adds_up()


def test_three_identities_have_one_say(rater, horde, dataset, adds_up):
    people = [HordePerson(horde.add_user(f"many{number:018}", number)) for number in (1, 2)]
    first = take(rater.caller)[0]
    rate(rater.caller, first)
    for person in people:
        rate(person.caller, take_one(person.caller, first.image_id))
        link(rater, person.key)
    assert list(Rating.objects.order_by("id").values_list("state", flat=True)) == [
        "counted",
        "superseded",
        "superseded",
    ]
    adds_up()


def test_while_ai_horde_is_down_nothing_is_linked(rater, ada, horde):
    _ = ada.caller
    horde.instead = (500, {"message": "Oops"})
    later = now() + timedelta(minutes=11)
    with pytest.raises(ProviderUnavailable):
        link_horde_identity(user=rater.user, secret=KEY, provider=horde_provider(), now=later)
    assert not Identity.objects.filter(kind="horde").exists()


def test_unlinking_is_possible(rater, ada, dataset, adds_up):
    _, second = both_rate(rater, ada)
    linked = link(rater)
    assert unlink_identity(user=rater.user, identity_id=linked.id) == linked
    caller = ada.caller
    assert (caller.user_id, caller.holder) == (None, "horde:7")
    assert set(Rater.objects.values_list("is_linked")) == {(False,)}
    second.refresh_from_db()
    assert second.state == "superseded"
    assert my_standing(identity_id=rater.identity_id, today=now()).rating_count == 1
    link(rater)
    adds_up()


def test_nobody_else_can_unlink(rater, outsider, ada):
    linked = link(rater)
    with pytest.raises(NoSuchLink):
        unlink_identity(user=outsider.user, identity_id=linked.id)
    with pytest.raises(NoSuchLink):
        unlink_identity(user=rater.user, identity_id=rater.identity_id)
    with pytest.raises(NoSuchLink):
        unlink_identity(user=rater.user, identity_id=2**40)
    assert Identity.objects.get(pk=linked.id).user == rater.user


def test_superseding_again_changes_nothing(rater, ada, dataset, adds_up):
    both_rate(rater, ada)
    link(rater)
    assert supersede_ratings(user_id=rater.user.pk) == set()
    adds_up()


def test_a_link_that_was_interrupted_is_found_by_the_nightly_check(rater, ada, dataset):
    """The second transaction of a linking may be lost with the machine."""
    from config.invariants import find_violations

    first, _ = both_rate(rater, ada)
    Identity.objects.filter(kind="horde").update(user=rater.user)
    Rater.objects.update(is_linked=True)
    assert list(find_violations()) == [
        f"ratings: user {rater.user.pk} has 2 ratings of image {first.image_id} that count"
    ]
    with pytest.raises(LinkedAlready):
        link(rater)
    assert list(find_violations()) == []


def test_a_rater_that_does_not_know_of_its_link_is_found_too(rater, ada, dataset):
    from config.invariants import find_violations

    link(rater)
    Rater.objects.filter(identity_id=rater.identity_id).update(is_linked=False)
    assert list(find_violations()) == [
        f"ratings: identity {rater.identity_id} is linked: False, and its person has 2 identities that rate"
    ]


def test_an_account_that_has_never_rated_can_link(ada, dataset, adds_up):
    from tests.factories import UserFactory

    user = UserFactory()
    link_horde_identity(user=user, secret=KEY, provider=horde_provider(), now=now())
    rate(ada.caller, take(ada.caller)[0])
    own = Identity.objects.get(user=user, kind="account")
    assert len(my_ratings(identity_id=own.pk, today=now())) == 1
    adds_up()
