"""What everybody may see of a dataset: one rule for its pages and its releases.

Each condition speaks of the tables by the names ``image`` and ``rating``.
"""

# A picture that never arrived can have a history: ratings taken over from an export of elsewhere. What a relay said
# of a picture that has not arrived waits for it, since nobody here has seen what was rated.
IS_PUBLISHED_RATING = (
    "rating.state = 'counted' AND (image.status = 'active' OR image.status = 'pending' AND rating.proof = 'import')"
)
HISTORY = f"""
FROM ratings_rating rating WHERE rating.image_id = image.id AND {IS_PUBLISHED_RATING}
""".strip()
IS_PUBLISHED = f"(image.status = 'active' OR image.status = 'pending' AND EXISTS (SELECT 1 {HISTORY}))"
# Counters know no proof, so what a pending image shows of its ratings has to be counted.
PUBLISHED_RATING_COUNT = (
    f"CASE image.status WHEN 'active' THEN image.rating_count ELSE (SELECT count(rating.aesthetic)::int {HISTORY}) END"
)
