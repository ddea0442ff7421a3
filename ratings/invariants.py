"""What must always be true of ratings; each query finds what is not."""

from collections.abc import Iterator

from django.db import connection

# Each check: the sentence, with one placeholder for each column, and the query that yields the offenders.
CHECKS = {
    "image {} counts {} ratings, its rows say {}": """
        SELECT i.id, i.rating_count, coalesce(g.n, 0) FROM ratings_image i LEFT JOIN (
            SELECT image_id, count(aesthetic) n FROM ratings_rating WHERE state = 'counted' GROUP BY 1
        ) g ON g.image_id = i.id
        WHERE i.rating_count <> coalesce(g.n, 0) LIMIT 100
    """,
    "image {} sums its ratings to {}, its rows to {}": """
        SELECT i.id, i.aesthetic_sum, coalesce(g.s, 0) FROM ratings_image i LEFT JOIN (
            SELECT image_id, sum(aesthetic) s FROM ratings_rating WHERE state = 'counted' GROUP BY 1
        ) g ON g.image_id = i.id WHERE i.aesthetic_sum <> coalesce(g.s, 0) LIMIT 100
    """,
    "image {} counts artifacts {} times ({} in all), its rows {} times ({})": """
        SELECT i.id, i.artifacts_count, i.artifacts_sum, coalesce(g.n, 0), coalesce(g.s, 0)
        FROM ratings_image i LEFT JOIN (
            SELECT image_id, count(artifacts) n, sum(artifacts) s FROM ratings_rating
            WHERE state = 'counted' GROUP BY 1
        ) g ON g.image_id = i.id
        WHERE i.artifacts_count <> coalesce(g.n, 0) OR i.artifacts_sum <> coalesce(g.s, 0) LIMIT 100
    """,
    "image {} is open: {}, but has {} of {} ratings and is {}": """
        SELECT i.id, i.is_open, i.rating_count, coalesce(i.wanted_count, d.target_rating_count), i.status
        FROM ratings_image i JOIN ratings_dataset d ON d.id = i.dataset_id
        WHERE i.is_open <> (
            i.status = 'active' AND i.rating_count < coalesce(i.wanted_count, d.target_rating_count)
        ) LIMIT 100
    """,
    "rater {} says {} ratings of which {} count, its rows say {} and {}": """
        SELECT t.id, t.rating_count, t.counted_count, coalesce(g.n, 0), coalesce(g.c, 0)
        FROM ratings_rater t LEFT JOIN (
            SELECT rater_id, count(*) n, count(*) FILTER (WHERE state = 'counted') c FROM (
                SELECT rater_id, state FROM ratings_rating UNION ALL SELECT rater_id, state FROM ratings_controlanswer
            ) answers GROUP BY 1
        ) g ON g.rater_id = t.id
        WHERE NOT t.is_shared
            AND (t.rating_count <> coalesce(g.n, 0) OR t.counted_count <> coalesce(g.c, 0)) LIMIT 100
    """,
    "rater {} is {}, and {} ratings are {}": """
        SELECT t.id, t.state, count(*), r.state FROM ratings_rating r JOIN ratings_rater t ON t.id = r.rater_id
        WHERE r.state IN ('counted', 'quarantined')
            AND (r.state = 'quarantined') <> (t.state IN ('quarantined', 'voided')) GROUP BY t.id, r.state LIMIT 100
    """,
    "rater {} is {}, and {} answers to controls are {}": """
        SELECT t.id, t.state, count(*), r.state FROM ratings_controlanswer r JOIN ratings_rater t ON t.id = r.rater_id
        WHERE r.state IN ('counted', 'quarantined')
            AND (r.state = 'quarantined') <> (t.state IN ('quarantined', 'voided')) GROUP BY t.id, r.state LIMIT 100
    """,
    "image {} is gold, and open": """
        SELECT i.id FROM ratings_goldimage g JOIN ratings_image i ON i.id = g.image_id
        WHERE g.state = 'in_use' AND i.is_open AND i.wanted_count IS NULL LIMIT 100
    """,
    "rater {} is {}, and {} comparisons are {}": """
        SELECT t.id, t.state, count(*), c.state FROM ratings_comparison c JOIN ratings_rater t ON t.id = c.rater_id
        WHERE c.state IN ('counted', 'quarantined')
            AND (c.state = 'quarantined') <> (t.state IN ('quarantined', 'voided')) GROUP BY t.id, c.state LIMIT 100
    """,
    "identity {} was paid {} for answers, its settled answers say {}": """
        SELECT coalesce(e.identity_id, r.identity_id), coalesce(e.paid, 0), coalesce(r.due, 0)
        FROM (
            SELECT a.identity_id, sum(e.amount) paid FROM kudos_entry e
            JOIN kudos_account a ON a.id = e.account_id AND a.kind = 'user'
            JOIN kudos_transaction t ON t.id = e.transaction_id AND t.reason IN ('rating', 'void', 'restore')
            GROUP BY 1
        ) e FULL JOIN (
            SELECT t.identity_id, sum(CASE WHEN r.state = 'voided' THEN r.reward - r.void_debit ELSE r.reward END) due
            FROM (
                SELECT rater_id, state, reward, void_debit FROM ratings_rating WHERE settlement_id IS NOT NULL
                UNION ALL
                SELECT rater_id, state, reward, void_debit FROM ratings_comparison WHERE settlement_id IS NOT NULL
                UNION ALL
                SELECT rater_id, state, reward, NULL FROM ratings_controlanswer WHERE settlement_id IS NOT NULL
            ) r JOIN ratings_rater t ON t.id = r.rater_id GROUP BY 1
        ) r ON r.identity_id = e.identity_id
        WHERE coalesce(e.paid, 0) <> coalesce(r.due, 0) LIMIT 100
    """,
    # What changed since it was taken is on its way, and says so in ratings_ratingchange.
    "the {} score of image {} is of {} ratings, its rows say {}": """
        SELECT s.task, s.image_id, s.rating_count, coalesce(g.n, 0) FROM ratings_imagescore s
        JOIN ratings_scorecursor c ON c.dataset_id = s.dataset_id
        LEFT JOIN LATERAL (
            SELECT count(*) n FROM ratings_rating r
            WHERE r.image_id = s.image_id AND r.id <= c.rating_id AND r.state IN ('counted', 'quarantined')
                AND r.proof NOT IN ('relay', 'import', 'held')
                AND CASE s.task WHEN 'aesthetic' THEN r.aesthetic ELSE r.artifacts END IS NOT NULL
        ) g ON true
        WHERE s.rating_count <> coalesce(g.n, 0)
            AND NOT EXISTS (SELECT 1 FROM ratings_ratingchange h WHERE h.dataset_id = s.dataset_id) LIMIT 100
    """,
    "number {} is both a rating and the answer to a control": """
        SELECT r.id FROM ratings_rating r JOIN ratings_controlanswer a ON a.id = r.id LIMIT 100
    """,
    "user {} has {} ratings of image {} that count": """
        SELECT i.user_id, count(*), r.image_id FROM ratings_rater t JOIN accounts_identity i ON i.id = t.identity_id
            JOIN ratings_rating r ON r.rater_id = t.id AND r.state = 'counted'
        WHERE t.is_linked GROUP BY i.user_id, r.image_id HAVING count(*) > 1 LIMIT 100
    """,
    "user {} has {} comparisons of set {} that count": """
        SELECT i.user_id, count(*), c.image_set_id
        FROM ratings_rater t JOIN accounts_identity i ON i.id = t.identity_id
            JOIN ratings_comparison c ON c.rater_id = t.id AND c.state = 'counted'
        WHERE t.is_linked GROUP BY i.user_id, c.image_set_id HAVING count(*) > 1 LIMIT 100
    """,
    "identity {} is linked: {}, and its person has {} identities that rate": """
        SELECT i.id, t.is_linked, g.n FROM ratings_rater t JOIN accounts_identity i ON i.id = t.identity_id,
            LATERAL (SELECT count(*) n FROM accounts_identity s JOIN ratings_rater o ON o.identity_id = s.id
                WHERE s.id = i.id OR s.user_id = i.user_id) g
        WHERE t.is_linked <> (g.n > 1) LIMIT 100
    """,
    "user {} is in quarantine with {} raters of {}": """
        SELECT i.user_id, count(*) FILTER (WHERE t.state IN ('quarantined', 'voided')), count(*)
        FROM ratings_rater t JOIN accounts_identity i ON i.id = t.identity_id WHERE t.is_linked GROUP BY i.user_id
        HAVING count(DISTINCT t.state IN ('quarantined', 'voided')) > 1 LIMIT 100
    """,
    "rating {} of dataset {} is of an image of dataset {}": """
        SELECT r.id, r.dataset_id, i.dataset_id FROM ratings_rating r JOIN ratings_image i ON i.id = r.image_id
        WHERE r.dataset_id <> i.dataset_id LIMIT 100
    """,
    "comparison {} names {} the best of set {}, which does not hold it": """
        SELECT c.id, c.best_id, c.image_set_id FROM ratings_comparison c WHERE c.best_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM ratings_imageinset p WHERE p.image_set_id = c.image_set_id AND p.image_id = c.best_id
        ) LIMIT 100
    """,
    "comparison {} showed {} images, {} of them different ones of set {}": """
        SELECT c.id, cardinality(c.image_ids), count(DISTINCT p.image_id), c.image_set_id FROM ratings_comparison c
        LEFT JOIN ratings_imageinset p ON p.image_set_id = c.image_set_id AND p.image_id = ANY(c.image_ids)
        GROUP BY c.id HAVING cardinality(c.image_ids) <> count(DISTINCT p.image_id) LIMIT 100
    """,
    "comparison {} says it was revised {} times, its rows say {}": """
        SELECT c.id, c.revision_count, count(v.id) FROM ratings_comparison c
        LEFT JOIN ratings_comparisonrevision v ON v.comparison_id = c.id
        GROUP BY c.id HAVING c.revision_count <> count(v.id) LIMIT 100
    """,
    "set {} says {} images, its rows say {}, in places up to {}": """
        SELECT s.id, s.image_count, count(p.id), max(p.position) FROM ratings_imageset s
        LEFT JOIN ratings_imageinset p ON p.image_set_id = s.id GROUP BY s.id
        HAVING s.image_count <> count(p.id) OR max(p.position) <> count(p.id) - 1 LIMIT 100
    """,
    "comparison {} by rater {} says it is shared: {}": """
        SELECT c.id, c.rater_id, c.is_shared FROM ratings_comparison c JOIN ratings_rater t ON t.id = c.rater_id
        WHERE c.is_shared <> t.is_shared LIMIT 100
    """,
    "dataset {} says {} images, its rows say {}": """
        SELECT d.slug, d.image_count, count(i.id) FROM ratings_dataset d LEFT JOIN ratings_image i
        ON i.dataset_id = d.id GROUP BY d.id HAVING d.image_count <> count(i.id) LIMIT 100
    """,
}


def find_violations() -> Iterator[str]:
    """Yield a sentence for every row that is off, up to a hundred of each kind."""
    with connection.cursor() as cursor:
        for sentence, query in CHECKS.items():
            cursor.execute(query)
            for row in cursor.fetchall():
                yield "ratings: " + sentence.format(*row)
