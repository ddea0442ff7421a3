"""What the method is known to reach on the two real sets, and how far below it we may be."""

# (pool, share of spam) -> rank correlation, root mean square error, rank correlation of the worst kind.
SCORES = {
    ("london", 0.0): (0.854, 0.415, 0.854),
    ("london", 0.05): (0.847, 0.424, 0.0),
    ("london", 0.2): (0.822, 0.455, 0.816),
    ("london", 0.4): (0.772, 0.506, 0.756),
    ("movielens", 0.0): (0.739, 0.644, 0.739),
    ("movielens", 0.05): (0.728, 0.650, 0.0),
    ("movielens", 0.2): (0.693, 0.678, 0.676),
    ("movielens", 0.4): (0.625, 0.726, 0.581),
}
# At 20 % spam with heavy-tailed activity.
AUC = {"london": 0.912, "movielens": 0.854}
# Ratings of each rater -> AUC, recall at 1 % false positives; London, 20 % spam, mean of kinds.
DETECTION = {10: (0.89, 0.36), 20: (0.94, 0.57), 50: (0.96, 0.64), 100: (0.98, 0.84)}
BY_KIND = {
    "collude": 0.813, "constant": 0.772, "copy": 0.773, "drifter": 0.780, "lowest": 0.774, "marginal": 0.756, "mix": 0.769,
    "narrow": 0.760, "permute": 0.759, "sleeper": 0.816, "uniform": 0.764,
}  # fmt: skip
SCORE_SLACK, DETECTION_SLACK = 0.02, 0.02
# Kind -> ratings of each rater -> recall at 1 % false positives; London, 20 % spam.
RECALL_BY_KIND = {
    "constant": {10: 0.75, 20: 1.00, 50: 1.00, 100: 1.00},
    "copy": {10: 0.70, 20: 0.99, 50: 1.00, 100: 1.00},
    "drifter": {10: 0.05, 20: 0.13, 50: 0.09, 100: 0.25},
    "lowest": {10: 0.98, 20: 1.00, 50: 1.00, 100: 1.00},
    "marginal": {10: 0.10, 20: 0.25, 50: 0.61, 100: 0.92},
    "mix": {10: 0.17, 20: 0.41, 50: 0.52, 100: 0.75},
    "narrow": {10: 0.05, 20: 0.29, 50: 0.65, 100: 0.97},
    "permute": {10: 0.11, 20: 0.37, 50: 0.65, 100: 0.87},
    "sleeper": {50: 0.03, 100: 0.63},
    "uniform": {10: 0.31, 20: 0.71, 50: 0.88, 100: 0.98},
}
