"""The statements that store a set from a relay: a fixed number of them, whatever the set holds.

Locks are taken in the order of everywhere else: dataset, ratings, images by id, rater.
"""

import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple

from ratings.queries.prepared import fetch_prepared

FIND = """
SELECT (
    SELECT r.id FROM ratings_rater r JOIN accounts_identity i ON i.id = r.identity_id
    WHERE i.kind = %(kind)s AND i.external_id = %(external_id)s
), (SELECT id FROM ratings_dataset WHERE slug = %(slug)s)
"""
# The primary key decides which of two that come at once is the first: the other waits here for it to commit.
CLAIM = """
INSERT INTO ratings_imageset (id, dataset_id, image_count, created_at)
VALUES (%(set)s, %(dataset)s, %(image_count)s, %(now)s) ON CONFLICT (id) DO NOTHING RETURNING id
"""
# The dataset is locked first, as importers do. What waited for the lock counts on from what the other wrote.
ADD_IMAGES = """
WITH dataset AS (
    SELECT id FROM ratings_dataset WHERE id = %(dataset)s FOR NO KEY UPDATE
), fresh AS (
    INSERT INTO ratings_image (
        id, dataset_id, status, adult_class, is_open, sampling_key, rating_count, aesthetic_sum, artifacts_count,
        artifacts_sum, sha256, width, height, mime, source_id, source_url, licence, prompt, model_name, generation,
        created_at
    )
    SELECT given.id, dataset.id, 'pending', 'unknown', false, given.sampling_key, 0, 0, 0, 0, '', 0, 0, '',
        given.id::text, '', '', '', '', '{}', %(now)s
    FROM unnest(%(images)s::uuid[], %(sampling_keys)s::int[]) given (id, sampling_key), dataset
    ORDER BY given.id
    ON CONFLICT DO NOTHING RETURNING id
)
UPDATE ratings_dataset d SET image_count = d.image_count + fresh_ones.n
FROM (SELECT count(*) AS n FROM fresh) fresh_ones WHERE d.id = %(dataset)s AND fresh_ones.n > 0
RETURNING fresh_ones.n
"""
# What a linked person has rated as somebody else is left out as if they had rated it as this one; what another
# transaction rated or linked meanwhile is seen afterwards, as for SUBMIT in rating.py.
# Evidence that was not sent is what was known before. An account does not become younger: senders before March 2023
# left the days out of its age.
STORE = """
WITH given AS (
    SELECT id, position - 1 AS position FROM unnest(%(images)s::uuid[]) WITH ORDINALITY AS g (id, position)
), scored AS (
    SELECT * FROM unnest(%(rated)s::uuid[], %(aesthetic)s::int[], %(artifacts)s::int[]) s (id, aesthetic, artifacts)
), rater AS (
    SELECT known.*, CASE
        WHEN known.made_at IS NOT NULL THEN greatest(extract(epoch FROM %(now)s - known.made_at)::bigint, 0)
    END AS account_age FROM (
        SELECT r.id, r.identity_id, r.is_shared, r.is_linked, i.user_id, r.state, r.is_trusted, r.rating_count,
            r.challenges_failed,
            coalesce(%(images_generated)s::bigint, r.images_generated) AS images_generated,
            coalesce(%(kudos)s::bigint, r.external_kudos) AS kudos,
            coalesce(%(is_trusted)s::boolean, r.is_trusted_elsewhere) AS is_trusted_elsewhere,
            least(%(account_made_at)s::timestamptz, r.external_created_at) AS made_at
        FROM ratings_rater r JOIN accounts_identity i ON i.id = r.identity_id WHERE r.id = %(rater)s
    ) known
), image AS (
    SELECT m.id, m.dataset_id, d.target_rating_count AS target, given.position
    FROM given JOIN ratings_image m ON m.id = given.id JOIN ratings_dataset d ON d.id = m.dataset_id
    WHERE m.status IN ('pending', 'active') AND d.state <> 'closed'
), place AS (
    INSERT INTO ratings_imageinset (image_set_id, image_id, position) SELECT %(set)s, id, position FROM image
), comparison AS (
    INSERT INTO ratings_comparison (
        rater_id, is_shared, image_set_id, best_id, best_from, is_tied, created_at, proof, client_agent, address_hash,
        country, image_ids, images_key, state, rater_images_generated, rater_kudos, rater_account_age,
        rater_is_trusted, rater_is_trusted_elsewhere, rater_rating_count, rater_challenges_failed
    )
    SELECT id, is_shared, %(set)s, %(best)s::uuid, %(best_from)s, %(is_tied)s, %(now)s, 'relay', %(client_agent)s,
        %(address_hash)s, '', %(images)s::uuid[], %(images_key)s,
        CASE WHEN state IN ('quarantined', 'voided') THEN 'quarantined' ELSE 'counted' END, images_generated,
        kudos, account_age, is_trusted, is_trusted_elsewhere, rating_count, challenges_failed
    FROM rater WHERE %(best)s::uuid IS NOT NULL
), rating AS (
    INSERT INTO ratings_rating (
        dataset_id, image_id, rater_id, is_shared, aesthetic, artifacts, state, created_at, reward, proof, is_late,
        client_agent, address_hash, country, scale_version, rater_images_generated, rater_kudos, rater_account_age,
        rater_is_trusted, rater_is_trusted_elsewhere, rater_rating_count, rater_challenges_failed
    )
    SELECT image.dataset_id, image.id, rater.id, rater.is_shared, scored.aesthetic, scored.artifacts,
        CASE WHEN rater.state IN ('quarantined', 'voided') THEN 'quarantined' ELSE 'counted' END,
        %(now)s, 0, 'relay', false, %(client_agent)s, %(address_hash)s, '', %(scale_version)s,
        rater.images_generated, rater.kudos, rater.account_age, rater.is_trusted, rater.is_trusted_elsewhere,
        rater.rating_count, rater.challenges_failed
    FROM scored JOIN image ON image.id = scored.id, rater
    WHERE NOT rater.is_linked OR NOT EXISTS (
        SELECT 1 FROM accounts_identity s JOIN ratings_rater t ON t.identity_id = s.id
            JOIN ratings_rating o ON o.rater_id = t.id AND o.image_id = image.id
        WHERE s.user_id = rater.user_id AND t.id <> rater.id AND NOT o.is_shared
    )
    ORDER BY image.id
    ON CONFLICT DO NOTHING
    RETURNING id, image_id, aesthetic, artifacts, state
), locked AS (
    SELECT m.id, rating.aesthetic, rating.artifacts, image.target
    FROM rating JOIN image ON image.id = rating.image_id JOIN ratings_image m ON m.id = rating.image_id
    WHERE rating.state = 'counted' ORDER BY m.id FOR NO KEY UPDATE OF m
), image_counters AS (
    UPDATE ratings_image m SET
        rating_count = m.rating_count + 1,
        aesthetic_sum = m.aesthetic_sum + locked.aesthetic,
        artifacts_count = m.artifacts_count + (locked.artifacts IS NOT NULL)::int,
        artifacts_sum = m.artifacts_sum + coalesce(locked.artifacts, 0),
        is_open = m.is_open AND m.rating_count + 1 < coalesce(m.wanted_count, locked.target)
    FROM locked WHERE m.id = locked.id RETURNING m.id
), known_as AS (
    UPDATE accounts_identity i SET name = %(name)s FROM rater
    WHERE i.id = rater.identity_id AND NOT rater.is_shared AND i.name <> %(name)s
), rater_refreshed AS (
    UPDATE ratings_rater r SET
        rating_count = r.rating_count + stored.n,
        counted_count = r.counted_count + stored.counted,
        images_generated = coalesce(%(images_generated)s::bigint, r.images_generated),
        external_kudos = coalesce(%(kudos)s::bigint, r.external_kudos),
        is_trusted_elsewhere = coalesce(%(is_trusted)s::boolean, r.is_trusted_elsewhere),
        external_created_at = least(%(account_made_at)s::timestamptz, r.external_created_at)
    FROM (SELECT count(*) AS n, count(*) FILTER (WHERE state = 'counted') AS counted FROM rating) stored,
        (SELECT count(*) AS n FROM image_counters) images_done
    WHERE r.id = %(rater)s AND NOT r.is_shared AND images_done.n >= 0
    RETURNING r.state IN ('quarantined', 'voided') AS is_out, r.is_linked
)
SELECT (SELECT count(*) FROM image), ARRAY(SELECT id FROM rating), rater.state IN ('quarantined', 'voided'),
    coalesce((SELECT is_out FROM rater_refreshed), rater.state IN ('quarantined', 'voided')),
    coalesce((SELECT is_linked FROM rater_refreshed), false) FROM rater
"""


class StoredRows(NamedTuple):
    """How many images of the set may be rated, which ratings were new, and whether their rater counts.

    ``is_quarantined`` is how the ratings were stored, ``is_quarantined_now`` what the update of the rater found, and
    ``is_linked`` whether it found that the person has other raters.
    """

    image_count: int
    rating_ids: list[int]
    is_quarantined: bool
    is_quarantined_now: bool
    is_linked: bool


def find_rater_and_dataset(*, kind: str, external_id: str, slug: str) -> tuple[int | None, uuid.UUID | None]:
    """Return the rater of an identity and the dataset of a slug, each None when there is none."""
    [row] = fetch_prepared(FIND, {"kind": kind, "external_id": external_id, "slug": slug})
    return row[0], row[1]


def claim_set(params: Mapping[str, Any]) -> bool:
    """Insert the row of the set; return whether nobody had before."""
    return bool(fetch_prepared(CLAIM, params))


def add_pending_images(params: Mapping[str, Any]) -> int:
    """Insert the images that are not known yet; return how many."""
    rows = fetch_prepared(ADD_IMAGES, params)
    return int(rows[0][0]) if rows else 0


def store_set(params: Mapping[str, Any]) -> StoredRows:
    """Insert places, comparison and ratings, and bring the counters and the rater up to date."""
    [row] = fetch_prepared(STORE, params)
    return StoredRows(*row)
