"""A site of thousands of raters who differ as people do: few countries and programs are common, many are rare."""

import uuid

from django.db import connection

from ratings.models import Dataset

# `spread` is a number in [0, 1) that depends on the rater and the attribute alone.
SPREAD = "(('x' || left(md5({name} || n), 8))::bit(32)::bigint / 4294967296.0)"
COUNTRIES = (
    "CASE WHEN {u} < 0.25 THEN '' ELSE chr(65 + (26 * {u} ^ 3)::int %% 26) || chr(65 + (40 * {u} ^ 6)::int %% 26) END"
)

RATERS = """
CREATE TEMPORARY TABLE site ON COMMIT PRESERVE ROWS AS
SELECT n, {country} AS country,
    'Client ' || (12 * {client} ^ 4)::int || ':1.' || n || ':me' || n AS client,
    CASE WHEN {images} < 0.7 THEN (exp(14 * {images}))::bigint END AS images,
    CASE WHEN {kudos} < 0.7 THEN (exp(16 * {kudos}) - 5)::bigint END AS kudos,
    (exp(9 * {given} ^ 3))::int - 1 AS given,
    CASE WHEN {age} < 0.9 THEN (700 * 86400 * {age} ^ 2)::int END AS age,
    {trust} < 0.04 AS is_trusted, {kind} < 0.2 AS is_anonymous, ceil(1 / (0.02 + {count}))::int AS ratings
FROM generate_series(1, %(raters)s) n
"""
PEOPLE = """
INSERT INTO accounts_identity (kind, external_id, created_at)
SELECT CASE WHEN is_anonymous THEN 'browser' ELSE 'horde' END, 'site-' || n, now() FROM site;
INSERT INTO ratings_rater (identity_id, state, is_shared, is_trusted, rating_count, counted_count,
                           challenges_failed, pseudonym_seed, created_at)
SELECT id, 'new', false, site.is_trusted, 0, 0, CASE WHEN n % 50 = 0 THEN n % 7 - 3 ELSE 0 END, gen_random_uuid(), now()
FROM site JOIN accounts_identity ON external_id = 'site-' || n
"""
IMAGES = """
INSERT INTO ratings_image (id, dataset_id, status, adult_class, is_open, sampling_key, rating_count, aesthetic_sum,
                           artifacts_count, artifacts_sum, sha256, width, height, mime, source_id, source_url,
                           licence, prompt, model_name, generation, created_at)
SELECT gen_random_uuid(), %(dataset)s, 'active', 'safe', true, n, 0, 0, 0, 0,
       encode(sha256(convert_to('site' || n, 'UTF8')), 'hex'), 512, 512, 'image/webp', 'source-' || n, '', '',
       '', '', '{}', now()
FROM generate_series(1, 200) n
"""
RATINGS = """
INSERT INTO ratings_rating (dataset_id, image_id, rater_id, is_shared, aesthetic, artifacts, state, created_at,
                            reward, proof, is_late, client_agent, address_hash, country, scale_version,
                            rater_images_generated, rater_kudos, rater_account_age, rater_is_trusted,
                            rater_rating_count, rater_challenges_failed, lease_id)
SELECT %(dataset)s, image.id, rater.id, false, 1 + (n * 7 + k * 3) %% 10, (n + k) %% 6,
       CASE WHEN n %% 40 = 0 THEN 'quarantined' ELSE 'counted' END, now() - random() * interval '90 days', 5, 'lease',
       false, client, md5(n::text), country, 1, images + 40 * k, kudos + 5 * k, age + 3600 * k, site.is_trusted, given + k,
       0, gen_random_uuid()
FROM site JOIN accounts_identity ON external_id = 'site-' || n
JOIN ratings_rater rater ON rater.identity_id = accounts_identity.id
CROSS JOIN LATERAL generate_series(0, ratings - 1) k
JOIN (SELECT id, row_number() OVER (ORDER BY sampling_key) - 1 AS place FROM ratings_image
      WHERE dataset_id = %(dataset)s) image ON image.place = (n * 17 + k) %% 200
"""


def create_site(*, raters: int) -> Dataset:
    """Return a dataset rated by that many people; who they are is the same on every run."""
    dataset = Dataset.objects.create(id=uuid.uuid4(), slug="site", name="Site", licence="CC0-1.0")
    names = ("country", "client", "images", "kudos", "given", "age", "trust", "kind", "count")
    spreads = {name: SPREAD.replace("{name}", f"'{name}'") for name in names}
    people = RATERS.format(**spreads | {"country": COUNTRIES.replace("{u}", spreads["country"])})
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS site")
        cursor.execute(people, {"raters": raters})
        cursor.execute(PEOPLE)
        for statement in (IMAGES, RATINGS):
            cursor.execute(statement, {"dataset": dataset.pk})
        cursor.execute("DROP TABLE site")
    return dataset
