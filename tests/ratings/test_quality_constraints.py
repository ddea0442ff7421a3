"""What the database refuses of scores, states and controls. Each row is saved first without what makes it wrong."""

import uuid

import pytest
from django.db import transaction

from ratings.models import (
    Appeal,
    ControlAnswer,
    Dataset,
    GoldImage,
    ImageScore,
    Rater,
    RaterScore,
    RaterSignal,
    RaterTransition,
    TaskParameters,
)
from tests.factories import DatasetFactory, make_images
from tests.people import make_person, now
from tests.ratings.test_constraints import refused

pytestmark = pytest.mark.django_db


def control(rater, image, number, **fields):
    plain = {"kind": "gold", "aesthetic": 5, "client_agent": "t", "created_at": now(), "dataset_id": image.dataset_id}
    return ControlAnswer.objects.create(id=number, rater=rater, image=image, **plain | fields)


@pytest.fixture
def rater():
    return Rater.objects.get(identity_id=make_person().identity_id)


@pytest.fixture
def image():
    return make_images(DatasetFactory(), 1)[0]


@pytest.fixture
def rows(rater, image):
    dataset = image.dataset
    score = {"score": 5, "low": 4, "high": 6, "standard_error": 0.5}
    step = {"from_state": "new", "to_state": "calibrated", "reason": "follows the images", "taken_at": now()}
    return {
        Appeal: Appeal.objects.create(rater=rater, opened_at=now()),
        ControlAnswer: control(rater, image, 1),
        Dataset: dataset,
        GoldImage: GoldImage.objects.create(image=image, dataset=dataset),
        ImageScore: ImageScore.objects.create(image=image, dataset=dataset, task="aesthetic", **score),
        RaterScore: RaterScore.objects.create(rater=rater, dataset=dataset, task="aesthetic"),
        RaterSignal: RaterSignal.objects.create(
            rater=rater, dataset=dataset, kind="pace", value=1, answer_count=1, measured_at=now()
        ),
        RaterTransition: RaterTransition.objects.create(rater=rater, **step),
    }


CHECKS = [
    (Dataset, "dataset_cap_within_reason", {"contested_rating_count": 1000}, {"contested_rating_count": 1001}),
    (Dataset, "dataset_cap_within_reason", {"narrow_enough": 0.1}, {"narrow_enough": 0}),
    (ControlAnswer, "control_answer_aesthetic_within_scale", {"aesthetic": None}, {"aesthetic": 0}),
    (ControlAnswer, "control_answer_aesthetic_within_scale", {"aesthetic": 10}, {"aesthetic": 11}),
    (ControlAnswer, "control_answer_artifacts_within_scale", {"artifacts": 5}, {"artifacts": 6}),
    (Appeal, "appeal_decided_has_a_time", {"state": "to_person"}, {"state": "passed"}),
    (Appeal, "appeal_decided_has_a_time", {"state": "closed", "decided_at": now()}, {"state": "open"}),
    (ControlAnswer, "control_answer_said_within_scale", {"said_aesthetic": 10}, {"said_aesthetic": 11}),
    (ControlAnswer, "control_answer_said_within_scale", {"said_artifacts": 5}, {"said_artifacts": 6}),
    (GoldImage, "gold_image_shares_are_between", {"aesthetic_share": 0.01}, {"aesthetic_share": 0}),
    (GoldImage, "gold_image_shares_are_between", {"artifacts_share": 0.99}, {"artifacts_share": 1}),
    (GoldImage, "gold_image_retired_has_a_time", {"state": "in_use"}, {"state": "retired"}),
    (GoldImage, "gold_image_retired_has_a_time", {"state": "retired", "retired_at": now()}, {"retired_at": None}),
    (ImageScore, "image_score_within_its_interval", {"low": 5}, {"low": 5.1}),
    (ImageScore, "image_score_within_its_interval", {"high": 5}, {"high": 4.9}),
    (ImageScore, "image_score_within_its_interval", {"standard_error": 0}, {"standard_error": -1}),
    (RaterScore, "rater_score_is_a_probability", {"p_honest": 1}, {"p_honest": 1.1}),
    (RaterScore, "rater_score_is_a_probability", {"reliability": 0}, {"reliability": -0.1}),
    (
        RaterSignal,
        "rater_signal_striking_has_a_time",
        {"is_striking": True, "struck_at": "2026-11-24T00:00Z"},
        {"is_striking": True, "struck_at": None},
    ),
    (RaterTransition, "rater_transition_leads_elsewhere", {"to_state": "trusted"}, {"to_state": "new"}),
    (RaterTransition, "rater_transition_states_a_reason", {"reason": "r"}, {"reason": ""}),
]


@pytest.mark.parametrize(
    ("model", "constraint", "right", "wrong"), CHECKS, ids=[f"{n}-{check[1]}" for n, check in enumerate(CHECKS)]
)
def test_a_row_is_refused_for_what_is_wrong_in_it(rows, model, constraint, right, wrong):
    row = model.objects.filter(pk=rows[model].pk)
    assert row.update(**right) == 1
    with refused(constraint), transaction.atomic():
        row.update(**wrong)


def test_each_is_known_once(rater, image):
    dataset = image.dataset
    once = {
        "appeal_one_at_a_time": lambda: Appeal.objects.create(rater=rater, opened_at=now()),
        "image_score_once_for_each_task": lambda: ImageScore.objects.create(
            image=image, dataset=dataset, task="artifacts"
        ),
        "rater_score_once_for_each_dataset_and_task": lambda: RaterScore.objects.create(
            rater=rater, dataset=dataset, task="artifacts"
        ),
        "task_parameters_once_for_each_task": lambda: TaskParameters.objects.create(
            dataset=dataset, task="artifacts", values={}
        ),
        "rater_signal_one_of_each_kind": lambda: RaterSignal.objects.create(
            rater=rater, dataset=dataset, kind="runs", value=1, answer_count=1, measured_at=now()
        ),
    }
    for constraint, make in once.items():
        make()
        with refused(constraint), transaction.atomic():
            make()


def test_a_control_is_answered_once(rater, image):
    [other] = make_images(image.dataset, 1)
    lease = uuid.uuid4()
    control(rater, image, 1, lease_id=lease, idempotency_key="k")
    with refused("control_answer_one_for_each_lease"), transaction.atomic():
        control(rater, other, 2, lease_id=lease)
    with refused("control_answer_one_for_each_idempotency_key"), transaction.atomic():
        control(rater, other, 2, idempotency_key="k")
    with refused("control_answer_once_for_each_rater"), transaction.atomic():
        control(rater, image, 2)
    assert control(rater, image, 2, kind="repeat")
