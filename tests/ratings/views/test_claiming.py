"""Rate first, sign up later: what a browser rated becomes its person's, once, and only if they say so."""

import threading
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone

from accounts.access import BROWSER_COOKIE, read_browser_id
from accounts.models import Identity
from kudos.queries import balance_of_person
from ratings.models import PagePreferences, Rater, Rating
from ratings.queries.raters import my_standing
from ratings.services.claiming import MAX_CLAIMED, claim_browser
from ratings.services.linking import LinkRefused
from ratings.services.settlement import settle_rewards
from ratings.services.voiding import restore_ratings, void_ratings
from tests.accounts.staff import make_moderator
from tests.accounts.test_sign_up import code_in, confirm, sign_in, sign_up, text_of
from tests.people import now
from tests.ratings.services.test_rating import PRICES
from tests.ratings.views.test_rate import answer

pytestmark = pytest.mark.django_db
CLAIM = "/profile/claim/"


@pytest.fixture
def visitor(dataset):
    """A browser that has rated three images without an account."""
    return rate(Client(), 3)


def rate(client, count=1, **given):
    for _ in range(count):
        assert client.post("/rate/", answer(client.get("/rate/"), **({"aesthetic": 7} | given))).status_code == 303
    return client


def browser_of(client):
    return Identity.objects.get(kind="browser", external_id=id_of(client))


def id_of(client):
    request = HttpRequest()
    request.COOKIES[BROWSER_COOKIE] = client.cookies[BROWSER_COOKIE].value
    return read_browser_id(request)


def say(client, what, **more):
    return client.post(CLAIM, {"answer": what} | more, follow=True)


def pending_of(person):
    identity_id = Identity.objects.get(kind="account", user=person.user).pk
    return my_standing(identity_id=identity_id, today=now()).pending_kudos


def test_it_works(visitor, adds_up, settings):
    """The whole story: rate, sign up, be asked, say yes, be paid once; the browser is a new one afterwards."""
    before = id_of(visitor)
    sign_up(visitor)
    response = confirm(visitor, code_in(mail.outbox[0]))
    assert response["Location"] == "/profile/claim/?next=%2Frate%2F"
    page = text_of(visitor.get(response["Location"]))
    assert "This browser rated 3 images before you signed in." in page
    assert "15 kudos" in page
    assert Rating.objects.filter(reward__gt=0).count() == 0

    response = say(visitor, "yes", next="/rate/")

    assert response.redirect_chain[-1][0] == "/rate/"
    assert "15 kudos pending" in text_of(response)
    assert id_of(visitor) != before
    user = Identity.objects.get(external_id=before).user
    assert user.username == "alice"
    settle_rewards(hold=timedelta(0), now=now())
    assert balance_of_person(Identity.objects.get(kind="account", user=user).pk) == 0
    # Whose answers are known to be good is paid, and a browser goes by its person.
    Rater.objects.filter(identity__kind="account").update(state="calibrated")
    settle_rewards(hold=timedelta(0), now=now())
    settle_rewards(hold=timedelta(0), now=now())
    own = Identity.objects.get(kind="account", user=user)
    assert balance_of_person(own.pk) == 15
    assert "Rated in this browser" not in text_of(visitor.get("/profile/"))
    adds_up()


def test_signing_in_asks_too_and_who_goes_past_finds_it_on_the_profile(visitor, rater):
    response = sign_in(visitor, login="rater")
    assert response["Location"].startswith(CLAIM)
    assert "This browser rated 3 images" in text_of(visitor.get("/profile/"))
    assert Identity.objects.get(kind="browser").user is None


def test_who_has_rated_nothing_here_is_not_asked(dataset, rater):
    client = Client()
    client.get("/rate/")
    assert sign_in(client, login="rater")["Location"] == "/rate/"
    assert client.get(CLAIM)["Location"] == "/rate/"
    assert "Rated in this browser" not in text_of(client.get("/profile/"))


def test_no_is_no_and_somebody_else_is_asked_anew(visitor, rater, outsider):
    sign_in(visitor, login="rater")
    assert "Nothing was added" in text_of(say(visitor, "no"))
    assert "Rated in this browser" not in text_of(visitor.get("/profile/"))
    assert visitor.get(CLAIM).status_code == 302
    assert Identity.objects.get(kind="browser").user is None

    visitor.post("/accounts/logout/")
    sign_in(visitor, login="outsider")

    assert "This browser rated 3 images" in text_of(visitor.get(CLAIM))


def test_the_second_person_at_a_shared_computer_gets_nothing_of_the_first(visitor, rater, outsider):
    sign_in(visitor, login="rater")
    say(visitor, "yes")
    visitor.post("/accounts/logout/")
    rate(visitor, 2)
    sign_in(visitor, login="outsider")

    assert "This browser rated 2 images" in text_of(visitor.get(CLAIM))
    say(visitor, "yes")

    assert (pending_of(rater), pending_of(outsider)) == (15, 10)


def test_a_copy_of_the_old_cookie_speaks_for_nobody(visitor, rater, adds_up):
    copy = Client()
    copy.cookies[BROWSER_COOKIE] = visitor.cookies[BROWSER_COOKIE].value
    claimed = id_of(visitor)
    sign_in(visitor, login="rater")
    say(visitor, "yes")

    rate(copy, 1)

    assert id_of(copy) != claimed
    assert Rating.objects.filter(rater__identity__external_id=claimed).count() == 3
    sign_in(copy, login="rater")
    assert "This browser rated 1 image before" in text_of(copy.get(CLAIM))
    adds_up()


def test_only_the_last_thirty_days_are_promised_anything(dataset, rater, adds_up):
    client = Client()
    with time_machine.travel(timezone.now() - timedelta(days=31), tick=True):
        rate(client, 2)
    rate(client, 1)
    sign_in(client, login="rater")
    assert "This browser rated 1 image before you signed in." in text_of(client.get(CLAIM))

    say(client, "yes")

    assert pending_of(rater) == 5
    assert my_standing(identity_id=rater.identity_id, today=now()).rating_count == 3
    adds_up()


def test_what_is_older_is_not_offered(visitor, rater):
    with time_machine.travel(timezone.now() + timedelta(days=31), tick=True):
        assert sign_in(visitor, login="rater")["Location"].startswith(CLAIM)
        assert visitor.get(CLAIM)["Location"] == "/rate/"


def test_of_two_ratings_of_one_image_the_later_counts_no_more(dataset, rater, adds_up):
    client, own = Client(), rater.web()
    rate(own, 20)
    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=True):
        rate(client, 3)
    sign_in(client, login="rater")

    say(client, "yes")

    assert Rating.objects.filter(rater__identity__kind="browser", state="superseded", reward=0).count() == 3
    assert pending_of(rater) == 100
    adds_up()


def test_what_a_moderator_voided_is_paid_only_when_it_counts_again(visitor, rater, adds_up):
    moderator = make_moderator().user
    ids = list(Rating.objects.values_list("id", flat=True))[:1]
    void_ratings(rating_ids=ids, by=moderator, reason="a test", now=now())
    sign_in(visitor, login="rater")
    say(visitor, "yes")
    assert pending_of(rater) == 10

    restore_ratings(rating_ids=ids, by=moderator, reason="a mistake", now=now())

    assert pending_of(rater) == 15
    adds_up()


def test_a_browser_in_quarantine_is_not_claimed(visitor, rater):
    Rater.objects.filter(identity__kind="browser").update(state="quarantined", state_before="new")
    sign_in(visitor, login="rater")
    assert "under review" in text_of(say(visitor, "yes", next="/profile/"))
    assert Identity.objects.get(kind="browser").user is None


def test_there_is_an_end_to_browsers(dataset, rater):
    for _ in range(MAX_CLAIMED + 1):
        client = rate(Client(), 1)
        sign_in(client, login="rater")
        response = say(client, "yes", next="/profile/")
    assert f"what {MAX_CLAIMED} browsers rated" in text_of(response)
    assert Identity.objects.filter(kind="browser", user=rater.user).count() == MAX_CLAIMED


@pytest.mark.parametrize("what", ["yes", "no", "", "x" * 5000])
def test_a_forged_or_missing_cookie_claims_nothing(visitor, rater, what):
    web = rater.web()
    web.cookies[BROWSER_COOKIE] = "forged:" + visitor.cookies[BROWSER_COOKIE].value
    say(web, what)
    web.cookies.pop(BROWSER_COOKIE)
    say(web, what)
    assert Identity.objects.get(kind="browser").user is None


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_it_leads_nowhere_else(visitor, rater, wanted):
    sign_in(visitor, login="rater")
    assert visitor.post(CLAIM, {"answer": "no", "next": wanted})["Location"] == "/rate/"


def test_a_claim_that_was_interrupted_is_completed_by_asking_again(visitor, rater, adds_up):
    """Pointed, and then the power went: nothing promised yet, and the browser still has its old name."""
    Identity.objects.filter(kind="browser").update(user=rater.user)
    Rater.objects.update(is_linked=True)
    sign_in(visitor, login="rater")
    say(visitor, "yes")
    assert pending_of(rater) == 15
    say(visitor, "yes")
    assert pending_of(rater) == 15
    adds_up()


def test_answers_that_wait_in_the_browser_arrive_after_the_claim(visitor, rater, adds_up):
    """They were leased under the browser's name."""
    waiting = answer(visitor.get("/rate/"), aesthetic=4)
    sign_in(visitor, login="rater")
    say(visitor, "yes")

    assert visitor.post("/rate/", waiting).status_code == 303

    assert Rating.objects.get(aesthetic=4).rater.identity_id == rater.identity_id
    adds_up()


def test_practice_is_not_asked_for_twice(visitor, rater):
    trained = PagePreferences.objects.create(identity=browser_of(visitor), trained_at=now())
    sign_in(visitor, login="rater")
    say(visitor, "yes")
    assert PagePreferences.objects.get(identity_id=rater.identity_id).trained_at == trained.trained_at


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_cannot_both_have_it(dataset, rater, outsider, adds_up):
    visitor = rate(Client(), 3)
    browser_id, outcomes, start = id_of(visitor), [], threading.Barrier(2)

    def take(person):
        start.wait(timeout=30)
        try:
            outcomes.append(claim_browser(user=person.user, browser_id=browser_id, prices=PRICES, now=now()))
        except LinkRefused:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=[person]) for person in (rater, outsider)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert sorted(map(str, outcomes)) == ["15", "refused"]
    assert pending_of(rater) + pending_of(outsider) == 15
    adds_up()
