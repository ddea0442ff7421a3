"""What became of everybody, read from the database and held against what only the simulation knows."""

from collections import Counter
from dataclasses import asdict, dataclass, field

import numpy as np
from django.db import connection

from config.invariants import find_violations
from ratings.models import ImageScore, QualityAlarm, Rater, RaterTransition, Task, TaskParameters
from ratings.stats.ranks import rank_correlation
from tests.simulation.cast import HONEST, LOOKS_AT_FIRST

OUT = {"quarantined", "voided"}
PAID_STATES = {"calibrated", "trusted"}
# Images with fewer answers tell nothing of a method.
LEAST_ANSWERS = 3
ROWS = """
    SELECT r.image_id::text, i.user_id, r.aesthetic, r.state, r.reward, r.settlement_id IS NOT NULL, t.created_at
    FROM ratings_rating r JOIN ratings_rater a ON a.id = r.rater_id JOIN accounts_identity i ON i.id = a.identity_id
        LEFT JOIN kudos_transaction t ON t.id = r.settlement_id
    WHERE r.dataset_id = %s ORDER BY r.id
"""
CONTROLS = """
    SELECT c.kind, i.user_id, c.image_id::text
    FROM ratings_controlanswer c JOIN ratings_rater a ON a.id = c.rater_id
        JOIN accounts_identity i ON i.id = a.identity_id
    WHERE c.dataset_id = %s
"""
TASK = Task.AESTHETIC


@dataclass
class KindFigures:
    """One line of the table. Kudos of answers that were made up are apart: a sleeper has earned what came before."""

    kind: str
    raters: int
    answers: int
    counted_share: float
    states: dict
    ever: dict
    """How many were ever in a state."""
    answers_until_trusted: float | None
    answers_until_caught: float | None
    kudos_paid: int
    kudos_pending: int
    made_up: int
    kudos_made_up: int
    relative_pay: float = 0.0
    """Kudos paid for an answer that was made up, as a share of those for an honest rater's answer."""


@dataclass
class ScoreFigures:
    correlation: float
    error: float


@dataclass
class Outcome:
    options: dict
    seconds: float
    acknowledged: int
    stored: int
    controls: dict
    lost: int
    kinds: list
    scores: dict
    images: int
    online_agreement: float | None
    alarms: list
    violations: list
    paid_too_early: int
    statuses: dict
    unexpected: dict
    without_image: int
    honest_ever_held: int
    stories: list
    """What is on record of honest raters who are held and of blind scripts that were paid, in words."""
    misses: list = field(default_factory=list)

    def as_dict(self):
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Row:
    """One stored rating, and what the simulation knows of it."""

    image_id: str
    player: int
    aesthetic: int
    state: str
    reward: int
    is_settled: bool
    settled_at: object
    is_honest: bool


def measure(players, stage, diary, options):
    """Return everything that is to be reported."""
    rows = _read_rows(players, stage, diary)
    raters = _read_raters(stage)
    controls = _fetch(CONTROLS, stage.dataset_id)
    kinds = [_measure_kind(kind, players, rows, raters) for kind in dict.fromkeys(player.kind for player in players)]
    _compare_pay(kinds)
    stored = Counter((stage.user_ids[row.player], row.image_id) for row in rows)
    stored += Counter((user, image) for _, user, image in controls)
    acknowledged = Counter((stage.user_ids[given.player], given.image_id) for given in diary.given)
    agreement = TaskParameters.objects.filter(dataset=stage.dataset_id, task=TASK).values_list("agreement", flat=True)
    honest = [raters[p.number] for p in players if p.kind == HONEST]
    scores, images = _measure_scores(rows, stage)
    return Outcome(
        options=options,
        seconds=diary.seconds,
        acknowledged=len(diary.given),
        stored=len(rows),
        controls=dict(Counter(kind for kind, _, _ in controls)),
        lost=(acknowledged - stored).total(),
        kinds=kinds,
        scores=scores,
        images=images,
        online_agreement=next((found.get("rank_correlation") for found in agreement), None),
        alarms=list(QualityAlarm.objects.values_list("message", flat=True)),
        violations=list(find_violations()),
        paid_too_early=sum(_is_too_early(row, raters[row.player]) for row in rows),
        statuses={" ".join(map(str, key)): n for key, n in sorted(diary.statuses.items())},
        unexpected={" ".join(map(str, key)): n for key, n in diary.unexpected().items()},
        without_image=diary.without_image,
        stories=_tell(players, rows, raters),
        honest_ever_held=sum(bool(OUT & rater.reached.keys()) for rater in honest),
    )


@dataclass
class RaterStory:
    """Where a rater stands, and when and after how many answers they first came to each state."""

    state: str
    reached: dict = field(default_factory=dict)
    reasons: list = field(default_factory=list)

    def answers_until(self, states):
        found = [count for state, (_, count) in self.reached.items() if state in states]
        return min(found) if found else None


def _read_rows(players, stage, diary):
    numbers = {pk: number for number, pk in enumerate(stage.user_ids)}
    # The first answer to an image is its rating; what comes again is a control.
    known = {(given.player, given.image_id): given.is_honest for given in reversed(diary.given)}
    rows = []
    for image_id, user_id, aesthetic, state, reward, is_settled, settled_at in _fetch(ROWS, stage.dataset_id):
        player = numbers[user_id]
        # What was stored without the client hearing of it is nobody's honest work.
        is_honest = known.get((player, image_id), False)
        rows.append(Row(image_id, player, aesthetic, state, reward, is_settled, settled_at, is_honest))
    return rows


def _read_raters(stage):
    numbers = {pk: number for number, pk in enumerate(stage.user_ids)}
    found = Rater.objects.filter(identity__user__in=stage.user_ids).values_list("id", "identity__user", "state")
    by_pk = {pk: (numbers[user], RaterStory(state)) for pk, user, state in found}
    for step in RaterTransition.objects.filter(rater__in=by_pk).order_by("id"):
        story = by_pk[step.rater_id][1]
        story.reasons.append(f"{step.to_state}: {step.reason}")
        story.reached.setdefault(step.to_state, (step.taken_at, step.evidence.get("rating_count")))
    stories = dict(by_pk.values())
    return {number: stories.get(number, RaterStory("absent")) for number in numbers.values()}


def _measure_kind(kind, players, rows, raters):
    numbers = {player.number for player in players if player.kind == kind}
    own = [row for row in rows if row.player in numbers]
    stories = [raters[number] for number in sorted(numbers)]
    made_up = [row for row in own if not row.is_honest]
    return KindFigures(
        kind=kind,
        raters=len(numbers),
        answers=len(own),
        counted_share=sum(row.state == "counted" for row in own) / max(len(own), 1),
        states=dict(Counter(story.state for story in stories)),
        ever=dict(Counter(state for story in stories for state in story.reached)),
        answers_until_trusted=_median(story.answers_until({"trusted"}) for story in stories),
        answers_until_caught=_median(story.answers_until(OUT) for story in stories),
        kudos_paid=sum(row.reward for row in own if row.is_settled),
        kudos_pending=sum(row.reward for row in own if not row.is_settled and row.state == "counted"),
        made_up=len(made_up),
        kudos_made_up=sum(row.reward for row in made_up if row.is_settled),
    )


def _tell(players, rows, raters):
    paid = Counter(row.player for row in rows if row.is_settled and not row.is_honest)
    told = []
    for player in players:
        is_wronged = player.kind == HONEST and raters[player.number].state in OUT
        if is_wronged or (player.kind not in LOOKS_AT_FIRST and paid[player.number]):
            told.append(f"{player.name}: " + " -> ".join(raters[player.number].reasons))
    return told


def _median(counts):
    """Return the median over all of them, where who never gets there does so after the others; None if it is such."""
    values = sorted(float("inf") if count is None else count for count in counts)
    middle = values[(len(values) - 1) // 2] if values else float("inf")
    return None if middle == float("inf") else float(middle)


def _compare_pay(kinds):
    [honest] = [figures for figures in kinds if figures.kind == HONEST]
    each = honest.kudos_paid / max(honest.answers, 1)
    for figures in kinds:
        of, kudos = (
            (figures.answers, figures.kudos_paid) if figures is honest else (figures.made_up, figures.kudos_made_up)
        )
        figures.relative_pay = kudos / of / each if of and each else 0.0


def _is_too_early(row, story):
    """Whether a rating was paid before its rater was known to look."""
    if not row.is_settled:
        return False
    known_at = [at for state, (at, _) in story.reached.items() if state in PAID_STATES]
    return not known_at or row.settled_at < min(known_at)


def _measure_scores(rows, stage):
    """Return correlation and error with the true scores, for the engine and what it is held against."""
    numbers = {pk: subject.number for pk, subject in stage.subjects.items()}
    image = np.array([numbers[row.image_id] for row in rows])
    rater = np.array([row.player for row in rows])
    value = np.array([row.aesthetic for row in rows], dtype=float)
    is_honest = np.array([row.is_honest for row in rows])
    size = len(stage.truth)
    chosen = np.bincount(image, minlength=size) >= LEAST_ANSWERS
    engine = np.full(size, np.nan)
    for pk, score in ImageScore.objects.filter(dataset=stage.dataset_id, task=TASK).values_list("image_id", "score"):
        engine[numbers[str(pk)]] = np.nan if score is None else score
    methods = {
        "engine": engine,
        "plain mean of all answers": np.bincount(image, value, size)
        / np.maximum(np.bincount(image, minlength=size), 1),
        "BLUP of all answers": blup(image, rater, value, size),
        "BLUP of honest answers alone (oracle)": blup(image[is_honest], rater[is_honest], value[is_honest], size),
    }
    found = {
        name: ScoreFigures(
            correlation=float(rank_correlation(score[chosen], stage.truth[chosen])),
            error=float(np.sqrt(np.mean((score[chosen] - stage.truth[chosen]) ** 2))),
        )
        for name, score in methods.items()
    }
    return found, int(chosen.sum())


def blup(image, rater, value, image_count, *, sweeps=20):
    """Return the best linear unbiased prediction of image scores: rater biases taken off, shrunk to the mean.

    Nothing of the engine is in it. Two variance components by moments (Henderson).
    """
    mean, of_image, of_rater = value.mean(), np.bincount(image, minlength=image_count), np.bincount(rater)
    bias, score = np.zeros(len(of_rater)), np.full(image_count, mean)
    for _ in range(sweeps):
        bias = np.bincount(rater, value - score[image], len(of_rater)) / (of_rater + 3)
        rest = value - bias[rater]
        plain = np.bincount(image, rest, image_count) / np.maximum(of_image, 1)
        within = np.sum((rest - plain[image]) ** 2) / max(len(value) - np.count_nonzero(of_image), 1)
        used = of_image > 1
        between = max(np.var(plain[used]) - within * np.mean(1 / of_image[used]), 0.05 * within)
        kappa = within / between
        score = (np.bincount(image, rest, image_count) + kappa * mean) / (of_image + kappa)
    return score


def _fetch(sql, *params):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()
