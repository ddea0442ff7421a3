"""Valkey, reached through a Unix socket only, with its append-only file."""

import signal
import socket
from urllib.parse import quote

from .process import stop_left_over
from .servers import Server


class Valkey(Server):
    label = "Valkey"
    stop_steps = ((signal.SIGTERM, 20.0), (signal.SIGKILL, 10.0))

    @property
    def socket_path(self) -> str:
        return str(self.plan.sockets / "valkey.sock")

    @property
    def url(self) -> str:
        return f"unix://{quote(self.socket_path)}?db=0"

    def prepare(self) -> None:
        data = self.plan.data
        stop_left_over(data / "valkey.pid", data, self.socket_path, signal.SIGTERM, self.label)
        if not data.exists():
            data.mkdir(mode=0o700)
            self.account.give(data)

    def command(self) -> list[str]:
        # Started in the data folder, so that no path has to survive Valkey's own quoting rules.
        persistence = "no" if self.plan.is_ephemeral else "yes"
        return [
            *(str(self.plan.program), "--port", "0", "--dir", ".", "--pidfile", "valkey.pid"),
            *("--unixsocket", self.socket_path, "--unixsocketperm", "700"),
            *("--appendonly", persistence, "--appendfsync", "everysec", "--save", ""),
            # Leases and queued work must not be evicted to make room.
            *("--maxmemory-policy", "noeviction"),
        ]

    def is_ready(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            try:
                connection.connect(self.socket_path)
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith(b"+PONG")
            except OSError:
                return False
