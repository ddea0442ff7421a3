"""The statements that store a rating, and find out why one was not stored."""

# One statement, so one transaction: the rating, the image's counters, the rater's counters. Unique
# constraints decide every race; what was in the way is found out afterwards. A rating starts as `held`
# without proof, as `quarantined` with its rater, else as `counted`; only what counts is counted. The rater
# is updated from what the image's update returned, because the image has to be locked first, as everywhere. That
# update waits for a quarantine or a linking that is under way: if the rater went into quarantine or came out of it
# meanwhile, the last but one column names the rater; the last says whether the person has others by now.
# Who says what bytes they showed, and they are none of ours, has shown another picture: then there is no such image.
# Whose key or image an answer to a control has is refused as if that were a rating.
UNLESS_CONTROL = """
    AND NOT EXISTS (
        SELECT FROM ratings_controlanswer c
        WHERE c.rater_id = rater.id AND c.idempotency_key = %(idempotency_key)s::text
    ) AND NOT EXISTS (
        SELECT FROM ratings_controlanswer c JOIN ratings_goldimage g ON g.image_id = c.image_id AND g.state <> 'retired'
        WHERE c.rater_id = rater.id AND c.image_id = image.id AND c.kind = 'gold' AND NOT c.is_shared
    )
"""
# Measurements come as one document: twelve parameters more, null or not, would be a plan for each combination.
MEASURED = """measured AS (
    SELECT * FROM jsonb_to_record(coalesce(%(measurements)s::jsonb, '{}')) m (
        session_id uuid, session_position smallint, is_before_training boolean, decode_ms int, first_input_ms int,
        answer_ms int, input_kind text, displayed_width smallint, pixel_ratio smallint, is_dark boolean,
        is_zoomed boolean, language text
    )
)"""
SUBMIT = """
WITH rater AS (
    SELECT r.id, r.is_shared, r.state, r.is_trusted, r.rating_count, r.challenges_failed, r.images_generated,
        r.is_trusted_elsewhere, r.is_linked, i.user_id, coalesce(r.external_kudos, a.balance) AS kudos,
        extract(epoch FROM %(now)s - coalesce(r.external_created_at, u.date_joined, i.created_at))::bigint
            AS account_age, i.user_id IS NOT NULL OR i.kind = 'horde' AS earns
    FROM ratings_rater r JOIN accounts_identity i ON i.id = r.identity_id
        LEFT JOIN accounts_user u ON u.id = i.user_id
        LEFT JOIN kudos_account a ON a.identity_id = i.id
    WHERE r.identity_id = %(identity)s
), image AS (
    SELECT m.id, m.dataset_id, d.target_rating_count AS target
    FROM ratings_image m JOIN ratings_dataset d ON d.id = m.dataset_id
    WHERE m.id = %(image)s AND m.status = 'active' AND d.state <> 'closed' AND (
        %(sha256)s::text IS NULL
        OR EXISTS (SELECT FROM ratings_rendition n WHERE n.image_id = m.id AND starts_with(n.sha256, %(sha256)s::text))
    )
), {measured}, given AS (
    INSERT INTO ratings_rating (
        dataset_id, image_id, rater_id, is_shared, aesthetic, artifacts, state, created_at, lease_id,
        idempotency_key, reward, proof, is_late, issued_at, client_agent, address_hash, country, scale_version,
        rater_images_generated, rater_kudos, rater_account_age, rater_is_trusted, rater_rating_count,
        rater_challenges_failed, rater_is_trusted_elsewhere, is_artifacts_unsure, session_id, session_position,
        is_before_training, decode_ms, first_input_ms, answer_ms, input_kind, displayed_width, pixel_ratio, is_dark,
        is_zoomed, language
    )
    SELECT image.dataset_id, image.id, rater.id, rater.is_shared, %(aesthetic)s, %(artifacts)s,
        CASE WHEN %(proof)s = 'held' THEN 'held'
             WHEN rater.state IN ('quarantined', 'voided') THEN 'quarantined' ELSE 'counted' END,
        %(now)s, %(lease)s, %(idempotency_key)s::text, CASE WHEN rater.earns THEN %(reward)s ELSE 0 END,
        %(proof)s, %(is_late)s, %(issued_at)s, %(client_agent)s, %(address_hash)s, '', %(scale_version)s,
        rater.images_generated, rater.kudos, greatest(rater.account_age, 0), rater.is_trusted, rater.rating_count,
        rater.challenges_failed, rater.is_trusted_elsewhere, %(is_artifacts_unsure)s, measured.session_id,
        measured.session_position, measured.is_before_training, measured.decode_ms, measured.first_input_ms,
        measured.answer_ms, coalesce(measured.input_kind, ''), measured.displayed_width, measured.pixel_ratio,
        measured.is_dark, measured.is_zoomed, coalesce(measured.language, '')
    FROM rater, image, measured WHERE (NOT rater.is_linked OR NOT EXISTS (
        SELECT 1 FROM accounts_identity s JOIN ratings_rater t ON t.identity_id = s.id
            JOIN ratings_rating o ON o.rater_id = t.id AND o.image_id = image.id
        WHERE s.user_id = rater.user_id AND t.id <> rater.id AND NOT o.is_shared
    )) {unless_control}
    ON CONFLICT DO NOTHING
    RETURNING id, image_id, rater_id, dataset_id, state
), image_counters AS (
    UPDATE ratings_image m SET
        rating_count = m.rating_count + (%(aesthetic)s::int IS NOT NULL)::int,
        aesthetic_sum = m.aesthetic_sum + coalesce(%(aesthetic)s::int, 0),
        artifacts_count = m.artifacts_count + (%(artifacts)s::int IS NOT NULL)::int,
        artifacts_sum = m.artifacts_sum + coalesce(%(artifacts)s::int, 0),
        is_open = m.is_open
            AND m.rating_count + (%(aesthetic)s::int IS NOT NULL)::int < coalesce(m.wanted_count, image.target)
    FROM given JOIN image ON image.id = given.image_id
    WHERE m.id = given.image_id AND given.state = 'counted'
    RETURNING m.id
), rater_counters AS (
    UPDATE ratings_rater r SET
        rating_count = r.rating_count + 1,
        counted_count = r.counted_count + (given.state = 'counted')::int
    FROM given LEFT JOIN image_counters ON true WHERE r.id = given.rater_id AND NOT r.is_shared
    RETURNING r.id, r.is_linked, r.state IN ('quarantined', 'voided') AS is_out
), active_day AS (
    INSERT INTO ratings_activeday (rater_id, day)
    SELECT given.rater_id, %(today)s FROM given JOIN rater ON rater.id = given.rater_id AND NOT rater.is_shared
    ON CONFLICT DO NOTHING
)
SELECT g.id, g.state, g.dataset_id,
    CASE WHEN g.state = CASE WHEN r.is_out THEN 'counted' ELSE 'quarantined' END THEN r.id END,
    coalesce(r.is_linked, false)
FROM given g LEFT JOIN rater_counters r ON true
""".replace("{unless_control}", UNLESS_CONTROL).replace("{measured}", MEASURED)

# Of a repeat the rating before it is not in the way; nor is a repeat where a rating is meant. Answers
# under other identities of the person count too: what a browser sent before its person claimed it, and sends once more
# because the receipt was lost, is under the browser's.
CONFLICT = """
WITH person AS (
    SELECT id FROM ratings_rater WHERE identity_id = %(identity)s
    UNION
    SELECT t.id FROM accounts_identity i JOIN accounts_identity s ON s.user_id = i.user_id
        JOIN ratings_rater t ON t.identity_id = s.id
    WHERE i.id = %(identity)s
)
SELECT * FROM (
    SELECT r.image_id, r.idempotency_key = %(idempotency_key)s AS is_same_key,
        r.id, r.reward, r.state, r.aesthetic, r.artifacts, r.created_at, r.looked_at
    FROM ratings_rating r JOIN person ON person.id = r.rater_id
    WHERE (
        r.idempotency_key = %(idempotency_key)s OR r.lease_id = %(lease)s
        OR (r.image_id = %(image)s AND NOT r.is_shared AND %(kind)s::text <> 'repeat')
    )
    UNION ALL
    SELECT c.image_id, c.idempotency_key = %(idempotency_key)s,
        c.id, c.reward, c.state, c.said_aesthetic, c.said_artifacts, c.created_at, c.looked_at
    FROM ratings_controlanswer c JOIN person ON person.id = c.rater_id
    WHERE (
        c.idempotency_key = %(idempotency_key)s OR c.lease_id = %(lease)s
        OR (c.image_id = %(image)s AND NOT c.is_shared AND (c.kind = 'gold' OR c.kind = %(kind)s::text))
    )
) found ORDER BY is_same_key DESC NULLS LAST LIMIT 1
"""

# The lease was used by somebody behind the same holder (two people at one address, say), or the person rated the
# image under another of their identities.
RATED_OTHERWISE = """
SELECT 1 FROM ratings_rating WHERE lease_id = %(lease)s
UNION ALL
SELECT 1 FROM ratings_controlanswer WHERE lease_id = %(lease)s
UNION ALL
SELECT 1 FROM accounts_identity i JOIN accounts_identity s ON s.user_id = i.user_id
    JOIN ratings_rater t ON t.identity_id = s.id
    JOIN ratings_rating r ON r.rater_id = t.id AND r.image_id = %(image)s AND NOT r.is_shared
WHERE i.id = %(identity)s AND %(kind)s::text <> 'repeat'
LIMIT 1
"""

# Whether the image could be rated, were it not for the bytes that were shown.
IS_RATEABLE = """
SELECT 1 FROM ratings_image m JOIN ratings_dataset d ON d.id = m.dataset_id
WHERE m.id = %(image)s AND m.status = 'active' AND d.state <> 'closed'
"""
