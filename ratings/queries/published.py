"""What everybody may see of a dataset: one rule for its pages and its releases, but for the embargo of releases.

Pages count ratings of images under embargo with all others, and answers to controls too: the count would else stand
still after just these.

Each condition speaks of the tables by the names ``image``, ``rating``, ``comparison`` and ``image_set``.
"""

# A picture that never arrived can have a history: ratings taken over from an export of elsewhere. What a relay said
# of a picture that has not arrived waits for it, since nobody here has seen what was rated.
IS_PUBLISHED_RATING = (
    "rating.state = 'counted' AND (image.status = 'active' OR image.status = 'pending' AND rating.proof = 'import')"
)
# Gold, images that are to become gold, and decoys: what is known of them is in no release until they are retired.
IS_UNDER_EMBARGO = (
    "EXISTS (SELECT FROM ratings_goldimage gold WHERE gold.image_id = image.id AND gold.state <> 'retired')"
)
IS_RELEASED_RATING = f"({IS_PUBLISHED_RATING} AND NOT {IS_UNDER_EMBARGO})"
# Nobody is told of images that are not shown; those of a set may also be of another dataset.
IS_PUBLISHED_COMPARISON = f"""(comparison.state = 'counted' AND NOT EXISTS (
    SELECT 1 FROM unnest(comparison.image_ids) shown (id) LEFT JOIN ratings_image image ON image.id = shown.id
        AND image.status = 'active' AND image.dataset_id = image_set.dataset_id
    WHERE image.id IS NULL OR {IS_UNDER_EMBARGO}
))"""
HISTORY = f"""
FROM ratings_rating rating WHERE rating.image_id = image.id AND {IS_PUBLISHED_RATING}
""".strip()
IS_PUBLISHED = f"(image.status = 'active' OR image.status = 'pending' AND EXISTS (SELECT 1 {HISTORY}))"
# Counters know no proof, so what a pending image shows of its ratings has to be counted.
PUBLISHED_RATING_COUNT = (
    f"CASE image.status WHEN 'active' THEN image.rating_count ELSE (SELECT count(rating.aesthetic)::int {HISTORY}) END"
)
