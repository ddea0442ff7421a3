"""Run a command with the servers up: `python -m config.embedded [--ephemeral] -- command args...`."""

import argparse
import os
import signal
import subprocess
import sys

from . import EmbeddedError, services


def run_command(command: list[str]) -> int:
    """Run it in this terminal, pass signals on to it, and return its exit code as a shell would."""
    received: list[int] = []
    process: subprocess.Popen[bytes] | None = None

    def forward(number: int, _frame: object) -> None:
        if number == signal.SIGINT and os.isatty(0):
            # Ctrl-C reaches the command from the terminal itself, which signals the whole foreground group.
            return
        if process is None:
            received.append(number)
        else:
            process.send_signal(number)

    # Before the start, or a signal in between would end us and leave the command running. What `nohup` has made us
    # ignore stays ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, forward)
    process = subprocess.Popen(command)
    for early in received:
        process.send_signal(early)
    code = process.wait()
    return code if code >= 0 else 128 - code


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m config.embedded", description=__doc__)
    parser.add_argument("--ephemeral", action="store_true", help="empty servers, deleted at the end")
    parser.add_argument("command", nargs="+", help="the command and its arguments, after --")
    arguments = parser.parse_args()
    try:
        with services(ephemeral=arguments.ephemeral):
            return run_command(arguments.command)
    except FileNotFoundError as error:
        sys.exit(f"There is no command {error.filename}.")
    except EmbeddedError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    sys.exit(main())
