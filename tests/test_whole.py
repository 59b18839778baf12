"""A file is there whole, or what was there before is."""

from __future__ import annotations

import os
import re
import resource
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pixsent_tf.whole import whole
from tests.conftest import ROOT


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_there_when_the_block_has_ended_and_not_before(tmp_path):
    path = tmp_path / "table.csv"

    with whole(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()

    assert path.read_text() == "new"
    assert names(tmp_path) == ["table.csv"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_in_the_middle_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "table.csv"
    path.write_text("old")

    def write_half():
        with whole(path) as temporary:
            temporary.write_text("ne")
            raise error

    with pytest.raises(error):
        write_half()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["table.csv"]


def test_an_error_in_the_middle_of_a_folder_leaves_none(tmp_path):
    def write_half():
        with whole(tmp_path / "1") as temporary:
            (temporary / "variables").mkdir(parents=True)
            (temporary / "variables" / "index").write_text("")
            raise ValueError("half")

    with pytest.raises(ValueError, match="half"):
        write_half()
    assert names(tmp_path) == []


def test_a_folder_that_holds_something_is_not_replaced(tmp_path):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "mine").write_text("old")

    def write():
        with whole(tmp_path / "1") as temporary:
            temporary.mkdir()

    with pytest.raises(FileExistsError, match=r"something in it is there: .*1"):
        write()

    assert names(tmp_path) == ["1"]
    assert names(tmp_path / "1") == ["mine"]


def test_all_of_it_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    target = tmp_path / "1"
    synced = []

    def spy(descriptor):
        found = os.readlink(f"/proc/self/fd/{descriptor}")
        synced.append((os.path.relpath(found, tmp_path), target.exists()))

    monkeypatch.setattr(os, "fsync", spy)
    with whole(target) as temporary:
        (temporary / "assets").mkdir(parents=True)
        (temporary / "assets" / "names.txt").write_text("a")
        name = temporary.name

    parts = (name, f"{name}/assets", f"{name}/assets/names.txt")
    assert sorted(synced[:-1]) == [(part, False) for part in parts]
    assert synced[-1] == (".", True)  # the name itself


KILLED = """
import os, signal, sys
from pathlib import Path
from pixsent_tf.whole import whole
with whole(Path(sys.argv[1])) as temporary:
    if sys.argv[2] == "folder":
        temporary.mkdir()
    (temporary / "index" if sys.argv[2] == "folder" else temporary).write_text("half")
    print(temporary.name, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_a_killed_writer_left_is_removed_and_nothing_else(kind, tmp_path):
    path = tmp_path / "answers[1].csv"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, path, kind],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    (left,) = names(tmp_path)
    assert left == killed.stdout.strip()
    host, process, mark = left.removeprefix(".answers[1]-").split("-")
    others = [
        f".answers[1]-{host}-{os.getpid()}-{mark}",  # at work now
        f".answers[1]-00000000-{process}-{mark}",  # of another machine
        f".answers[2]-{host}-{process}-{mark}",  # of another file
        f".answers[1]-{host}-own-{mark}",
    ]
    for name in others:
        (tmp_path / name).touch()

    with whole(path) as temporary:
        temporary.write_text("new")

    assert names(tmp_path) == sorted([*others, path.name])


def test_a_name_as_long_as_names_may_be_is_written(tmp_path):
    path = tmp_path / f"{'ä' * 120}.csv"  # 244 bytes

    with whole(path) as temporary:
        temporary.write_text("new")

    assert path.read_text() == "new"


def test_libraries_that_insist_on_a_suffix_are_content(tmp_path):
    with whole(tmp_path / "new" / "values.npz") as temporary:
        np.savez(temporary, a=np.arange(3))

    with np.load(tmp_path / "new" / "values.npz") as stored:
        assert stored["a"].tolist() == [0, 1, 2]
    assert names(tmp_path / "new") == ["values.npz"]


def test_two_writers_do_not_meet(tmp_path):
    with whole(tmp_path / "a.txt") as one, whole(tmp_path / "a.txt") as other:
        one.write_text("one")
        other.write_text("other")

    assert (tmp_path / "a.txt").read_text() == "one"


def test_others_may_read_what_they_could_read_otherwise(tmp_path):
    (tmp_path / "plain").write_text("")

    with whole(tmp_path / "whole") as temporary:
        temporary.write_text("")

    modes = [stat.S_IMODE((tmp_path / n).stat().st_mode) for n in ("plain", "whole")]
    assert modes[0] == modes[1]


def test_a_device_is_written_to_and_stays_one():
    device = Path(os.devnull)

    with whole(device) as lent:
        lent.write_text("gone")

    assert device.is_char_device()


def test_nobody_else_renames_what_it_wrote():
    package = ROOT / "pixsent_tf"
    idioms = re.compile(
        r"os\.(replace|rename)\(|\.rename\(|(temporary|partial)\.replace\("
        r"|atomic=|mkstemp|\.part\b"
    )

    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if idioms.search(path.read_text("utf-8"))
    }

    # The parts of a large job lie on any file system that Apache Beam knows.
    assert found <= {"whole.py", "serving/job.py"}


def test_a_full_disk_is_told_with_the_file_that_did_not_fit(tmp_path):
    path = tmp_path / "table.csv"

    def write():
        with whole(path) as temporary, temporary.open("w") as file:
            file.write("x" * 100_000)

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            write()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert caught.value.filename == str(path)
    assert names(tmp_path) == []
