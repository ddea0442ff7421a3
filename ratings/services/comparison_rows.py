"""The statements that store a comparison and find out what was in its way."""

from ratings.services.rating_rows import MEASURED

# One statement: the set, if it was drawn for this caller and nobody has compared it yet, and the comparison. Unique
# constraints decide every race. The evidence and the state are as of a rating (SUBMIT of ratings).
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
), {measured}, shown AS (
    SELECT id FROM unnest(%(images)s::uuid[]) given (id)
), whole AS (
    SELECT m.dataset_id FROM shown JOIN ratings_image m ON m.id = shown.id
        JOIN ratings_dataset d ON d.id = m.dataset_id
    WHERE m.status = 'active' AND d.state <> 'closed' GROUP BY m.dataset_id HAVING count(*) = %(count)s
), new_set AS (
    INSERT INTO ratings_imageset (id, dataset_id, image_count, created_at)
    SELECT %(set)s, whole.dataset_id, %(count)s, %(now)s FROM whole, rater ON CONFLICT (id) DO NOTHING RETURNING id
), place AS (
    INSERT INTO ratings_imageinset (image_set_id, image_id, position)
    SELECT new_set.id, shown.id, row_number() OVER (ORDER BY shown.id) - 1 FROM new_set, shown
), given AS (
    INSERT INTO ratings_comparison (
        rater_id, is_shared, image_set_id, image_ids, images_key, outcome, best_id, best_from, is_tied, state,
        created_at, lease_id, idempotency_key, reward, proof, is_late, issued_at, client_agent, address_hash, country,
        scale_version, rater_images_generated, rater_kudos, rater_account_age, rater_is_trusted, rater_rating_count,
        rater_challenges_failed, rater_is_trusted_elsewhere, session_id, session_position, is_before_training,
        decode_ms, first_input_ms, answer_ms, input_kind, displayed_width, pixel_ratio, is_dark, is_zoomed,
        language
    )
    SELECT rater.id, rater.is_shared, %(set)s, %(images)s::uuid[], %(images_key)s, %(outcome)s, %(best)s::uuid, 'given',
        false, CASE WHEN rater.state IN ('quarantined', 'voided') THEN 'quarantined' ELSE 'counted' END,
        %(now)s, %(lease)s, %(idempotency_key)s, CASE WHEN rater.earns THEN %(reward)s ELSE 0 END, %(proof)s,
        %(is_late)s, %(issued_at)s, %(client_agent)s, %(address_hash)s, '', %(scale_version)s,
        rater.images_generated, rater.kudos, greatest(rater.account_age, 0), rater.is_trusted, rater.rating_count,
        rater.challenges_failed, rater.is_trusted_elsewhere, measured.session_id, measured.session_position,
        measured.is_before_training, measured.decode_ms, measured.first_input_ms, measured.answer_ms,
        coalesce(measured.input_kind, ''), measured.displayed_width, measured.pixel_ratio, measured.is_dark,
        measured.is_zoomed, coalesce(measured.language, '')
    FROM rater, whole, measured WHERE NOT rater.is_linked OR NOT EXISTS (
        SELECT 1 FROM accounts_identity s JOIN ratings_rater t ON t.identity_id = s.id
            JOIN ratings_comparison o ON o.rater_id = t.id AND o.image_set_id = %(set)s
        WHERE s.user_id = rater.user_id AND t.id <> rater.id AND NOT o.is_shared
    )
    ON CONFLICT DO NOTHING
    RETURNING id, rater_id, state
)
SELECT given.id, given.rater_id, given.state, whole.dataset_id FROM given, whole
""".replace("{measured}", MEASURED)
# After the commit: whoever decided about the rater meanwhile, or linked them, either sees the comparison or is seen.
MEANWHILE = "SELECT state IN ('quarantined', 'voided'), is_linked FROM ratings_rater WHERE id = %(rater)s"
CONFLICT = """
SELECT c.id, c.image_set_id, c.state, c.outcome, c.best_id, c.created_at,
    c.idempotency_key = %(idempotency_key)s AS is_same_key
FROM ratings_comparison c JOIN ratings_rater t ON t.id = c.rater_id
WHERE t.identity_id = %(identity)s AND (
    c.idempotency_key = %(idempotency_key)s OR c.lease_id = %(lease)s
    OR (c.image_set_id = %(set)s AND NOT c.is_shared)
) ORDER BY is_same_key DESC NULLS LAST LIMIT 1
"""
# The lease was used by somebody behind the same holder, or the person compared the set under another identity.
COMPARED_OTHERWISE = """
SELECT 1 FROM ratings_comparison WHERE lease_id = %(lease)s
UNION ALL
SELECT 1 FROM accounts_identity i JOIN accounts_identity s ON s.user_id = i.user_id
    JOIN ratings_rater t ON t.identity_id = s.id
    JOIN ratings_comparison c ON c.rater_id = t.id AND c.image_set_id = %(set)s AND NOT c.is_shared
WHERE i.id = %(identity)s
LIMIT 1
"""
# Of which images a rendition begins with the digits that were sent.
PROVEN_BYTES = """
SELECT count(*) FROM unnest(%(images)s::uuid[], %(digits)s::text[]) shown (id, digits)
WHERE EXISTS (SELECT FROM ratings_rendition r WHERE r.image_id = shown.id AND starts_with(r.sha256, shown.digits))
"""
SKIP = """
    INSERT INTO ratings_setskip (rater_id, images_key, reason, created_at)
    VALUES (%(rater)s, %(images_key)s, %(reason)s, %(now)s)
    ON CONFLICT (rater_id, images_key) DO UPDATE SET created_at = excluded.created_at,
        reason = CASE WHEN excluded.reason = '' THEN ratings_setskip.reason ELSE excluded.reason END
    RETURNING id
"""
