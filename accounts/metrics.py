"""What went wrong quietly, counted: every place that fails open or falls back says so here and in the log."""

from prometheus_client import Counter

VALKEY_FAILURES = Counter(
    "kudoscope_valkey_failures_total", "Calls to Valkey that failed and were worked around", ["operation"]
)
HORDE_FAILURES = Counter(
    "kudoscope_horde_failures_total", "Questions to AI Horde that got no answer to rely on", ["reason"]
)
RATINGS_SUBMITTED = Counter("kudoscope_ratings_total", "Ratings stored", ["state"])
RATINGS_REFUSED = Counter("kudoscope_ratings_refused_total", "Ratings refused", ["reason"])
COMPARISONS_SUBMITTED = Counter("kudoscope_comparisons_total", "Comparisons stored", ["state"])
COMPARISONS_REFUSED = Counter("kudoscope_comparisons_refused_total", "Comparisons refused", ["reason"])
LEASES_GRANTED = Counter("kudoscope_leases_total", "Leases handed out", ["how"])
PAYOUT_ANSWERS = Counter("kudoscope_payout_answers_total", "Answers of AI Horde to awards of kudos", ["verdict"])
REQUESTS_LIMITED = Counter("kudoscope_limited_total", "Requests refused by a limit", ["limit"])
QUALITY_ALARMS = Counter("kudoscope_quality_alarms_total", "Alarms about the scores of a dataset", ["kind"])
ANSWERS_TAKEN = Counter("kudoscope_quality_answers_total", "Answers taken by the quality engine")
RATERS_QUARANTINED = Counter("kudoscope_quality_quarantines_total", "Raters quarantined by the engine")
