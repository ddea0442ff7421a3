"""A dataset whose images have a quality that the test knows, and people who see it."""

import random

from django.db import connection

from ratings.models import Rater, Rating
from ratings.services.scoring import memory, update_scores
from ratings.stats.parameters import Policy
from tests.factories import DatasetFactory, make_images
from tests.people import make_person, now

POLICY = Policy()


class Crowd:
    """Images with a quality from 2 to 9, and raters; ratings are stored in the order in which they are asked for."""

    def __init__(self, *, images=60, people=12, **fields):
        self.dataset = DatasetFactory(**{"target_rating_count": 1000} | fields)
        self.images = make_images(self.dataset, images)
        self.dice = random.Random(5)
        self.quality = {image.pk: self.dice.uniform(2, 9) for image in self.images}
        self.people = [make_person() for _ in range(people)]
        self.raters = [Rater.objects.get(identity=person.identity_id) for person in self.people]

    def honest(self, image):
        return min(10, max(1, round(self.quality[image.pk] + self.dice.gauss(0, 1.2))))

    def blind(self, image):
        del image
        return self.dice.randint(1, 10)

    @staticmethod
    def values(answer, image):
        aesthetic = answer(image)
        return {"aesthetic": aesthetic, "artifacts": 5 - aesthetic // 2}

    def rate(self, rater, images=None, answer=None, **fields):
        """Store ratings with counters, as `submit_rating` does; return them."""
        chosen = self.images if images is None else images
        plain = {"dataset": self.dataset, "rater": rater, "proof": "lease", "scale_version": 1} | fields
        rows = Rating.objects.bulk_create(
            Rating(image=image, client_agent="tests:1:nobody", **self.values(answer or self.honest, image) | plain)
            for image in chosen
        )
        self.count()
        return rows

    def rate_all(self):
        for rater in self.raters:
            self.rate(rater)

    def count(self):
        """Bring the counters into line with the rows."""
        with connection.cursor() as cursor:
            cursor.execute(COUNT_IMAGES)
            cursor.execute(COUNT_RATERS)

    def take(self, **options):
        return update_scores(dataset_id=self.dataset.pk, policy=POLICY, now=now(), **options)

    def take_anew(self, **options):
        """Take as a process does that has just begun: from the rows alone."""
        memory.forget_states(self.dataset.pk)
        return self.take(**options)


COUNT_IMAGES = """
    UPDATE ratings_image i SET rating_count = g.n, aesthetic_sum = g.s, artifacts_count = g.an, artifacts_sum = g.a,
        is_open = i.status = 'active' AND g.n < coalesce(i.wanted_count, d.target_rating_count)
    FROM (
        SELECT image_id, count(*) n, sum(aesthetic) s, count(artifacts) an, coalesce(sum(artifacts), 0) a
        FROM ratings_rating WHERE state = 'counted' GROUP BY 1
    ) g, ratings_dataset d WHERE g.image_id = i.id AND d.id = i.dataset_id
"""
COUNT_RATERS = """
    UPDATE ratings_rater t SET rating_count = g.n, counted_count = g.c
    FROM (
        SELECT rater_id, count(*) n, count(*) FILTER (WHERE state = 'counted') c FROM ratings_rating GROUP BY 1
    ) g WHERE g.rater_id = t.id AND NOT t.is_shared
"""
