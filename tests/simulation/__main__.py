"""Honest raters and scripts rate through the API of the whole service, which this starts: `make simulate`.

Honest raters answer from a real rater's row: the ratings in ../shared/data beside the checkout (or KUDOSCOPE_DATA), or a
generated set where there are none. Their scale is mapped to ten levels; answers about artifacts come from a model.
Scripts are of several kinds, in equal numbers:

  uniform   any level              marginal  levels as often as people give them
  constant  one level              permute   a real rater's own answers, in any order
  lowest    always 1               sleeper   a real rater's answers for half the run, then marginal
  narrow    about the middle       ring      made up for each picture, and all of the ring say the same
  drifter   (not by default) a real rater's answers, ever fewer

All is as on a site: PostgreSQL, Valkey, web server, worker and schedule of their own on free ports, every limit and test
on. Three settings differ, each of them an operator's, because an evening of rating takes minutes here: rewards are held
for --hold seconds instead of three days, gold is raised sooner and kept up oftener (CONTROL_POLICY), and the service
stands behind a proxy that states each player's address (TRUSTED_PROXY_COUNT), as most do. Clients of the API have no
field for how long they looked, so how fast these answer says nothing. The seed decides who the players are, what they
answer to which picture, and in what order; which picture they are given is the service's own chance, so figures differ a
little between runs.

At the end: what became of each kind, kudos, scores against the true ones. The exit status is 1 when a promise of
docs/quality.md was not kept, and the last lines say which.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.simulation.cast import KINDS, MORE_KINDS
from tests.simulation.server import environment, serving


def main():
    options = _read_options()
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kudoscope-simulation-") as name:
        folder = Path(name)
        os.environ |= environment(folder, hold=options.hold)
        _set_up()
        with serving(folder) as base_url:
            outcome = _simulate(base_url, options, start)
        for log in ("web", "worker", "beat"):
            _show_errors(folder / f"{log}.log")
    from tests.simulation.report import lines_of

    print(f"\nSeed {options.seed}, {os.cpu_count()} cores, {time.monotonic() - start:.0f} s in all.\n")
    for line in lines_of(outcome):
        print(line)
    if options.json:
        options.json.write_text(json.dumps(outcome.as_dict(), indent=2, default=str) + "\n")
    return 1 if outcome.misses else 0


def _read_options():
    parser = argparse.ArgumentParser(
        prog="make simulate SIMULATE_ARGS=…", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--honest", type=_count, default=200, help="honest raters (default 200)")
    parser.add_argument("--scripts", type=_count, default=40, help="scripts, of all kinds together (default 40)")
    parser.add_argument("--ratings", type=_count, default=60, help="answers of each (default 60)")
    parser.add_argument("--pace", type=_count, default=40, help="answers a second, of all together (default 40)")
    parser.add_argument("--hold", type=int, default=20, help="seconds that rewards are held (default 20)")
    parser.add_argument("--seed", type=int, default=1, help="another seed is another crowd (default 1)")
    parser.add_argument("--pool", choices=("london", "made"), default="", help="where honest rows come from")
    parser.add_argument("--kinds", nargs="+", choices=KINDS + MORE_KINDS, default=KINDS, help="kinds of scripts")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the outcome there too")
    return parser.parse_args()


def _count(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def _set_up():
    import django

    django.setup()
    from django.core.management import call_command

    from config.moderators import ensure_moderators

    call_command("migrate", verbosity=0)
    ensure_moderators()


def _simulate(base_url, options, start):
    from tests.simulation.simulation import load_pool, simulate

    pool = load_pool(options.pool)
    print(f"Ratings of honest people: {pool.name}. The service runs at {base_url} ({time.monotonic() - start:.0f} s).")
    return simulate(
        base_url,
        pool=pool,
        honest=options.honest,
        scripts=options.scripts,
        ratings=options.ratings,
        pace=options.pace,
        seed=options.seed,
        kinds=tuple(options.kinds),
        say=lambda text: print(f"  {time.monotonic() - start:4.0f} s  {text}", flush=True),
    )


def _show_errors(log):
    """Print what went wrong in a process: a run with errors in its logs is no good run."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if "rror" in line]
    for line in lines[:10]:
        print(f"{log.stem} | {line}")


if __name__ == "__main__":
    sys.exit(main())
