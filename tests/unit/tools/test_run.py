"""The launcher behind ``make run``: ports, parts that end, and ending the rest."""

import socket
import sys
from pathlib import Path

import pytest

from tools.run import StartError, require_alive, require_free, running, wait_for

FOR_EVER = [sys.executable, "-c", "import time; time.sleep(600)"]
BROKEN = [sys.executable, "-c", "print('no such table'); raise SystemExit(3)"]


def test_a_port_in_use_is_one_sentence_with_a_way_on() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(StartError, match=rf"Port {port} is in use.*make run PORT=\d+\.$"):
            require_free(port, "PORT")
    require_free(port, "PORT")


def test_all_parts_end_together(tmp_path: Path) -> None:
    with running({"tool": FOR_EVER, "worker": FOR_EVER}, tmp_path) as parts:
        require_alive(parts)
    assert all(part.process.returncode is not None for part in parts)


def test_a_part_that_ends_takes_the_others_with_it_and_says_why(tmp_path: Path) -> None:
    with (
        pytest.raises(StartError, match=r"(?s)no such table.*tool ended with exit code 3\."),
        running({"worker": FOR_EVER, "tool": BROKEN}, tmp_path) as parts,
    ):
        wait_for("http://127.0.0.1:9/", parts)
    assert all(part.process.returncode is not None for part in parts)
