"""Run the benchmarks: `make bench`, or `make bench BENCH_ARGS="submit selection"` for some of them."""

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Iterable

NAMES = ("submit", "relay", "selection", "settlement", "import", "release", "quality", "page")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench BENCH_ARGS=…", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], help="which ones (default: all)")
    parser.add_argument("--images", type=int, default=1_000_000, help="size of the large dataset")
    parser.add_argument("--parts", nargs="*", help="of quality: scores detection online bets rings votes worlds speed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kudoscope-bench-") as folder:
        os.environ |= {"VAR_DIR": folder, "DJANGO_SETTINGS_MODULE": "config.settings.local"}
        _set_up()
        print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}")
        for name in options.names or NAMES:
            for line in _bench(name, options.images, options.parts):
                print(line, flush=True)
    return 0


def _set_up() -> None:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)


def _bench(name: str, images: int, parts: list[str] | None) -> Iterable[str]:
    from tests.benchmarks import (
        bench_import,
        bench_page,
        bench_quality,
        bench_relay,
        bench_release,
        bench_selection,
        bench_settlement,
        bench_submit,
    )

    benches = {
        "submit": bench_submit.run,
        "relay": bench_relay.run,
        "selection": lambda: bench_selection.run_bench(large=images),
        "settlement": bench_settlement.run,
        "import": bench_import.run,
        "release": bench_release.run,
        "quality": lambda: bench_quality.run(parts),
        "page": bench_page.run,
    }
    return benches[name]()


if __name__ == "__main__":
    sys.exit(main())
