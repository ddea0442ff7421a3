"""The administration of releases: a list to look at, and a button for those who may."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from exports.models import Release
from tests.people import make_person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("at_once")]
LIST = "admin:exports_release_changelist"


@pytest.fixture
def staff(transactional_db):
    """Sign in somebody of the staff with some permissions on releases."""

    def sign_in(*codenames):
        person = make_person("staff", is_staff=True)
        person.user.user_permissions.set(
            Permission.objects.filter(content_type__app_label="exports", codename__in=codenames)
        )
        return person.web()

    return sign_in


def test_it_works(staff, release):
    Release.objects.create(
        dataset=release.dataset, version="2000-01-01", schema_version="1.0", state="failed", failure="the disk was full"
    )
    page = staff("view_release").get(reverse(LIST)).content.decode()
    assert release.version in page
    assert "the disk was full" in page
    assert "Build a release now" not in page


def test_a_release_shows_its_files(staff, release):
    address = reverse("admin:exports_release_change", args=[release.pk])
    page = staff("view_release", "view_releasefile").get(address).content.decode()
    for file in release.files.all():
        assert file.sha256 in page


def test_a_release_is_built_on_request(staff, harbours):
    client = staff("view_release", "add_release")
    assert "Build a release now" in client.get(reverse(LIST)).content.decode()
    response = client.post(reverse("admin:exports_release_build"), {"dataset": harbours.pk}, follow=True)
    assert "A worker is asked to build a release of harbours." in response.content.decode()
    assert Release.objects.get().state == "published"


@pytest.mark.parametrize("dataset", ["", "nonsense", "00000000-0000-0000-0000-000000000000"])
def test_it_wants_a_dataset_that_exists(staff, harbours, dataset):
    client = staff("view_release", "add_release")
    response = client.post(reverse("admin:exports_release_build"), {"dataset": dataset}, follow=True)
    assert "Choose one of the datasets." in response.content.decode()
    assert not Release.objects.exists()


def test_looking_is_not_building(staff, harbours):
    client = staff("view_release")
    assert client.post(reverse("admin:exports_release_build"), {"dataset": harbours.pk}).status_code == 403
    assert not Release.objects.exists()


def test_building_wants_a_post(staff, harbours):
    assert staff("add_release").get(reverse("admin:exports_release_build")).status_code == 405


def test_an_outsider_sees_nothing(client, outsider, release):
    for who in (client, outsider.web()):
        assert who.get(reverse(LIST)).status_code in {302, 403}
        assert who.post(reverse("admin:exports_release_build"), {"dataset": release.dataset_id}).status_code in {
            302,
            403,
        }
    assert Release.objects.count() == 1


def test_nobody_edits_a_release(staff, release):
    client = staff("view_release", "change_release", "delete_release", "add_release")
    change = reverse("admin:exports_release_change", args=[release.pk])
    assert client.post(change, {"version": "2000-01-01"}).status_code == 403
    assert client.post(reverse("admin:exports_release_delete", args=[release.pk]), {"post": "yes"}).status_code == 403
    assert client.get(reverse("admin:exports_release_add")).status_code == 403


@pytest.mark.parametrize(("term", "found"), [("harbours", True), ("20", True), ("nothing", False)])
def test_releases_are_found(staff, release, term, found):
    page = staff("view_release").get(reverse(LIST), {"q": term}).content.decode()
    assert (f"/{release.pk}/change/" in page) is found


def test_a_dataset_leads_to_its_releases(release):
    client = make_person("chief", is_staff=True, is_superuser=True).web()
    page = client.get(reverse("admin:ratings_dataset_change", args=[release.dataset_id])).content.decode()
    assert f"{reverse(LIST)}?dataset__id__exact={release.dataset_id}" in page
    assert client.get(reverse(LIST), {"dataset__id__exact": release.dataset_id}).status_code == 200
