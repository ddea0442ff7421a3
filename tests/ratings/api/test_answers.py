"""Through the API: several images, the hash of the bytes, revising, skipping, reporting, giving back."""

import uuid

import pytest
from django.test import Client

from ratings.models import Dataset, Image, Rating, Report, Skip
from tests.ratings.views.test_rate_actions import make_rendition

pytestmark = pytest.mark.django_db
NEW = "/api/v1/rating/new"


@pytest.fixture
def api(rater, dataset):
    return rater.api()


def take(api, count=1):
    return api.get(NEW, {"count": count}).json()["images"]


def send(api, method, path, body=None, **headers):
    return getattr(api, method)(f"/api/v1/rating/{path}", body or {}, content_type="application/json", headers=headers)


def said(response):
    return response.status_code, response.json().get("rc")


class TestCount:
    def test_it_works(self, api):
        images = take(api, 10)
        assert len({image["id"] for image in images}) == 10
        assert set(images[0]) == set(api.get(NEW).json()) == {"id", "url", "dataset_id", "lease"}
        assert len(take(api, 1)) == 1

    def test_fewer_when_there_are_no_more(self, api, dataset):
        Image.objects.exclude(pk__in=list(dataset.images.values_list("pk", flat=True)[:2])).update(is_open=False)
        assert len(take(api, 5)) == 2

    @pytest.mark.parametrize("count", ["0", "11", "-1", "x", "", "1.0", "٣", "9" * 400])
    def test_a_wrong_count_is_said_to_be_wrong(self, api, count):
        response = api.get(NEW, {"count": count})
        assert said(response) == (400, "ValidationFailed")
        assert "count" in response.json()["errors"]

    @pytest.mark.parametrize("path", ["", "/demo"])
    def test_x_fields_and_datasets(self, api, path):
        response = api.get(f"{NEW}{path}", {"count": 2}, headers={"X-Fields": "id"})
        assert [set(image) for image in response.json()["images"]] == [{"id"}, {"id"}]


class TestHash:
    @pytest.mark.parametrize("has_lease", [True, False])
    def test_it_works(self, api, has_lease):
        [image] = take(api)
        make_rendition(image["id"])
        body = {"rating": 7, "sha256": "0123abcd" * 8} | ({"lease": image["lease"]} if has_lease else {})
        assert said(send(api, "post", image["id"], body | {"sha256": "ffffffff"})) == (409, "WrongBytes")
        assert Rating.objects.count() == 0
        assert send(api, "post", image["id"], body).status_code == 201
        assert Rating.objects.get().proof == "hash"

    @pytest.mark.parametrize("sha256", ["", "0123abc", "xxxxxxxx", "a" * 65, 12345678])
    def test_what_is_no_hash_is_refused(self, api, sha256):
        [image] = take(api)
        assert send(api, "post", image["id"], {"rating": 7, "sha256": sha256}).status_code in {400, 409}
        assert Rating.objects.count() == 0

    def test_null_is_none(self, api):
        [image] = take(api)
        assert send(api, "post", image["id"], {"rating": 7, "sha256": None}).status_code == 201
        assert Rating.objects.get().proof == "lookup"


class TestRevise:
    @pytest.fixture
    def image_id(self, api):
        [image] = take(api)
        send(api, "post", image["id"], {"rating": 7, "artifacts": 2, "lease": image["lease"]})
        return image["id"]

    def test_it_works(self, api, image_id):
        answer = send(api, "patch", image_id, {"rating": 3}).json()
        assert (answer["rating"], answer["artifacts"], answer["reward"]) == (3, 2, 5)
        assert "revisable_until" in answer
        assert send(api, "patch", image_id, {"rating": 3, "artifacts": "GARBAGE"}).json()["artifacts"] == 5
        assert send(api, "patch", image_id, {"rating": 3, "artifacts": None}).json()["artifacts"] is None
        assert Rating.objects.get().revision_count == 3

    def test_a_repeat_changes_nothing(self, api, image_id):
        for rating in (3, 3, 9):
            send(api, "patch", image_id, {"rating": rating}, **{"Idempotency-Key": "k"})
        assert (Rating.objects.get().aesthetic, Rating.objects.get().revision_count) == (3, 1)

    @pytest.mark.parametrize(
        "body", [{}, {"rating": 0}, {"rating": None}, {"rating": 5, "artifacts": 6}, {"rating": "x"}]
    )
    def test_wrong_values(self, api, image_id, body):
        assert said(send(api, "patch", image_id, body)) == (400, "ValidationFailed")

    def test_others_have_no_such_rating(self, api, image_id, outsider):
        for client in (outsider.api(), Client()):
            assert said(send(client, "patch", image_id, {"rating": 3})) == (404, "RatingNotFound")
        for path in ("x", str(uuid.uuid4())):
            assert said(send(api, "patch", path, {"rating": 3})) == (404, "RatingNotFound")
        assert Rating.objects.get().aesthetic == 7


class TestSkipReportReturn:
    def test_skip_and_back(self, api):
        [image] = take(api)
        assert send(api, "post", f"{image['id']}/skip").status_code == 200
        assert said(send(api, "post", f"{image['id']}/skip")) == (403, "NotLeased")
        given = {"lease": image["lease"], "reason": "broken"}
        assert send(api, "post", f"{image['id']}/skip", given).status_code == 200
        assert Skip.objects.get().reason == "broken"
        assert send(api, "delete", f"{image['id']}/skip", given).status_code == 200
        assert Skip.objects.count() == 0

    def test_report(self, api):
        [image] = take(api)
        body = {"lease": image["lease"], "reason": "copyright", "note": "by a known painter"}
        assert send(api, "post", f"{image['id']}/report", body).status_code == 201
        assert Report.objects.get().note == "by a known painter"
        for wrong in ({}, {"reason": "x"}, {"reason": "gore", "note": "n" * 501}, {"reason": 7}):
            refused = send(api, "post", f"{image['id']}/report", {"lease": image["lease"], **wrong})
            assert said(refused) == (400, "ValidationFailed")

    @pytest.mark.parametrize("what", ["skip", "report"])
    def test_what_was_not_leased_is_refused(self, api, outsider, what):
        [image] = take(api)
        body = {"reason": "broken"}
        for path, given in ((image["id"], body), (image["id"], body | {"lease": image["lease"]}), ("x", body)):
            assert said(send(outsider.api(), "post", f"{path}/{what}", given)) == (403, "NotLeased")
        assert not Skip.objects.exists()
        assert not Report.objects.exists()

    def test_leases_go_back(self, api, dataset, outsider):
        Image.objects.exclude(pk=dataset.images.first().pk).update(is_open=False)
        Dataset.objects.update(target_rating_count=1)
        [image] = take(api)
        assert outsider.api().get(NEW).status_code == 404
        for tokens in ([image["lease"]], [image["lease"], "x"], []):
            assert send(api, "delete", "lease", {"leases": tokens}).status_code == 204
        assert outsider.api().get(NEW).status_code == 200

    @pytest.mark.parametrize("body", [{}, {"leases": "x"}, {"leases": [1]}, {"leases": ["x"] * 21}])
    def test_what_are_no_leases_is_said_to_be_none(self, api, body):
        assert said(send(api, "delete", "lease", body)) == (400, "ValidationFailed")
