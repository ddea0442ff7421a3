"""What the script of the rating page can do besides rating: as docs/decisions/0018 has it."""

import uuid
from datetime import timedelta

import pytest
from django.test import Client

from ratings.leases.token import label_of
from ratings.models import Dataset, Image, Rating, Rendition, Report, Revision, Skip
from tests.people import make_person, now

RATE, SESSION = "/rate/", "/rate/session/"
JSON = {"accept": "application/json"}
MEASURED = {
    "session": "0123456789abcdef" * 2,
    "position": "6",
    "decode_ms": "120.6",
    "first_input_ms": "800",
    "answer_ms": "99999999999",
    "input": "touch",
    "displayed_width": "360",
    "pixel_ratio": "2.625",
    "is_dark": "1",
    "language": "de",
    "is_zoomed": "0",
    "is_before_training": "0",
}


@pytest.fixture(autouse=True)
def _artifacts_pay(settings):
    settings.REWARD_ARTIFACTS = 2


@pytest.fixture
def browser(dataset):
    """A browser without an account that keeps its cookies."""
    return Client()


@pytest.fixture
def web(dataset, rater):
    """The browser of somebody who is signed in."""
    return rater.web()


def take(browser, count=1):
    return browser.get(RATE, {"count": count}, headers=JSON).json()["images"]


def do(browser, action, **sent):
    return browser.post(RATE, {"action": action, **sent}, headers=JSON)


def rate(browser, image=None, **given):
    image = image or take(browser)[0]
    sent = {"image_id": image["image_id"], "lease": image["lease"], "aesthetic": 7, "artifacts": 1, "identity": ""}
    return do(browser, "submit", **sent | given)


def of(image):
    return {"image_id": image["image_id"], "lease": image["lease"]}


def code_of(response):
    return response.status_code, response.json()["code"]


def make_rendition(image_id, *, size=512, width=512, sha256="0123abcd" * 8):
    return Rendition.objects.create(
        image_id=image_id, size=size, width=width, height=width, byte_count=1, sha256=sha256, file=f"{image_id}/{size}"
    )


class TestImages:
    def test_it_works(self, browser):
        for image in Image.objects.all():
            make_rendition(image.pk, size=512, width=300)
            make_rendition(image.pk, size=1024, width=300)
            make_rendition(image.pk, size=1536, width=900)

        images = take(browser, 8)

        assert len({image["image_id"] for image in images}) == 8
        address = f"/images/{images[0]['image_id']}"
        assert images[0]["renditions"] == [
            {"url": f"{address}-512.webp", "width": 300},
            {"url": f"{address}-1536.webp", "width": 900},
        ]
        assert (images[0]["adult_class"], images[0]["scale_version"], images[0]["is_practice"]) == ("safe", 1, False)

    def test_who_has_no_picture_yet_is_offered_none(self, browser):
        assert take(browser)[0]["renditions"] == []


class TestSession:
    def test_it_works(self, web, rater):
        rate(web)

        reply = web.get(SESSION).json()

        assert reply["identity"] == label_of(rater.caller.holder)
        assert len(reply["identity"]) == 22
        assert (reply["today"], reply["pending"], reply["signed_in"]) == (1, 7, True)

    def test_a_browser_is_somebody_too_and_stays_it(self, browser):
        first, again = browser.get(SESSION), browser.get(SESSION)

        assert first.json()["identity"] == again.json()["identity"] != Client().get(SESSION).json()["identity"]
        assert first.json()["signed_in"] is False
        assert "no-store" in first["Cache-Control"]

    def test_its_token_is_good(self, dataset):
        strict = Client(enforce_csrf_checks=True)
        [image] = take(strict)
        sent = {"action": "skip", **of(image)}

        refused = strict.post(RATE, sent, headers=JSON)
        token = strict.get(SESSION).json()["csrf_token"]
        accepted = strict.post(RATE, sent, headers=JSON | {"X-CSRFToken": token})

        assert code_of(refused) == (403, "stale_csrf")
        assert accepted.status_code == 200

    def test_the_page_says_who_it_was_made_for(self, browser):
        page = browser.get(RATE).content.decode()

        assert f'data-identity="{browser.get(SESSION).json()["identity"]}"' in page

    def test_what_another_did_waits_for_them(self, browser, rater):
        [image] = take(browser)

        refused = rate(browser, image, identity=label_of(rater.caller.holder))

        assert code_of(refused) == (409, "identity_changed")
        assert Rating.objects.count() == 0
        assert rate(browser, image, identity=browser.get(SESSION).json()["identity"]).status_code == 200


class TestSubmit:
    def test_it_works(self, web):
        reply = rate(web).json()

        rating = Rating.objects.get()
        assert reply == {
            "message": "Saved: 7 and 1. 7 kudos pending.",
            "reward": 7,
            "rating_id": rating.pk,
            "is_repeat": False,
            "revisable_until": (rating.created_at + timedelta(hours=24)).isoformat(),
        }
        assert (rating.proof, rating.session_id, rating.session_position, rating.is_warm_up) == (
            "lease",
            None,
            None,
            None,
        )

    def test_what_was_measured_is_kept(self, browser):
        rate(browser, **MEASURED)

        rating = Rating.objects.get()
        assert rating.session_id == uuid.UUID(hex=MEASURED["session"])
        assert (rating.session_position, rating.is_warm_up, rating.input_kind) == (6, False, "touch")
        assert (rating.decode_ms, rating.first_input_ms, rating.answer_ms) == (121, 800, 3_600_000)
        assert (rating.displayed_width, rating.pixel_ratio) == (360, 262)
        assert (rating.is_dark, rating.is_zoomed, rating.is_before_training) == (True, False, False)
        assert rating.language == "de"

    @pytest.mark.parametrize("nonsense", ["", "x", "-1", "nan", "-inf", "1e", "9" * 400, "\0", "0x10", "٣", "none"])
    def test_a_measurement_that_is_none_costs_no_rating(self, browser, nonsense):
        assert rate(browser, **dict.fromkeys(MEASURED, nonsense)).status_code == 200

        rating = Rating.objects.get()
        assert (rating.session_id, rating.input_kind, rating.is_dark, rating.is_zoomed) == (None, "", None, None)
        assert rating.language == ""
        measured = {rating.session_position, rating.decode_ms, rating.displayed_width, rating.pixel_ratio}
        assert measured <= ({32767, 3_600_000} if nonsense == "9" * 400 else {3, 300} if nonsense == "٣" else {None})

    @pytest.mark.parametrize(
        ("given", "stored", "message", "reward"),
        [
            ({"aesthetic": "unsure", "artifacts": 3}, (None, 3, False), "Saved: cannot judge and 3.", 7),
            ({"aesthetic": 4, "artifacts": "unsure"}, (4, None, True), "Saved: 4.", 5),
            ({"aesthetic": 4, "artifacts": ""}, (4, None, False), "Saved: 4.", 5),
        ],
    )
    def test_either_question_may_be_left_open(self, web, adds_up, given, stored, message, reward):
        reply = rate(web, **given).json()

        rating = Rating.objects.get()
        assert (rating.aesthetic, rating.artifacts, rating.is_artifacts_unsure) == stored
        assert (reply["message"], rating.reward) == (f"{message} {reward} kudos pending.", reward)
        adds_up()

    @pytest.mark.parametrize("artifacts", ["unsure", ""])
    def test_who_can_judge_nothing_skips(self, browser, artifacts):
        rate(browser, aesthetic="unsure", artifacts=artifacts)

        assert Rating.objects.count() == 0
        assert Skip.objects.get().reason == "cannot_judge"

    def test_the_right_bytes_are_proof(self, browser):
        [image] = take(browser)
        make_rendition(image["image_id"])

        assert rate(browser, image, sha256="0123abcd").status_code == 200
        assert Rating.objects.get().proof == "hash"

    def test_the_wrong_bytes_are_not_rated(self, browser):
        [image] = take(browser)
        make_rendition(image["image_id"])

        refused = rate(browser, image, sha256="0123abce", idempotency_key="k")

        assert code_of(refused) == (409, "wrong_bytes")
        assert Rating.objects.count() == 0
        assert rate(browser, image, sha256="0123abcd", idempotency_key="k").status_code == 200

    @pytest.mark.parametrize("sha256", ["0123abc", "0123abcg", "0123ABCD", "a" * 65])
    def test_what_is_no_hash_is_said_to_be_none(self, browser, sha256):
        assert code_of(rate(browser, sha256=sha256)) == (400, "invalid")

    def test_the_same_answer_is_given_days_later(self, browser):
        [image] = take(browser)
        first = rate(browser, image, idempotency_key="k").json()
        Rating.objects.update(created_at=now() - timedelta(days=20))

        again = rate(browser, image, idempotency_key="k", lease="x").json()

        assert again["rating_id"] == first["rating_id"]
        assert (again["message"], again["reward"], again["is_repeat"]) == (first["message"], first["reward"], True)

    def test_a_repeat_with_other_values_says_what_is_stored(self, browser):
        [image] = take(browser)
        rate(browser, image, idempotency_key="k")

        assert rate(browser, image, idempotency_key="k", aesthetic=2).json()["message"] == "Saved: 7 and 1."


class TestRevise:
    def test_it_works(self, web, adds_up):
        rated = rate(web).json()

        reply = do(web, "revise", rating_id=rated["rating_id"], aesthetic=3, artifacts="unsure", idempotency_key="r")

        assert reply.json() == rated | {"message": "Changed: 3. 7 kudos pending."}
        rating = Rating.objects.get()
        assert (rating.aesthetic, rating.artifacts, rating.is_artifacts_unsure, rating.revision_count) == (
            3,
            None,
            True,
            1,
        )
        before = Revision.objects.get()
        assert (before.number, before.aesthetic, before.artifacts) == (1, 7, 1)
        adds_up()

    def test_what_is_somebody_elses_is_not_there(self, web, outsider):
        rated = rate(web).json()

        refused = do(outsider.web(), "revise", rating_id=rated["rating_id"], aesthetic=3)

        assert code_of(refused) == (404, "not_found")
        assert do(web, "revise", rating_id=rated["rating_id"], aesthetic=3).status_code == 200

    @pytest.mark.parametrize("rating_id", ["", "0", "x", "-1", str(2**63), "9" * 400])
    def test_what_is_no_number_is_said_to_be_none(self, web, rating_id):
        assert code_of(do(web, "revise", rating_id=rating_id, aesthetic=3)) == (400, "invalid")

    def test_both_open_is_refused(self, web):
        rated = rate(web).json()

        refused = do(web, "revise", rating_id=rated["rating_id"], aesthetic="unsure", artifacts="unsure")

        assert code_of(refused) == (400, "invalid")

    def test_without_script(self, web):
        rated = rate(web, aesthetic=9, artifacts=2).json()

        page = web.get(RATE, {"revise": rated["rating_id"]})

        assert (page.context["aesthetic"], page.context["artifacts"], page.context["revise"]) == (
            9,
            2,
            rated["rating_id"],
        )
        assert str(Rating.objects.get().image_id) in page.content.decode()
        sent = {"action": "revise", "rating_id": rated["rating_id"], "aesthetic": 4}
        assert web.post(RATE, sent)["Location"] == RATE
        assert Rating.objects.get().aesthetic == 4
        again = web.post(RATE, sent | {"aesthetic": ""})
        assert again["Location"] == f"{RATE}?revise={rated['rating_id']}"

    @pytest.mark.parametrize("wanted", ["0", "x", "-1", "²", "9" * 400])
    def test_a_page_to_revise_nothing_leads_to_an_image(self, web, wanted):
        assert web.get(RATE, {"revise": wanted})["Location"] == RATE

    def test_a_page_to_revise_what_is_somebody_elses_is_not_there(self, web, outsider):
        rated = rate(web).json()

        assert outsider.web().get(RATE, {"revise": rated["rating_id"]})["Location"] == RATE


class TestSkip:
    def test_it_works(self, browser):
        [image] = take(browser)

        assert do(browser, "skip", **of(image), idempotency_key="k", identity="").json() == {
            "message": "Skipped. This image will not be shown to you for a month.",
            "reward": 0,
        }
        assert do(browser, "skip", **of(image), reason="text_only").status_code == 200
        do(browser, "skip", **of(image))

        assert Skip.objects.get().reason == "text_only"

    def test_undo(self, browser):
        [image] = take(browser)
        do(browser, "skip", **of(image))

        assert do(browser, "unskip", **of(image)).status_code == 200
        assert Skip.objects.count() == 0
        assert do(browser, "unskip", **of(image)).status_code == 200
        assert rate(browser, image).status_code == 200

    @pytest.mark.parametrize("action", ["skip", "unskip", "report"])
    def test_what_is_somebody_elses_stays(self, browser, web, action):
        [image] = take(web)
        do(web, "skip", **of(image))

        assert code_of(do(browser, action, **of(image), reason="broken")) == (403, "not_leased")
        assert Skip.objects.count() == 1
        assert Report.objects.count() == 0

    @pytest.mark.parametrize("action", ["skip", "report"])
    def test_a_reason_is_one_of_a_list(self, browser, action):
        [image] = take(browser)

        assert code_of(do(browser, action, **of(image), reason="boring")) == (400, "invalid")


class TestReport:
    def test_it_works(self, web):
        [image] = take(web)

        assert do(web, "report", **of(image), reason="gore", note=" blood ").status_code == 200
        assert do(web, "report", **of(image), reason="gore").status_code == 200
        assert do(web, "report", **of(image), reason="duplicate").status_code == 200

        assert sorted(Report.objects.values_list("reason", "note", "state")) == [
            ("duplicate", "", "open"),
            ("gore", "blood", "open"),
        ]
        assert Skip.objects.count() == 1
        assert rate(web, image).status_code == 200

    @pytest.mark.parametrize("sent", [{}, {"reason": "gore", "note": "x" * 501}, {"reason": "gore", "note": "a\0"}])
    def test_refusals(self, web, sent):
        [image] = take(web)

        assert code_of(do(web, "report", **of(image), **sent)) == (400, "invalid")
        assert Report.objects.count() == 0


class TestReturn:
    def test_it_works(self, browser, dataset):
        Dataset.objects.update(target_rating_count=1)
        Image.objects.exclude(pk__in=list(dataset.images.values_list("pk", flat=True)[:1])).update(is_open=False)
        [image] = take(browser)
        other = Client()
        assert take(other) == []

        response = do(other, "return", lease=[image["lease"], "x"])
        assert response.status_code == 204
        assert take(other) == []

        for _ in range(2):
            response = do(browser, "return", lease=[image["lease"], image["lease"], "x", "\0", "é"])
            assert (response.status_code, response.content) == (204, b"")
        assert take(other)[0]["image_id"] == image["image_id"]

    def test_nothing_to_return(self, browser):
        assert do(browser, "return").status_code == 204


class TestLook:
    @pytest.fixture
    def finished(self, web):
        """A rating of an image that two others have rated as well, and that is complete."""
        Dataset.objects.update(target_rating_count=3)
        [image] = take(web)
        rated = rate(web, image).json()
        Image.objects.exclude(pk=image["image_id"]).update(is_open=False)
        for given in ({"aesthetic": 4, "artifacts": 5}, {"aesthetic": 5, "artifacts": "unsure"}):
            other = make_person().web()
            assert rate(other, **given).status_code == 200
        Image.objects.update(prompt="a harbour", model_name="a model")
        return rated["rating_id"]

    def test_it_works(self, web, finished):
        reply = do(web, "look", rating_id=finished).json()

        assert (reply["prompt"], reply["model_name"]) == ("a harbour", "a model")
        assert reply["histogram"] == {"aesthetic": [0, 0, 0, 1, 1, 0, 0, 0, 0, 0], "artifacts": [0, 0, 0, 0, 0, 1]}
        assert (reply["rating_count"], reply["score"]) == (2, 4.5)

    def test_it_locks_the_rating(self, web, finished):
        first = do(web, "look", rating_id=finished).json()

        refused = do(web, "revise", rating_id=finished, aesthetic=4, artifacts=5)

        assert code_of(refused) == (403, "locked")
        assert Rating.objects.get(pk=finished).revision_count == 0
        assert do(web, "look", rating_id=finished).json() == first

    def test_what_is_still_being_rated_tells_nothing(self, web):
        rated = rate(web).json()

        refused = do(web, "look", rating_id=rated["rating_id"])

        assert code_of(refused) == (403, "locked")
        assert set(refused.json()) == {"message", "code"}
        assert do(web, "revise", rating_id=rated["rating_id"], aesthetic=4).status_code == 200

    def test_others_see_nothing(self, finished, outsider):
        assert code_of(do(outsider.web(), "look", rating_id=finished)) == (404, "not_found")
        assert Rating.objects.get(pk=finished).looked_at is None
