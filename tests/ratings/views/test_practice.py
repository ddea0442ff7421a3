"""Practice: ten pictures with planted artifacts, a word about each answer, and nothing of it is a rating."""

import uuid
from io import BytesIO, StringIO

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from PIL import Image as Pillow

from accounts.models import Identity
from ratings.importers.demo import DEMO_PICTURE_COUNT, iter_demo_pictures
from ratings.importers.demo.practice import PRACTICE_LEVELS, iter_practice_pictures
from ratings.models import Image, PagePreferences, PracticeImage, Rating
from ratings.services.practice import draw_practice_images

pytestmark = pytest.mark.django_db
PRACTICE = "/rate/practice/"
JSON = {"accept": "application/json"}


@pytest.fixture
def drawn(db):
    """Ten images to practise on, as small as can be; return them in order."""
    PracticeImage.objects.bulk_create(
        PracticeImage(number=number, planted_artifacts=level, width=96, height=96, webp=picture_of(number))
        for number, level in enumerate(PRACTICE_LEVELS)
    )
    return list(PracticeImage.objects.order_by("number"))


def picture_of(number):
    buffer = BytesIO()
    Pillow.new("RGB", (96, 96), (number * 20, 0, 0)).save(buffer, "WEBP")
    return buffer.getvalue()


def send(client, image, artifacts, **more):
    sent = {"image_id": image if isinstance(image, str) else image.pk, "artifacts": artifacts} | more
    return client.post(PRACTICE, sent, headers=JSON)


def test_it_works(rater, drawn):
    web = rater.web()
    images = web.get(PRACTICE, headers=JSON).json()["images"]
    assert [set(image) for image in images] == [{"image_id", "url", "width", "height"}] * 10
    picture = web.get(images[0]["url"])
    assert (picture.status_code, picture["Content-Type"]) == (200, "image/webp")
    assert Pillow.open(BytesIO(picture.content)).size == (96, 96)
    for image, level in zip(images, PRACTICE_LEVELS, strict=True):
        assert not PagePreferences.objects.exclude(trained_at=None).exists()
        answer = send(web, image["image_id"], level).json()
        assert answer["planted"] == level
        assert answer["message"].startswith("Just so.")
    assert answer["is_finished"] is True
    assert web.get("/rate/settings/", headers=JSON).json()["trained_at"]
    assert (Rating.objects.count(), Image.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (2, "Just so. This is “Slight”: easily spotted, but harmless."),
        (1, "Nearly. We call this “Slight”"),
        (3, "Nearly. We call this “Slight”"),
        (0, "there is more here than it seems"),
        (5, "there is less here than it seems"),
    ],
)
def test_the_answer_is_told_in_words_and_never_called_wrong(drawn, given, words):
    message = send(Client(), drawn[2], given).json()["message"]
    assert words in message
    assert "wrong" not in message


def test_it_works_without_script(drawn):
    client = Client()
    first = client.get(PRACTICE).content.decode()
    assert "How badly is it flawed?" in first
    assert "Image 1 of 10" in first
    assert str(drawn[0].pk) in first
    answer = client.post(PRACTICE, {"image_id": drawn[0].pk, "artifacts": 4, "number": 0}).content.decode()
    assert "there is less here than it seems" in answer
    assert "?image=1" in answer
    assert "Image 2 of 10" in client.get(f"{PRACTICE}?image=1").content.decode()
    last = client.post(PRACTICE, {"image_id": drawn[9].pk, "artifacts": 3, "number": 9}).content.decode()
    assert "Start rating" in last
    assert "?image=" not in last


def test_a_visitor_who_finishes_is_remembered_and_rates_on_as_the_same(drawn, dataset, adds_up):
    from tests.ratings.views.test_rate import answer

    client = Client()
    send(client, drawn[9], 3)
    identity = Identity.objects.get(kind="browser")
    assert identity.page_preferences.trained_at
    first = identity.page_preferences.trained_at
    send(client, drawn[9], 3)
    identity.page_preferences.refresh_from_db()
    assert identity.page_preferences.trained_at == first
    client.post("/rate/", answer(client.get("/rate/"), aesthetic=7))
    assert Rating.objects.get().rater.identity_id == identity.pk
    adds_up()


def test_who_only_looks_or_begins_leaves_nothing_behind(drawn):
    client = Client()
    client.get(PRACTICE)
    send(client, drawn[0], 3)
    assert Identity.objects.count() == 0


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"artifacts": ""}, 400),
        ({"artifacts": "6"}, 400),
        ({"artifacts": "-1"}, 400),
        ({"artifacts": "many"}, 400),
        ({"artifacts": "9" * 5000}, 400),
        ({"image_id": ""}, 400),
        ({"image_id": "nothing"}, 400),
        ({"image_id": str(uuid.UUID(int=7))}, 404),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(drawn, sent, status):
    good = {"image_id": str(drawn[9].pk), "artifacts": "3"}
    response = send(Client(), **({"image": good["image_id"], "artifacts": "3"} | rename(sent)))
    assert response.status_code == status
    assert response.json()["message"]
    assert Identity.objects.count() == 0
    page = Client().post(PRACTICE, good | sent)
    assert page.status_code == status
    assert 'role="alert"' in page.content.decode()


def rename(sent):
    return {"image" if name == "image_id" else name: value for name, value in sent.items()}


@pytest.mark.parametrize("number", ["0x1", "-1", "9" * 50, "", "zwei"])
def test_a_number_that_is_none_is_the_first(drawn, number):
    assert "Image 1 of 10" in Client().get(PRACTICE, {"image": number}).content.decode()


def test_where_none_are_drawn_it_says_so(db):
    assert Client().get(PRACTICE, headers=JSON).json() == {"images": []}
    assert "no images to practise on" in Client().get(PRACTICE).content.decode()


def test_an_image_to_rate_is_none_to_practise_on(dataset, drawn):
    """What was planted in an image that is open for rating is told to nobody."""
    image = Image.objects.first()
    assert send(Client(), image, 3).status_code == 404
    assert Client().get(f"/rate/practice/{image.pk}.webp").status_code == 404
    assert Client().get(f"/images/{drawn[0].pk}.webp").status_code == 404


@pytest.mark.slow
def test_they_are_drawn_once_and_are_none_of_the_demos():
    out = StringIO()
    call_command("draw_practice", stdout=out)
    assert "10 images" in out.getvalue()
    before = dict(PracticeImage.objects.values_list("number", "id"))
    PracticeImage.objects.filter(number=4).delete()
    assert draw_practice_images() == 1
    assert draw_practice_images() == 0
    after = dict(PracticeImage.objects.values_list("number", "id"))
    assert {number: pk for number, pk in after.items() if number != 4} == {
        number: pk for number, pk in before.items() if number != 4
    }
    levels = list(PracticeImage.objects.order_by("number").values_list("planted_artifacts", flat=True))
    assert levels == list(PRACTICE_LEVELS)
    assert set(levels) == set(range(6))


@pytest.mark.slow
def test_the_drawings_are_others_than_those_of_the_demo():
    practice = {picture.webp for picture in iter_practice_pictures(size=96)}
    demo = {picture.webp for picture in iter_demo_pictures(size=96)}
    assert (len(practice), len(demo)) == (10, DEMO_PICTURE_COUNT)
    assert not practice & demo


def test_the_database_refuses_a_level_beyond_the_scale(drawn):
    with pytest.raises(IntegrityError, match='"practice_image_artifacts_within_scale"'), transaction.atomic():
        PracticeImage.objects.filter(pk=drawn[0].pk).update(planted_artifacts=6)
