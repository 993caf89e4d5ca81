"""A server on a free port of the loopback interface, shared by the tests of a run."""
from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Iterator

import pytest

from aisivi import Client, Fit


class Server:
    """aisivi-server in a folder; `address` is where it listens."""

    def __init__(self, folder: Path) -> None:
        ports = folder / "ports"
        command = [os.environ["AISIVI_SERVER_PROGRAM"], "--listen", "127.0.0.1:0"]
        command += ["--metrics_listen", "", "--data_dir", str(folder / "data")]
        self.process = subprocess.Popen(
            [*command, "--port_file", str(ports)], stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 120
        while not (ports.exists() and "listen=" in ports.read_text()):
            assert self.process.poll() is None, "the server did not start"
            assert time.monotonic() < deadline, "the server has no port"
            time.sleep(0.02)
        lines = dict(line.split("=", 1) for line in ports.read_text().split())
        self.address = lines["listen"]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("server"))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def client(server: Server) -> Iterator[Client]:
    with Client(server.address) as connected:
        yield connected


# Enough to go through every phase.
QUICK = {"iterations": 40, "evidence_draws": 300, "evidence_inner_samples": 16}


@pytest.fixture(scope="session")
def banana(client: Client) -> Fit:
    return client.fit("banana", seed=3, display_name="a <b>bold</b> name", **QUICK).wait()
