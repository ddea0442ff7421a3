"""Many rows fast: a dataset with any number of ratings, made inside PostgreSQL with generate_series."""

import uuid

from django.db import connection

from ratings.models import Dataset

RATINGS_PER_IMAGE = 5

RATERS = """
WITH people AS (
    INSERT INTO accounts_identity (kind, external_id, created_at)
    SELECT CASE WHEN n %% 4 = 0 THEN 'browser' ELSE 'horde' END, %(slug)s || '-' || n, now()
    FROM generate_series(1, %(raters)s) n RETURNING id
)
INSERT INTO ratings_rater (identity_id, state, is_shared, is_trusted, rating_count, counted_count,
                           challenges_failed, pseudonym_seed, created_at)
SELECT id, 'new', false, false, 0, 0, 0, gen_random_uuid(), now() FROM people
"""

IMAGES = """
INSERT INTO ratings_image (id, dataset_id, status, adult_class, is_open, sampling_key, rating_count, aesthetic_sum,
                           artifacts_count, artifacts_sum, sha256, width, height, mime, source_id, source_url,
                           licence, prompt, model_name, generation, planted_artifacts, created_at)
SELECT gen_random_uuid(), %(dataset)s, 'active', 'safe', n %% 3 = 0, n, 0, 0, 0, 0,
       encode(sha256(convert_to(%(slug)s || n, 'UTF8')), 'hex'), 512, 768, 'image/webp', 'source-' || n, '', '',
       repeat('a castle on a hill, oil on canvas, ', 1 + n %% 4) || n, 'model ' || n %% 20, '{}', 3, now()
FROM generate_series(1, %(images)s) n
"""

RATINGS = """
INSERT INTO ratings_rating (dataset_id, image_id, rater_id, is_shared, aesthetic, artifacts, state, created_at,
                            reward, proof, is_late, client_agent, address_hash, country, scale_version,
                            rater_images_generated, rater_kudos, rater_account_age, rater_is_trusted,
                            rater_rating_count, rater_challenges_failed, lease_id, idempotency_key)
SELECT %(dataset)s, image.id, rater.id, false,
       1 + (random() * 9)::int, CASE WHEN random() < 0.8 THEN (random() * 5)::int END, 'counted',
       now() - random() * interval '90 days', 5, CASE WHEN random() < 0.3 THEN 'hash' ELSE 'lease' END,
       random() < 0.02, 'Client ' || (random() * 30)::int || ':1.2:someone@example.org', md5(answer.n::text),
       CASE WHEN random() < 0.5 THEN 'DE' ELSE '' END, 1,
       CASE WHEN random() < 0.7 THEN (random() * 100000)::bigint END,
       CASE WHEN random() < 0.7 THEN (random() * 1000000)::bigint END, (random() * 40000000)::int,
       random() < 0.1, (random() * 5000)::int, 0, gen_random_uuid(), NULL
FROM generate_series(0, %(ratings)s::bigint - 1) answer (n)
JOIN (SELECT id, row_number() OVER (ORDER BY sampling_key) - 1 AS place FROM ratings_image
      WHERE dataset_id = %(dataset)s) image ON image.place = (answer.n * 7919) %% %(images)s
JOIN (SELECT rater.id, row_number() OVER (ORDER BY rater.id) - 1 AS place FROM ratings_rater rater
      JOIN accounts_identity ON accounts_identity.id = identity_id
      WHERE external_id LIKE %(slug)s || '-%%') rater
  ON rater.place = (image.place * 31 + answer.n / %(images)s * 977) %% %(raters)s
"""


def create_volume(*, slug: str, ratings: int, raters: int = 5_000) -> Dataset:
    """Return a new dataset with that many counted ratings, five for each image.

    Raters are spread evenly, which is harder on pseudonyms than the few busy people of real life.
    """
    dataset = Dataset.objects.create(id=uuid.uuid4(), slug=slug, name=slug, licence="CC0-1.0")
    values = {
        "slug": slug,
        "dataset": dataset.pk,
        "ratings": ratings,
        "images": max(1, ratings // RATINGS_PER_IMAGE),
        "raters": raters,
    }
    with connection.cursor() as cursor:
        for statement in (RATERS, IMAGES, RATINGS):
            cursor.execute(statement, values)
        for table in ("ratings_rating", "ratings_image", "ratings_rater", "accounts_identity"):
            cursor.execute(f"ANALYZE {table}")
    return dataset
