import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse

from ratings.models import AdultClass, Dataset, Image, ImageStatus, ModerationAction, Rendition
from ratings.services.moderation import hide_images, pause_dataset
from tests.factories import make_images
from tests.people import now

pytestmark = pytest.mark.django_db

PICTURE = b"RIFF....WEBP"


@pytest.fixture
def hidden(dataset, moderator, settings, tmp_path):
    """A hidden image with a stored rendition."""
    settings.MEDIA_ROOT = tmp_path
    image = Image.objects.first()
    name = default_storage.save("picture.webp", ContentFile(PICTURE))
    Rendition.objects.create(image=image, size=512, width=512, height=512, byte_count=12, sha256="a" * 64, file=name)
    hide_images(image_ids=[image.pk], by=moderator.user, reason="set-up", now=now())
    return image


def picture_of(image):
    return reverse("admin:ratings_image_picture", args=[image.pk])


def ask(client, name, rows):
    keys = ",".join(str(row.pk) for row in rows)
    return client.get(reverse(f"admin:ratings_{name}"), {"keys": keys})


def sentences(page):
    return " ".join(page.context["impact"].sentences)


def test_a_hidden_picture_is_shown_to_moderators(moderator, root, hidden):
    page = moderator.web.get(reverse("admin:ratings_image_change", args=[hidden.pk])).content.decode()
    assert f'src="{picture_of(hidden)}"' in page
    for client in (moderator.web, root.web):
        response = client.get(picture_of(hidden))
        assert (response.status_code, response.content) == (200, PICTURE)
        assert response["Content-Type"] == "image/webp"
        assert "no-store" in response["Cache-Control"]


def test_a_hidden_picture_is_shown_to_nobody_else(outsider, staff, hidden):
    for client in (Client(), outsider.web()):
        assert client.get(picture_of(hidden)).status_code == 302
    assert staff.web.get(picture_of(hidden)).status_code == 403
    assert Client().get(reverse("ratings:image_sized", args=[hidden.pk, 512])).status_code == 404


def test_a_withdrawn_picture_is_shown_to_nobody(moderator, root, hidden):
    Image.objects.filter(pk=hidden.pk).update(status=ImageStatus.WITHDRAWN)
    for client in (moderator.web, root.web):
        assert client.get(picture_of(hidden)).status_code == 404
        assert "<img class" not in client.get(reverse("admin:ratings_image_change", args=[hidden.pk])).content.decode()


def test_a_picture_that_is_not_stored_is_not_found(moderator, hidden):
    default_storage.delete("picture.webp")
    assert moderator.web.get(picture_of(hidden)).status_code == 404
    Rendition.objects.all().delete()
    assert moderator.web.get(picture_of(hidden)).status_code == 404


@pytest.mark.parametrize(
    ("adult_class", "is_veiled"), [(AdultClass.SAFE, False), (AdultClass.ADULT, True), (AdultClass.UNKNOWN, True)]
)
def test_what_may_be_an_adult_picture_is_veiled(moderator, dataset, adult_class, is_veiled):
    image = Image.objects.first()
    Image.objects.filter(pk=image.pk).update(adult_class=adult_class)
    page = moderator.web.get(reverse("admin:ratings_image_change", args=[image.pk])).content.decode()
    assert ("picture-veiled" in page) is is_veiled


@pytest.mark.parametrize("adult_class", AdultClass.values)
def test_a_picture_that_is_not_public_is_shown_from_the_address_for_moderators(moderator, dataset, adult_class):
    image = Image.objects.first()
    Image.objects.filter(pk=image.pk).update(adult_class=adult_class)
    public = reverse("ratings:image_sized", args=[image.pk, 512])
    expected = public if adult_class == AdultClass.SAFE else picture_of(image)
    page = moderator.web.get(reverse("admin:ratings_image_changelist"), {"q": str(image.pk)}).content.decode()
    assert f'src="{expected}"' in page


def test_hide_and_restore_say_what_happens(moderator, rater, rate, dataset):
    rating = rate(rater)[0]
    images = [rating.image, *Image.objects.exclude(pk=rating.image_id)[:2]]
    hide_images(image_ids=[images[2].pk], by=moderator.user, reason="set-up", now=now())
    said = sentences(ask(moderator.web, "hide_images", images))
    assert "2 images are shown to nobody any more." in said
    assert "Its 1 rating is kept." in said
    assert "1 of the selected rows is not shown now" in said
    Image.objects.filter(pk=images[0].pk).update(status=ImageStatus.HIDDEN, is_open=False)
    Dataset.objects.update(target_rating_count=1)
    said = sentences(ask(moderator.web, "restore_images", images))
    assert "2 images are shown again." in said
    assert "1 of them have too few ratings" in said


def test_a_hundred_images_are_one_decision_and_no_more(moderator, dataset, adds_up):
    images = make_images(dataset, 81)
    address = reverse("admin:ratings_hide_images")
    everything = ",".join(image.pk.hex for image in Image.objects.all())
    assert moderator.web.post(address, {"keys": everything, "reason": "x"}).status_code == 400
    hundred = ",".join(image.pk.hex for image in Image.objects.exclude(pk=images[0].pk))
    assert moderator.web.post(address, {"keys": hundred, "reason": "x"}).status_code == 302
    assert Image.objects.filter(status=ImageStatus.HIDDEN).count() == 100
    message = moderator.web.get(reverse("admin:ratings_image_changelist")).content.decode()
    assert "Image hidden: 100" in message
    adds_up()


def test_the_action_keeps_the_way_to_its_one_image(moderator, dataset):
    image = Image.objects.first()
    action = hide_images(image_ids=[image.pk], by=moderator.user, reason="set-up", now=now())
    page = moderator.web.get(reverse("admin:ratings_moderationaction_change", args=[action.pk])).content.decode()
    assert f'href="{reverse("admin:ratings_image_change", args=[image.pk])}"' in page
    assert f'href="{reverse("admin:ratings_restore_images")}?keys={image.pk.hex}"' in page
    several = hide_images(image_ids=[i.pk for i in Image.objects.all()], by=moderator.user, reason="x", now=now())
    page = moderator.web.get(reverse("admin:ratings_moderationaction_change", args=[several.pk])).content.decode()
    assert "20 images" in page
    assert "decision-link" not in page


def test_datasets_are_decided_about_one_at_a_time(moderator, dataset):
    other = Dataset.objects.create(slug="other", name="Other", licence="CC0-1.0")
    data = {"action": "pause_dataset", "_selected_action": [str(dataset.pk), str(other.pk)], "index": "0"}
    address = reverse("admin:ratings_dataset_changelist")
    assert moderator.web.post(address, data)["Location"] == address
    assert "Decide about one at a time" in moderator.web.get(address).content.decode()
    assert not ModerationAction.objects.exists()


def test_pause_says_what_happens(moderator, dataset):
    said = sentences(ask(moderator.web, "pause_dataset", [dataset]))
    assert "No image of" in said
    assert "(20 images)" in said
    assert "may still be rated" in said


def test_the_action_leads_to_its_dataset(moderator, dataset):
    action = pause_dataset(dataset=dataset, by=moderator.user, reason="set-up", now=now())
    page = moderator.web.get(reverse("admin:ratings_moderationaction_change", args=[action.pk])).content.decode()
    found = moderator.web.get(f"{reverse('admin:ratings_dataset_changelist')}?q={dataset.slug}")
    assert f"?q={dataset.slug}" in page
    assert list(found.context["cl"].result_list) == [dataset]
    assert f"{reverse('admin:ratings_open_dataset')}?keys={dataset.pk.hex}" in page


def test_a_superuser_edits_the_words_and_the_order_of_a_dataset_and_nothing_else(root, dataset):
    address = reverse("admin:ratings_dataset_change", args=[dataset.pk])
    assert root.web.get(address).status_code == 200
    Dataset.objects.filter(pk=dataset.pk).update(image_count=4711)
    data = {
        "name": "Better name",
        "description": "",
        "licence": "CC-BY-4.0",
        "ratings_licence": "CC0-1.0",
        "state": "closed",
        "target_rating_count": "99",
        "image_count": "1",
        "order_policy": "depth",
        "contested_rating_count": "20",
        "narrow_enough": "1.5",
        "slug": "taken",
    }
    assert root.web.post(address, data).status_code == 302
    dataset.refresh_from_db()
    assert (dataset.name, dataset.licence, dataset.image_count) == ("Better name", "CC-BY-4.0", 4711)
    assert (dataset.state, dataset.target_rating_count) == ("open", 5)
    assert dataset.order_policy == "depth"
    assert dataset.slug != "taken"
