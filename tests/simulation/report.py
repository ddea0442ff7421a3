"""What was reached, for people, and where it misses what the quality engine promises."""

from tests.simulation.cast import HONEST, LOOKS_AT_FIRST

# Of honest raters, held at the end.
MOST_HELD = 0.01
# Kudos for an answer of a script that never looks, as a share of those for an honest one. Who looks at first has earned
# something, and is found late: docs/quality.md, limits.
MOST_PAY = 0.05
# Of scripts that never look; one of a few is let pass, since the promise is a probability.
MOST_TRUSTED, TRUSTED_LET_PASS = 0.01, 1
# Rank correlation with the true scores, below that of the honest answers alone.
MOST_LOSS = 0.01
TRUSTED_BY = 40
STATES = ("new", "calibrated", "trusted", "watched", "quarantined", "voided")


def find_misses(outcome):
    """Yield a sentence for each promise that was not kept."""
    [honest] = [figures for figures in outcome.kinds if figures.kind == HONEST]
    yield from _misses_of_order(outcome)
    held = _held(honest)
    if held > MOST_HELD * honest.raters:
        yield f"{held} of {honest.raters} honest raters are held; at most {MOST_HELD:.0%} may be."
    if honest.answers_until_trusted is None or honest.answers_until_trusted > TRUSTED_BY:
        when = "never" if honest.answers_until_trusted is None else f"after {honest.answers_until_trusted:.0f} answers"
        yield f"The honest rater in the middle is trusted {when}; it should be by {TRUSTED_BY}."
    blind = _blind(outcome)
    pay = pay_of(blind, honest)
    if pay > MOST_PAY:
        yield f"An answer of who never looks earns {pay:.1%} of an honest one; at most {MOST_PAY:.0%} may be."
    trusted, scripts = (sum(f.ever.get("trusted", 0) for f in blind), sum(f.raters for f in blind))
    if trusted > max(TRUSTED_LET_PASS, MOST_TRUSTED * scripts):
        yield f"{trusted} of {scripts} scripts that never look were trusted; {MOST_TRUSTED:.0%} may be."
    yield from _misses_of_scores(outcome.scores)


def _misses_of_order(outcome):
    if outcome.violations:
        yield f"{len(outcome.violations)} things do not add up: {outcome.violations[0]}"
    if outcome.lost:
        yield f"{outcome.lost} answers were acknowledged and are not stored."
    if outcome.unexpected:
        yield f"Clients met what they should not: {outcome.unexpected}."
    if outcome.paid_too_early:
        yield f"{outcome.paid_too_early} answers were paid before their rater was known to look."
    if outcome.alarms:
        yield f"{len(outcome.alarms)} false alarms: {outcome.alarms[0]}"


def _misses_of_scores(scores):
    engine, plain, oracle = (scores[name].correlation for name in scores if name != "BLUP of all answers")
    if engine < oracle - MOST_LOSS:
        yield f"Scores correlate {engine:.3f} with the true ones, {oracle:.3f} would be possible; {MOST_LOSS} less is allowed."
    if engine <= plain:
        yield f"Scores correlate {engine:.3f} with the true ones, no better than the plain mean's {plain:.3f}."


def pay_of(scripts, honest):
    """Return kudos for an answer that these made up, as a share of those for an honest rater's answer."""
    made_up = sum(figures.made_up for figures in scripts)
    if not made_up or not honest.kudos_paid:
        return 0.0
    each = sum(figures.kudos_made_up for figures in scripts) / made_up
    return each / (honest.kudos_paid / honest.answers)


def _blind(outcome):
    return [figures for figures in outcome.kinds if figures.kind not in LOOKS_AT_FIRST | {HONEST}]


def _late(outcome):
    return [figures for figures in outcome.kinds if figures.kind in LOOKS_AT_FIRST]


def _held(figures):
    return sum(figures.states.get(state, 0) for state in ("quarantined", "voided"))


def lines_of(outcome):
    """Yield the report, line by line."""
    yield from _table(outcome.kinds)
    [honest] = [figures for figures in outcome.kinds if figures.kind == HONEST]
    trusted = honest.states.get("trusted", 0)
    yield ""
    yield (
        f"Honest raters: {trusted / honest.raters:.1%} trusted, {_held(honest) / honest.raters:.1%} held at the end, "
        f"{outcome.honest_ever_held} of {honest.raters} ever."
    )
    for words, kinds in (("scripts that never look", _blind(outcome)), ("those that look at first", _late(outcome))):
        yield f"An answer that was made up by {words} earned {pay_of(kinds, honest):.1%} of an honest one."
    yield f"Scores of {outcome.images:,} images against the true ones:"
    for name, figures in outcome.scores.items():
        yield f"  {name:<40} rank correlation {figures.correlation:.3f}, error {figures.error:.3f}"
    agreement = "unknown" if outcome.online_agreement is None else f"{outcome.online_agreement:.4f}"
    yield f"Scores kept up and fitted from scratch: rank correlation {agreement}; alarms: {len(outcome.alarms)}."
    yield (
        f"{outcome.acknowledged:,} answers acknowledged in {outcome.seconds:.0f} s, {outcome.stored:,} stored as ratings, "
        f"{sum(outcome.controls.values()):,} as controls, {outcome.lost} lost; {outcome.without_image} turns without an image."
    )
    yield "Answers of the service: " + ", ".join(f"{key} {count:,}" for key, count in outcome.statuses.items())
    yield f"Ledger and counters: {len(outcome.violations)} things do not add up."
    yield from outcome.stories
    yield ""
    if not outcome.misses:
        yield "Every promise was kept."
    for miss in outcome.misses:
        yield f"MISSED: {miss}"


def _table(kinds):
    head = (
        "kind",
        "raters",
        "answers",
        "counted",
        "paid",
        "pending",
        "pay",
        "trusted",
        "caught",
        "after",
        "at the end",
    )
    rows = [head, *(_row(figures) for figures in kinds)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        yield "  ".join([row[0].ljust(widths[0]), *cells[1:-1], row[-1]])


def _row(figures):
    caught = max(figures.ever.get(state, 0) for state in ("quarantined", "voided"))
    after = figures.answers_until_caught
    return (
        figures.kind,
        str(figures.raters),
        f"{figures.answers:,}",
        f"{figures.counted_share:.0%}",
        f"{figures.kudos_paid:,}",
        f"{figures.kudos_pending:,}",
        f"{figures.relative_pay:.1%}",
        str(figures.ever.get("trusted", 0)),
        str(caught),
        "-" if after is None else f"{after:.0f}",
        ", ".join(f"{figures.states[state]} {state}" for state in STATES if state in figures.states),
    )
