"""One process at a time is at a piece of work; a dead one is at nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from pixsent_tf.errors import RunError
from pixsent_tf.locks import locked

HOLD = (
    "import sys, time\n"
    "from pathlib import Path\n"
    "from pixsent_tf.locks import locked\n"
    "with locked([Path(sys.argv[-1])]):\n"
    "    print('held', flush=True)\n"
    "    time.sleep(60)"
)


@pytest.fixture
def lock(tmp_path):
    return tmp_path / "folds" / "fold-1.lock"


@pytest.fixture
def holder(lock):
    """Another process that holds it."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, "crossval", "DATA", str(lock)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_second_is_told_who_holds_it(lock, holder):
    with pytest.raises(RunError) as told, locked([lock]):
        raise AssertionError

    message = str(told.value)
    assert message.startswith(f"{lock.with_suffix('')} is being worked on by process ")
    assert f"process {holder.pid} on {os.uname().nodename}, since 20" in message
    assert "(pixsent-tf crossval DATA" in message
    assert message.endswith("wait for its end, or name another folder with --out.")


def test_what_a_killed_process_left_holds_nobody_up(lock, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert json.loads(lock.read_text())["pid"] == holder.pid

    with locked([lock]):
        assert json.loads(lock.read_text())["pid"] == os.getpid()


def test_others_may_be_at_other_pieces(lock, holder):
    with locked([lock.with_name("fold-2.lock")]):
        assert holder.poll() is None


def test_one_piece_in_use_leaves_the_others_free(lock, holder):
    second = lock.with_name("fold-2.lock")
    with pytest.raises(RunError, match="fold-1 is being"), locked([second, lock]):
        raise AssertionError

    assert not second.exists()


def test_an_error_ends_the_lock_and_its_file(lock):
    with pytest.raises(ZeroDivisionError), locked([lock]):
        raise ZeroDivisionError

    assert not lock.exists()


def test_a_lock_without_a_name_in_it_is_still_a_lock(lock):
    with locked([lock]):
        lock.write_text("half a na")
        with pytest.raises(RunError, match="by another process; wait"), locked([lock]):
            raise AssertionError
