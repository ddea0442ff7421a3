"""What the database refuses of ratings. Each row is saved first without what makes it wrong."""

import uuid

import pytest
from django.db import IntegrityError, connection, transaction

from kudos.models import AccountKind, Reason
from kudos.services import Posting, ensure_user_accounts, post_transactions, system_account_id
from ratings.models import (
    Comparison,
    ComparisonRevision,
    Dataset,
    Image,
    ImageInSet,
    ImageSet,
    ModerationAction,
    Rater,
    Rating,
    Rendition,
    Report,
    Revision,
    SetSkip,
    Skip,
    key_of_images,
)
from tests.factories import DatasetFactory, make_images
from tests.people import make_person, now

pytestmark = pytest.mark.django_db


def refused(constraint):
    """Expect the refusal by this very constraint: PostgreSQL quotes its name."""
    return pytest.raises(IntegrityError, match=f'"{constraint}"')


@pytest.fixture
def person():
    return make_person("rater")


@pytest.fixture
def rater(person):
    return Rater.objects.get(identity_id=person.identity_id)


@pytest.fixture
def settlement(person):
    account = ensure_user_accounts([person.identity_id])[person.identity_id]
    legs = ((system_account_id(AccountKind.TREASURY), -5), (account, 5))
    return post_transactions(reason=Reason.RATING, postings=[Posting("r:1", legs)], now=now())["r:1"]


@pytest.fixture
def action(person):
    return ModerationAction.objects.create(kind="void_ratings", taken_by=person.user, target="rater 1", reason="spam")


def make_rating(rater, image, **fields):
    plain = {"aesthetic": 5, "proof": "lease", "client_agent": "t", "scale_version": 1}
    keys = {"lease_id": uuid.uuid4(), "idempotency_key": uuid.uuid4().hex}
    return Rating.objects.create(rater=rater, image=image, dataset_id=image.dataset_id, **plain, **keys, **fields)


def make_revision(rating, number=1):
    return Revision.objects.create(rating=rating, number=number, aesthetic=5, idempotency_key=uuid.uuid4().hex)


def make_rendition(image, size):
    return Rendition.objects.create(
        image=image, size=size, width=size, height=size, byte_count=1, sha256="0" * 64, file=f"{image.pk}/{size}.webp"
    )


def make_image_set(images):
    made = ImageSet.objects.create(dataset=images[0].dataset, image_count=len(images))
    places = [ImageInSet(image_set=made, image=image, position=position) for position, image in enumerate(images)]
    ImageInSet.objects.bulk_create(places)
    return made


def make_comparison(rater, images, **fields):
    ids = [image.pk for image in images]
    plain = {"best": images[0], "best_from": "highest", "proof": "relay", "client_agent": "t"}
    plain |= {"image_ids": ids, "images_key": key_of_images(ids), "lease_id": uuid.uuid4()}
    plain["idempotency_key"] = uuid.uuid4().hex
    return Comparison.objects.create(rater=rater, image_set=make_image_set(images), **(plain | fields))


def make_comparison_revision(comparison, number):
    plain = {"outcome": "best", "best_id": comparison.best_id, "idempotency_key": uuid.uuid4().hex}
    return ComparisonRevision.objects.create(comparison=comparison, number=number, **plain)


@pytest.fixture
def rows(rater, settlement, action):
    """One row of each model; the rating is settled, voided and debited."""
    [image] = make_images(DatasetFactory(), 1)
    voided = {"state": "voided", "moderation_action": action, "settlement_id": settlement, "void_debit": 5}
    comparison = make_comparison(rater, [image], reward=5, **voided)
    return {
        Comparison: comparison,
        ComparisonRevision: make_comparison_revision(comparison, 1),
        Dataset: image.dataset,
        Image: image,
        ImageSet: comparison.image_set,
        ModerationAction: action,
        Rater: rater,
        Rating: make_rating(rater, image, reward=5, **voided),
        Report: Report.objects.create(rater=rater, image=image, reason="broken"),
        Revision: make_revision(make_rating(rater, make_images(image.dataset, 1)[0])),
    }


# Measurements, and the least that each can be.
MEASURED = {
    "session_position": 1,
    "decode_ms": 0,
    "first_input_ms": 0,
    "answer_ms": 0,
    "displayed_width": 1,
    "pixel_ratio": 1,
}
CHECKS = [
    *(
        (Comparison, "comparison_tie_implies_derived", {"is_tied": True}, {"best_from": source})
        for source in ("given", "only")
    ),
    (Comparison, "comparison_best_if_and_only_if_one_is", {"outcome": "best"}, {"outcome": "tie"}),
    (Comparison, "comparison_best_if_and_only_if_one_is", {"outcome": "all_bad", "best": None}, {"outcome": "best"}),
    (Comparison, "comparison_best_was_shown", {"outcome": "best"}, {"image_ids": [uuid.UUID(int=1)]}),
    (Comparison, "comparison_shows_two_to_four", {"proof": "relay"}, {"proof": "lease"}),
    (
        Comparison,
        "comparison_shows_two_to_four",
        {"outcome": "tie", "best": None, "image_ids": [uuid.UUID(int=n) for n in range(4)], "proof": "lease"},
        {"image_ids": [uuid.UUID(int=n) for n in range(5)]},
    ),
    (Comparison, "comparison_debit_implies_voided_and_settled", {"void_debit": 0}, {"state": "counted"}),
    (Comparison, "comparison_debit_implies_voided_and_settled", {"void_debit": 5}, {"settlement": None}),
    (Comparison, "comparison_void_names_an_action", {"state": "voided"}, {"moderation_action": None}),
    *(
        (Comparison, "comparison_measurements_are_positive", {name: least}, {name: least - 1})
        for name, least in MEASURED.items()
    ),
    (
        ComparisonRevision,
        "comparison_revision_best_if_and_only_if_one_is",
        {"outcome": "tie", "best": None},
        {"outcome": "best"},
    ),
    (ImageSet, "image_set_has_an_image", {"image_count": 1}, {"image_count": 0}),
    (Dataset, "dataset_target_within_reason", {"target_rating_count": 1}, {"target_rating_count": 0}),
    (Dataset, "dataset_target_within_reason", {"target_rating_count": 1000}, {"target_rating_count": 1001}),
    (Dataset, "dataset_states_licences", {"licence": "MIT"}, {"licence": ""}),
    (Dataset, "dataset_states_licences", {"ratings_licence": "MIT"}, {"ratings_licence": ""}),
    *(
        (Image, "image_open_implies_active", {"is_open": False, "status": status}, {"is_open": True})
        for status in ("pending", "hidden", "withdrawn")
    ),
    (Image, "image_aesthetic_sum_within_scale", {"rating_count": 2, "aesthetic_sum": 2}, {"aesthetic_sum": 1}),
    (Image, "image_aesthetic_sum_within_scale", {"rating_count": 2, "aesthetic_sum": 20}, {"aesthetic_sum": 21}),
    (Image, "image_artifacts_sum_within_scale", {"artifacts_count": 2, "artifacts_sum": 10}, {"artifacts_sum": 11}),
    (Image, "image_planted_artifacts_within_scale", {"planted_artifacts": 5}, {"planted_artifacts": 6}),
    (ModerationAction, "moderation_action_states_a_reason", {"reason": "s"}, {"reason": ""}),
    (Rater, "rater_shared_has_no_counters", {"is_shared": True}, {"rating_count": 1}),
    (Rater, "rater_shared_has_no_counters", {"is_shared": True}, {"rating_count": 1, "counted_count": 1}),
    (Rater, "rater_shared_has_no_counters", {"rating_count": 1}, {"is_shared": True}),
    (
        Rater,
        "rater_state_before_is_of_a_quarantine",
        {"state": "quarantined", "state_before": "trusted"},
        {"state": "trusted"},
    ),
    (Rater, "rater_state_before_is_of_a_quarantine", {"state": "new"}, {"state_before": "new"}),
    (Rater, "rater_shared_is_nobody_in_particular", {"is_shared": True}, {"is_linked": True}),
    (Rater, "rater_shared_is_nobody_in_particular", {"is_linked": True}, {"is_shared": True}),
    (Rater, "rater_counted_are_given", {"rating_count": 2, "counted_count": 2}, {"counted_count": 3}),
    (Rating, "rating_aesthetic_within_scale", {"aesthetic": 1}, {"aesthetic": 0}),
    (Rating, "rating_aesthetic_within_scale", {"aesthetic": 10}, {"aesthetic": 11}),
    (Rating, "rating_artifacts_within_scale", {"artifacts": None}, {"artifacts": 6}),
    (Rating, "rating_artifacts_within_scale", {"artifacts": 5}, {"artifacts": 6}),
    (Rating, "rating_debit_implies_voided_and_settled", {"void_debit": 0}, {"state": "counted"}),
    (Rating, "rating_debit_implies_voided_and_settled", {"void_debit": 5}, {"settlement": None}),
    (Rating, "rating_void_names_an_action", {"state": "voided"}, {"moderation_action": None}),
    (Rating, "rating_import_may_be_repeated", {"proof": "import", "is_shared": True}, {"is_shared": False}),
    (Rating, "rating_import_may_be_repeated", {"proof": "relay", "is_shared": False}, {"proof": "import"}),
    (Rating, "rating_answers_a_question", {"aesthetic": None, "artifacts": 3}, {"artifacts": None}),
    (Rating, "rating_answers_a_question", {"aesthetic": 3, "artifacts": None}, {"aesthetic": None}),
    (
        Rating,
        "rating_unsure_of_artifacts_gives_none",
        {"artifacts": None, "is_artifacts_unsure": True},
        {"artifacts": 0},
    ),
    *(
        (Rating, "rating_measurements_are_positive", {name: least}, {name: least - 1})
        for name, least in {"revision_count": 0, **MEASURED}.items()
    ),
    (ModerationAction, "moderation_action_names_who_decided", {"kind": "hide_image"}, {"taken_by": None, "kind": "x"}),
    (
        ModerationAction,
        "moderation_action_names_who_decided",
        {"kind": "hide_image", "taken_by": None},
        {"kind": "restore_image"},
    ),
    (Report, "report_without_rater_came_of_skips", {"rater": None, "reason": "broken"}, {"reason": "gore"}),
    (Report, "report_without_rater_came_of_skips", {"rater": None, "reason": "broken"}, {"note": "n"}),
    (Report, "report_of_a_rater_has_a_reason_to_report", {"reason": "gore", "note": "n"}, {"reason": "text_only"}),
    (Revision, "revision_aesthetic_within_scale", {"aesthetic": 1}, {"aesthetic": 0}),
    (Revision, "revision_aesthetic_within_scale", {"aesthetic": None}, {"aesthetic": 11}),
    (Revision, "revision_artifacts_within_scale", {"artifacts": None}, {"artifacts": 6}),
]


@pytest.mark.parametrize(("model", "constraint", "right", "wrong"), CHECKS)
def test_a_row_is_refused_for_what_is_wrong_in_it(rows, model, constraint, right, wrong):
    row = model.objects.filter(pk=rows[model].pk)
    assert row.update(**right) == 1
    with refused(constraint), transaction.atomic():
        row.update(**wrong)


@pytest.mark.parametrize(
    "fields",
    [
        {"void_debit": None, "state": "counted"},
        {"void_debit": None, "settlement": None},
        {"void_debit": None, "state": "counted", "moderation_action": None},
    ],
    ids=str,
)
def test_a_rating_without_a_debit_may_be_counted_or_unsettled(rows, fields):
    assert Rating.objects.filter(pk=rows[Rating].pk).update(**fields) == 1


def test_rating_settlement_is_a_transaction(rows):
    """No foreign key says so: the trigger looks once for each statement, whatever way the row comes."""
    rating = rows[Rating]
    missing = rating.settlement_id + 1
    with refused("rating_settlement_is_a_transaction"), transaction.atomic():
        Rating.objects.filter(pk=rating.pk).update(settlement_id=missing)
    rating.pk, rating.lease_id, rating.idempotency_key, rating.is_shared = None, None, None, True
    rating.save(force_insert=True)
    rating.pk, rating.settlement_id = None, missing
    with refused("rating_settlement_is_a_transaction"), transaction.atomic():
        rating.save(force_insert=True)


@pytest.fixture
def threes(rater):
    """Three rows of each model: two with the same dataset, image or rater, and a third with another."""
    first, second = make_images(DatasetFactory(), 2)
    [third] = make_images(DatasetFactory(), 1)
    stranger = Rater.objects.get(identity_id=make_person().identity_id)
    two, one = make_comparison(rater, [first, second]), make_comparison(rater, [first, second])
    other = make_comparison(stranger, [third])
    places = [*two.image_set.places.order_by("position"), make_image_set([third]).places.get()]
    return {
        # The best goes with its set; the constraint about it has a test of its own.
        Comparison: (two, one, other),
        ComparisonRevision: tuple(make_comparison_revision(*one) for one in ((two, 1), (two, 2), (other, 2))),
        SetSkip: tuple(SetSkip.objects.create(rater=who, images_key=uuid.uuid4()) for who in (rater, rater, stranger)),
        ImageInSet: places,
        Image: (first, second, third),
        Rendition: (make_rendition(first, 512), make_rendition(first, 768), make_rendition(second, 768)),
        Rating: (make_rating(rater, first), make_rating(rater, second), make_rating(stranger, third)),
        Skip: tuple(
            Skip.objects.create(rater=who, image=image)
            for who, image in ((rater, first), (rater, second), (stranger, third))
        ),
        Report: tuple(
            Report.objects.create(rater=who, image=image, reason="broken")
            for who, image in ((rater, first), (rater, second), (stranger, third))
        ),
        Revision: three_revisions(rater, stranger),
    }


def three_revisions(rater, stranger):
    one, other = (make_rating(who, make_images(DatasetFactory(), 1)[0]) for who in (rater, stranger))
    return make_revision(one), make_revision(one, 2), make_revision(other, 3)


def take_over(source, target, field):
    """Give a row the value that another has."""
    return type(target).objects.filter(pk=target.pk).update(**{field: getattr(source, field)})


UNIQUE = [
    (ImageInSet, "image_in_set_once", "image_id"),
    (ImageInSet, "image_in_set_has_its_own_place", "position"),
    (Image, "image_source_is_known_once", "source_id"),
    (Image, "image_bytes_are_known_once", "sha256"),
    (Rendition, "rendition_one_of_each_size", "size"),
    (Rating, "rating_one_for_each_rater_and_image", "image_id"),
    (Rating, "rating_one_for_each_idempotency_key", "idempotency_key"),
    (Skip, "skip_one_for_each_rater_and_image", "image_id"),
    (Comparison, "comparison_one_for_each_idempotency_key", "idempotency_key"),
    (ComparisonRevision, "comparison_revision_one_for_each_number", "number"),
    (ComparisonRevision, "comparison_revision_one_for_each_idempotency_key", "idempotency_key"),
    (SetSkip, "set_skip_one_for_each_rater_and_images", "images_key"),
    (Report, "report_one_for_each_rater_image_and_reason", "image_id"),
    (Revision, "revision_one_for_each_number", "number"),
    (Revision, "revision_one_for_each_idempotency_key", "idempotency_key"),
]


@pytest.mark.parametrize(("model", "constraint", "field"), UNIQUE)
def test_the_same_again_is_refused_and_accepted_elsewhere(threes, model, constraint, field):
    first, second, third = threes[model]
    with refused(constraint), transaction.atomic():
        take_over(first, second, field)
    assert take_over(first, third, field) == 1


def test_one_rater_compares_a_set_once_unless_many_share_it(threes):
    first, second, third = threes[Comparison]
    with refused("comparison_one_for_each_rater_and_set"), transaction.atomic():
        take_over(first, second, "image_set_id")
    Comparison.objects.filter(pk__in=[first.pk, second.pk]).update(is_shared=True)
    assert take_over(first, second, "image_set_id") == 1
    assert take_over(first, third, "rater_id") == 1


def test_the_best_of_a_set_is_one_of_its_images(threes):
    first, _, third = threes[Comparison]
    inside = ImageInSet.objects.get(image_set_id=first.image_set_id, position=1)
    set_best(first, inside.image_id)
    with refused("comparison_best_is_in_its_set"):
        set_best(first, third.best_id)


def set_best(comparison, image_id):
    """Change the best, and check at once what else waits for the commit, which a test has none of."""
    with transaction.atomic():
        Comparison.objects.filter(pk=comparison.pk).update(best_id=image_id, image_ids=[image_id])
        connection.check_constraints()


@pytest.mark.parametrize(
    ("model", "constraint"),
    [(Rating, "rating_one_for_each_lease"), (Comparison, "comparison_one_for_each_lease")],
)
@pytest.mark.parametrize("position", [1, 2], ids=["by the same rater", "by another, of another image"])
def test_a_lease_is_answered_once_whatever_happens(threes, model, constraint, position):
    first, other = threes[model][0], threes[model][position]
    with refused(constraint), transaction.atomic():
        take_over(first, other, "lease_id")


@pytest.mark.parametrize(
    ("model", "exempt", "field"),
    [
        (Image, {"sha256": ""}, None),
        (Rating, {"is_shared": True}, "image_id"),
        (Rating, {"lease_id": None}, None),
        (Rating, {"idempotency_key": None}, None),
        (Revision, {"idempotency_key": None}, None),
    ],
    ids=str,
)
def test_what_is_exempt_may_be_the_same(threes, model, exempt, field):
    first, second, _ = threes[model]
    assert model.objects.filter(pk__in=[first.pk, second.pk]).update(**exempt) == 2
    assert field is None or take_over(first, second, field) == 1
