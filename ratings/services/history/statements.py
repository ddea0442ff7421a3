"""The SQL that takes an old export over. The temporary tables end with the connection, however it ends."""

DROP = "DROP TABLE IF EXISTS legacy_row, legacy_sorted, legacy_image"

CREATE = """
CREATE TEMPORARY TABLE legacy_row (
    place bigint, source uuid, rater_key text, aesthetic smallint, artifacts smallint, kudos bigint,
    account_age integer, images_generated bigint, created_at timestamptz, client_agent text, is_trusted boolean,
    is_validated boolean, challenges_failed integer, country text
);
CREATE TEMPORARY TABLE legacy_image (source uuid PRIMARY KEY, image_id uuid)
"""

COPY_ROWS = "COPY legacy_row FROM STDIN (FORMAT csv)"

# Ids that other datasets have, and ids that such images were given here by an earlier run.
TAKEN = """
SELECT DISTINCT source FROM legacy_row
WHERE EXISTS (SELECT 1 FROM ratings_image m WHERE m.id = source AND m.dataset_id <> %(dataset)s)
"""
COPY_IMAGES = "COPY legacy_image FROM STDIN"
RENAMED = """
INSERT INTO legacy_image SELECT m.source_id::uuid, m.id FROM ratings_image m
WHERE m.dataset_id = %(dataset)s AND m.id::text <> m.source_id
ON CONFLICT DO NOTHING
"""

# What the file says of a rater is what their latest row says. A rater who is there already stays as they are: a
# moderator may have decided something since.
RATERS = """
WITH latest AS (
    SELECT DISTINCT ON (rater_key) rater_key, rater_key IN ('anonymous', 'unnamed') AS is_shared, kudos,
        images_generated, is_trusted, is_validated, challenges_failed
    FROM legacy_row ORDER BY rater_key, created_at DESC, place DESC
), identities AS (
    INSERT INTO accounts_identity (kind, external_id, name, created_at)
    SELECT 'import', %(dataset)s || ':' || rater_key, '', %(now)s FROM latest
    ON CONFLICT (kind, external_id) DO NOTHING
    RETURNING id, external_id
)
INSERT INTO ratings_rater (
    identity_id, state, is_shared, is_trusted, is_trusted_elsewhere, rating_count, counted_count, challenges_failed,
    images_generated, external_kudos, pseudonym_seed, created_at
)
SELECT i.id, 'new', l.is_shared, l.is_validated AND NOT l.is_shared, l.is_trusted AND NOT l.is_shared, 0, 0,
    l.challenges_failed, CASE WHEN NOT l.is_shared THEN l.images_generated END,
    CASE WHEN NOT l.is_shared THEN l.kudos END, gen_random_uuid(), %(now)s
FROM latest l JOIN identities i ON i.external_id = %(dataset)s || ':' || l.rater_key
"""

SORT = (
    """
CREATE TEMPORARY TABLE legacy_sorted AS
SELECT coalesce(known.image_id, row.source) AS image_id, rater.id AS rater_id, row.*,
    CASE WHEN rater.is_shared THEN 0
         ELSE row_number() OVER (PARTITION BY row.rater_key ORDER BY row.created_at, row.place) - 1
    END AS rating_count
FROM legacy_row row
JOIN accounts_identity identity
    ON identity.kind = 'import' AND identity.external_id = %(dataset)s || ':' || row.rater_key
JOIN ratings_rater rater ON rater.identity_id = identity.id
LEFT JOIN legacy_image known ON known.source = row.source
ORDER BY image_id, row.place
""",
    "CREATE INDEX ON legacy_sorted (image_id)",
    "ANALYZE legacy_sorted",
)

# The last image of the next piece: whole images, of about so many rows.
BOUNDARY = """
SELECT coalesce(
    (SELECT image_id FROM legacy_sorted WHERE image_id > %(after)s ORDER BY image_id OFFSET %(rows)s LIMIT 1),
    (SELECT image_id FROM legacy_sorted WHERE image_id > %(after)s ORDER BY image_id DESC LIMIT 1)
)
"""

# One piece, in one statement. What is there already is told by what a row says, counted: of three equal rows of which
# one is stored, two are new. So the same file adds nothing, a later one what it has more, and a run that was killed
# goes on. An image that is new is inserted with its counters; the update beside it cannot see it, and must not.
MERGE = """
WITH piece AS MATERIALIZED (
    SELECT *, row_number() OVER (
        PARTITION BY image_id, rater_id, created_at, aesthetic, artifacts ORDER BY place
    ) AS copy
    FROM legacy_sorted WHERE image_id > %(after)s AND image_id <= %(until)s
), stored AS (
    SELECT r.image_id, r.rater_id, r.created_at, r.aesthetic, r.artifacts, count(*) AS copies
    FROM (SELECT DISTINCT image_id FROM piece) p
    CROSS JOIN LATERAL (SELECT * FROM ratings_rating WHERE image_id = p.image_id OFFSET 0) r
    GROUP BY 1, 2, 3, 4, 5
), fresh AS MATERIALIZED (
    SELECT p.*, CASE WHEN t.state IN ('quarantined', 'voided') THEN 'quarantined' ELSE 'counted' END AS state
    FROM piece p
    JOIN ratings_rater t ON t.id = p.rater_id
    LEFT JOIN stored s ON s.image_id = p.image_id AND s.rater_id = p.rater_id AND s.created_at = p.created_at
        AND s.aesthetic = p.aesthetic AND s.artifacts IS NOT DISTINCT FROM p.artifacts
    WHERE p.copy > coalesce(s.copies, 0)
), images AS (
    INSERT INTO ratings_image (
        id, dataset_id, status, adult_class, is_open, sampling_key, rating_count, aesthetic_sum, artifacts_count,
        artifacts_sum, sha256, width, height, mime, source_id, source_url, licence, prompt, model_name, generation,
        created_at
    )
    SELECT image_id, %(dataset)s, 'pending', 'unknown', false, hashtextextended(image_id::text, 0)::bit(32)::integer,
        count(*) FILTER (WHERE state = 'counted'), coalesce(sum(aesthetic) FILTER (WHERE state = 'counted'), 0),
        count(artifacts) FILTER (WHERE state = 'counted'),
        coalesce(sum(artifacts) FILTER (WHERE state = 'counted'), 0),
        '', 0, 0, '', source::text, '', '', '', '', '{}', %(now)s
    FROM fresh GROUP BY image_id, source ORDER BY image_id
    ON CONFLICT (id) DO NOTHING
    RETURNING id
), given AS (
    INSERT INTO ratings_rating (
        dataset_id, image_id, rater_id, is_shared, aesthetic, artifacts, state, created_at, reward, proof, is_late,
        client_agent, address_hash, country, scale_version, rater_images_generated, rater_kudos, rater_account_age,
        rater_is_trusted, rater_is_trusted_elsewhere, rater_rating_count, rater_challenges_failed
    )
    SELECT %(dataset)s, image_id, rater_id, true, aesthetic, artifacts, state, created_at, 0, 'import', false,
        client_agent, '', country, 1, images_generated, kudos, account_age, is_validated, is_trusted, rating_count,
        challenges_failed
    FROM fresh ORDER BY image_id, place
    RETURNING image_id, rater_id, aesthetic, artifacts, state
), image_counters AS (
    UPDATE ratings_image m SET rating_count = m.rating_count + g.count, aesthetic_sum = m.aesthetic_sum + g.sum,
        artifacts_count = m.artifacts_count + g.artifacts_count, artifacts_sum = m.artifacts_sum + g.artifacts_sum
    FROM (
        SELECT image_id, count(*), sum(aesthetic), count(artifacts) AS artifacts_count,
            coalesce(sum(artifacts), 0) AS artifacts_sum
        FROM given WHERE state = 'counted' GROUP BY image_id
    ) g WHERE m.id = g.image_id
), rater_counters AS (
    UPDATE ratings_rater t SET rating_count = t.rating_count + g.count, counted_count = t.counted_count + g.counted
    FROM (
        SELECT rater_id, count(*), count(*) FILTER (WHERE state = 'counted') AS counted FROM given GROUP BY rater_id
    ) g WHERE t.id = g.rater_id AND NOT t.is_shared
), dataset_counter AS (
    UPDATE ratings_dataset SET image_count = image_count + (SELECT count(*) FROM images) WHERE id = %(dataset)s
)
SELECT (SELECT count(*) FROM piece), (SELECT count(*) FROM given), (SELECT count(*) FROM images)
"""

# Somebody took one of the ids for another dataset between the look and the insertion.
STRAYED = """
SELECT 1 FROM ratings_image WHERE dataset_id <> %(dataset)s AND id IN (
    SELECT image_id FROM legacy_sorted WHERE image_id > %(after)s AND image_id <= %(until)s
) LIMIT 1
"""
