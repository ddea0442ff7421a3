"""The statement that stores an answer to a control: what `rating_rows.SUBMIT` does for a rating, but for the image."""

# Kept like that one, so that a client cannot tell: the same checks in the same order, the same counters of the rater, a
# number from the same sequence, and who went into quarantine meanwhile is found out in the same way. No image counts
# it. What the answer is held against is what the nursery knew of the gold, or what the rater said the first time.
ANSWER_CONTROL = """
WITH rater AS (
    SELECT r.id, r.is_shared, r.state, r.is_linked, i.user_id, i.user_id IS NOT NULL OR i.kind = 'horde' AS earns
    FROM ratings_rater r JOIN accounts_identity i ON i.id = r.identity_id WHERE r.identity_id = %(identity)s
), image AS (
    SELECT m.id, m.dataset_id FROM ratings_image m JOIN ratings_dataset d ON d.id = m.dataset_id
    WHERE m.id = %(image)s AND m.status = 'active' AND d.state <> 'closed' AND (
        %(sha256)s::text IS NULL
        OR EXISTS (SELECT FROM ratings_rendition n WHERE n.image_id = m.id AND starts_with(n.sha256, %(sha256)s::text))
    )
), known AS (
    SELECT g.aesthetic, g.artifacts, g.aesthetic_share, g.artifacts_share
    FROM ratings_goldimage g WHERE %(kind)s::text = 'gold' AND g.image_id = %(image)s
    UNION ALL
    SELECT r.aesthetic::float8, r.artifacts::float8, NULL, NULL
    FROM rater JOIN ratings_rating r ON r.rater_id = rater.id AND r.image_id = %(image)s AND NOT r.is_shared
    WHERE %(kind)s::text = 'repeat'
), given AS (
    INSERT INTO ratings_controlanswer (
        id, kind, dataset_id, image_id, rater_id, is_shared, state, aesthetic, artifacts, said_aesthetic,
        said_artifacts, is_artifacts_unsure, known_aesthetic, known_artifacts, aesthetic_share, artifacts_share,
        lease_id, idempotency_key, reward, created_at, issued_at, client_agent, address_hash
    )
    SELECT nextval(pg_get_serial_sequence('ratings_rating', 'id')), %(kind)s::text, image.dataset_id, image.id,
        rater.id, rater.is_shared,
        CASE WHEN rater.state IN ('quarantined', 'voided') THEN 'quarantined' ELSE 'counted' END,
        %(aesthetic)s, %(artifacts)s, %(aesthetic)s, %(artifacts)s, %(is_artifacts_unsure)s,
        known.aesthetic, known.artifacts, known.aesthetic_share, known.artifacts_share,
        %(lease)s, %(idempotency_key)s::text, CASE WHEN rater.earns THEN %(reward)s ELSE 0 END, %(now)s, %(issued_at)s,
        %(client_agent)s, %(address_hash)s
    FROM rater CROSS JOIN image LEFT JOIN known ON true
    WHERE NOT EXISTS (
        SELECT FROM ratings_rating r
        WHERE r.rater_id = rater.id AND r.idempotency_key = %(idempotency_key)s::text
    ) AND NOT EXISTS (
        SELECT FROM accounts_identity s JOIN ratings_rater t ON t.identity_id = s.id
            JOIN ratings_rating o ON o.rater_id = t.id AND o.image_id = image.id AND NOT o.is_shared
        WHERE %(kind)s::text = 'gold' AND (t.id = rater.id OR s.user_id = rater.user_id)
    )
    ON CONFLICT DO NOTHING
    RETURNING id, rater_id, dataset_id, state
), rater_counters AS (
    UPDATE ratings_rater r SET
        rating_count = r.rating_count + 1,
        counted_count = r.counted_count + (given.state = 'counted')::int
    FROM given WHERE r.id = given.rater_id AND NOT r.is_shared
    RETURNING r.id, r.is_linked, r.state IN ('quarantined', 'voided') AS is_out
), active_day AS (
    INSERT INTO ratings_activeday (rater_id, day)
    SELECT given.rater_id, %(today)s FROM given JOIN rater ON rater.id = given.rater_id AND NOT rater.is_shared
    ON CONFLICT DO NOTHING
)
SELECT g.id, g.state, g.dataset_id,
    CASE WHEN g.state = CASE WHEN r.is_out THEN 'counted' ELSE 'quarantined' END THEN r.id END, false
FROM given g LEFT JOIN rater_counters r ON true
"""
