"""Where a rater stands, decided from e-values and p_honest, and the reason in words."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from ratings.stats.bets import EValues
from ratings.stats.evidence import LEAST_FOR_CORRELATION
from ratings.stats.levels import Flags, Floats, Ints
from ratings.stats.parameters import KINDS, Policy
from ratings.stats.results import RaterResults

# Beside KINDS: agrees with others who seem not to look.
CAMP = len(KINDS)
COPIER, CHANGED = KINDS.index("copier"), KINDS.index("changed")


class Standing(IntEnum):
    """In the words of the service. Voiding is a person's decision and none of these."""

    NEW = 0
    CALIBRATED = 1
    TRUSTED = 2
    WATCHED = 3
    QUARANTINED = 4


@dataclass(frozen=True, slots=True)
class Verdicts:
    """`standing` holds values of Standing; `kind` is an index of KINDS, CAMP, or -1 where nothing is against one."""

    standing: Ints
    kind: Ints


def judge(results: RaterResults, e_values: EValues, policy: Policy, *, is_nightly: bool = False) -> Verdicts:
    """Return where raters stand; the gravest that applies.

    With results of a fit from scratch, which are looked at once a night, p_honest alone decides too (`is_nightly`).
    """
    ban, trust = e_values.ban, e_values.trust
    halved = np.where(e_values.change > policy.changed_at, np.log(2.0), 0.0)
    is_calibrated = trust - halved >= np.log(policy.calibrated_at)
    is_quiet = (results.p_honest > policy.calibrated_p) & (ban < np.log(policy.gold_at)) & (trust >= halved)
    is_calibrated |= is_quiet & (results.count >= policy.calibrated_ratings)
    is_out = is_held(results.count, results.p_honest, results.suspicion, ban, policy)
    if is_nightly:
        is_out |= _is_held_by_fit(results, e_values, policy)
    standing = np.full(len(ban), int(Standing.NEW))
    standing[is_calibrated & (results.count >= policy.first_ratings)] = Standing.CALIBRATED
    standing[(trust - halved >= np.log(policy.trusted_at)) & (results.p_honest > 0.5)] = Standing.TRUSTED
    standing[(ban >= np.log(policy.watched_at)) | (e_values.change > policy.changed_at)] = Standing.WATCHED
    standing[is_out] = Standing.QUARANTINED
    is_suspect = (results.p_honest < 0.5) | (standing >= Standing.WATCHED)
    return Verdicts(standing, np.where(is_suspect, results.suspicion.argmax(axis=1), -1))


def excuse_camp(verdicts: Verdicts, in_camp: Flags) -> Verdicts:
    """Return verdicts in which a camp of taste is watched and not quarantined: a person decides what it is."""
    is_excused = in_camp & (verdicts.standing == Standing.QUARANTINED)
    standing = np.where(is_excused, int(Standing.WATCHED), verdicts.standing)
    return Verdicts(standing, np.where(is_excused, CAMP, verdicts.kind))


def _is_held_by_fit(results: RaterResults, e_values: EValues, policy: Policy) -> Flags:
    """Return which raters p_honest alone holds.

    That somebody has changed it does not say alone: people rate in runs of one kind, and a long run looks like it. The
    evidence over all moments at which they may have changed has to agree.
    """
    is_improbable = (results.count >= policy.least_ratings) & (results.p_honest < policy.least_honest_alone)
    has_changed = results.suspicion.argmax(axis=1) == CHANGED
    return np.asarray(is_improbable & (~has_changed | (e_values.change > policy.changed_at)))


def is_held(count: Floats | Ints, p_honest: Floats, suspicion: Floats, ban: Floats, policy: Policy) -> Flags:
    """Return which raters are quarantined while ratings come in.

    The ban e-value bounds how often the honest are held, however often one looks; p_honest, which strays early on,
    only confirms it. Of copiers, who vary with the images, the e-value knows nothing.
    """
    is_banned = (ban >= np.log(policy.quarantined_at)) & (p_honest < 0.5)
    is_early = (ban >= np.log(policy.watched_at)) & (p_honest < policy.least_honest)
    is_copier = (suspicion.argmax(axis=1) == COPIER) & (p_honest < policy.least_honest_alone)
    return np.asarray(is_banned | ((count >= policy.first_ratings) & (is_early | is_copier)))


def reason_of(results: RaterResults, index: int, kind: int) -> str:
    """Return in words what speaks against a rater, and "" when nothing does; `kind` is that of Verdicts."""
    count = int(results.count[index])
    r, error = float(results.correlation[index]), 1.96 * float(results.correlation_error[index])
    blind = f"the ratings do not vary with the image (r = {r:.2f} +- {error:.2f} over {count} ratings)"
    if kind < 0:
        return ""
    if kind == CAMP:
        return f"agrees with a minority that sees things otherwise than most ({count} ratings): taste, or a conspiracy"
    if r + error < 0:
        return f"the ratings run against those of the others (r = {r:.2f} +- {error:.2f} over {count} ratings)"
    told = {
        "uniform": f"all levels are answered about equally often, and {blind}",
        "flat": f"nearly all of {count} ratings are the same",
        "changed": f"looked at the images at first and does not any more ({count} ratings)",
        "copier": f"the ratings follow the average of earlier ratings more closely than people do ({count} ratings)",
    }
    unknown = f"too little is known ({count} ratings)"
    return told.get(KINDS[kind], blind if count >= LEAST_FOR_CORRELATION else unknown)


def pool_e_values(logs: Floats, *, axis: int = 0) -> Floats:
    """Return ln of the mean of e-values of several questions or accounts of one person.

    The mean is an e-value whatever the dependence between them (Vovk and Wang 2021); the maximum is not.
    """
    top = np.max(logs, axis=axis, keepdims=True)
    mean = np.mean(np.exp(logs - top), axis=axis)
    return np.asarray(np.squeeze(top, axis) + np.log(mean))


def pool_odds(log_odds: Floats, counts: Floats) -> Floats:
    """Return ln odds against honesty of a person over several questions (rows), by how often each was answered."""
    weight = counts / np.maximum(counts.sum(axis=0), 1.0)
    top = np.max(log_odds, axis=0)
    return np.asarray(top + np.log(np.maximum((weight * np.exp(log_odds - top)).sum(axis=0), 1e-300)))
