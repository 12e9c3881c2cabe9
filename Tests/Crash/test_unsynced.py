"""The preload library and the rollback, tried with SQLite: they must lose what was not synced and no more."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import rollback
from crash_disk import CrashDisk

WRITER = """
import os, sqlite3, sys
path, synchronous, mode = sys.argv[1:4]
database = sqlite3.connect(path, isolation_level=None)
database.execute(f"PRAGMA journal_mode={mode}")
database.execute(f"PRAGMA synchronous={synchronous}")
database.execute("PRAGMA wal_autocheckpoint=50")
database.execute("CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, filling TEXT)")
first = database.execute("SELECT coalesce(max(n), 0) FROM t").fetchone()[0]
for n in range(first + 1, first + 201):
    database.execute("INSERT INTO t VALUES (?, ?)", (n, "x" * (n * 37 % 900)))
    print(n, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def disk(tmp_path) -> CrashDisk:
    return CrashDisk(tmp_path / "disk", tmp_path / "undo")


def write_and_kill(disk: CrashDisk, program: str, *arguments: str) -> str:
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments], env=os.environ | disk.environment(), stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True)
    printed = []
    for line in process.stdout:
        printed.append(line.strip())
        if len(printed) == 200 or line.strip() == "ready":
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    return printed[-1] if printed else ""


def rows(path: Path) -> list[int]:
    if not path.exists():
        return []
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        if not database.execute("SELECT 1 FROM sqlite_master").fetchone():
            return []
        return [n for n, in database.execute("SELECT n FROM t ORDER BY n")]


@pytest.mark.parametrize("mode,seed", [("WAL", None), ("WAL", 1), ("DELETE", None), ("TRUNCATE", 1)])
def test_full_keeps_every_row_that_was_confirmed(disk, mode, seed):
    path = disk.directory / "t.sqlite"
    for run in (1, 2):
        last = int(write_and_kill(disk, WRITER, str(path), "FULL", mode))
        disk.roll_back(seed)
        assert rows(path) == list(range(1, last + 1)), f"run {run}"


def test_normal_in_wal_mode_loses_confirmed_rows(disk):
    path = disk.directory / "t.sqlite"
    last = int(write_and_kill(disk, WRITER, str(path), "NORMAL", "WAL"))
    disk.roll_back()
    kept = rows(path)
    assert kept == list(range(1, len(kept) + 1))
    assert len(kept) < last


def test_off_loses_everything(disk):
    path = disk.directory / "t.sqlite"
    last = int(write_and_kill(disk, WRITER, str(path), "OFF", "WAL"))
    assert last == 200
    disk.roll_back()
    assert rows(path) == []


def test_without_the_rollback_a_kill_loses_nothing(disk):
    """The reason for all this: the page cache survives, so a kill alone does not find a missing sync."""
    path = disk.directory / "t.sqlite"
    last = int(write_and_kill(disk, WRITER, str(path), "OFF", "WAL"))
    assert rows(path) == list(range(1, last + 1))


def test_ignored_syncs_count_as_not_done(disk):
    path = disk.directory / "t.sqlite"
    assert write_and_kill(disk, WRITER, str(path), "FULL", "WAL") == "200"
    disk.roll_back()
    disk.set_mode("ignore")
    assert write_and_kill(disk, WRITER, str(path), "FULL", "WAL") == "400"
    disk.roll_back()
    assert rows(path) == list(range(1, 201))


FILES = """
import os, sys, threading
directory = sys.argv[1]
def path(name): return os.path.join(directory, name)
def write(name, data, sync=False):
    d = os.open(path(name), os.O_RDWR | os.O_CREAT)
    os.pwrite(d, data, 0)
    if sync: os.fsync(d)
    return d
write("synced", b"old bytes", sync=True)
d = os.open(path("synced"), os.O_WRONLY)              # a second descriptor, writing only
os.pwrite(d, b"NEW", 4); os.pwrite(d, b"far away", 100)
write("never", b"gone")
d = write("cut", b"long enough", sync=True); os.ftruncate(d, 4)
d = write("truncated at opening", b"was here", sync=True)
os.close(os.open(path("truncated at opening"), os.O_WRONLY | os.O_TRUNC))
d = write("renamed before", b"kept", sync=True); os.pwrite(d, b"lost", 0)
os.rename(path("renamed before"), path("renamed"))
write("replacement", b"second", sync=True); write("replaced", b"first")
os.rename(path("replacement"), path("replaced"))
write("removed", b"x"); os.unlink(path("removed"))
a = write("two", b"aaaa", sync=True); b = os.dup(a); os.pwrite(b, b"bbbb", 0); os.fdatasync(a); os.pwrite(a, b"cccc", 0)
d = os.open(path("appended"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
os.write(d, b"one,"); os.fsync(d); os.write(d, b"two,"); os.writev(d, [b"three,", b"four"])
d = write("threads", bytes(4000), sync=True)
def fill(number):
    for place in range(number, 4000, 4): os.pwrite(d, b"z", place)
threads = [threading.Thread(target=fill, args=(n,)) for n in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
print("ready", flush=True)
sys.stdin.read()
"""


def test_every_kind_of_change_is_undone(disk):
    assert write_and_kill(disk, FILES, str(disk.directory)) == "ready"
    disk.roll_back()
    found = {entry.name: entry.read_bytes() for entry in disk.directory.iterdir()}
    assert found == {
        "synced": b"old bytes", "cut": b"long enough", "truncated at opening": b"was here", "renamed": b"kept",
        "replaced": b"second", "two": b"bbbb", "appended": b"one,", "threads": bytes(4000),
    }
    assert list(disk.logs.iterdir()) == []


def test_what_was_left_unsynced_stays_so_in_the_next_process(disk):
    first = "import os, sys; d = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT); os.pwrite(d, b'one', 0); os.fsync(d);" \
        "os.pwrite(d, b'two', 0); print('ready', flush=True); sys.stdin.read()"
    second = first.replace("os.fsync(d);", "").replace("b'one'", "b'six'").replace("b'two'", "b'ten'")
    path = disk.directory / "file"
    write_and_kill(disk, first, str(path))
    write_and_kill(disk, second, str(path))
    assert path.read_bytes() == b"ten"
    disk.roll_back()
    assert path.read_bytes() == b"one"


@pytest.mark.parametrize("mode,function,error", [("eio", "os.fdatasync(d)", 5), ("enospc", "os.write(d, b'y')", 28)])
def test_injected_errors(disk, mode, function, error):
    program = f"""
import os, sys
d = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
if {mode != "enospc"}: os.write(d, b"x")
try: {function}
except OSError as e: print(e.errno, flush=True)
print("ready", flush=True)
sys.stdin.read()
"""
    disk.set_mode(mode)
    process = subprocess.run(
        [sys.executable, "-c", program, str(disk.directory / "file")], env=os.environ | disk.environment(), input="",
        capture_output=True, text=True)
    assert process.stdout.split() == [str(error), "ready"], process.stderr


def test_a_record_cut_off_by_the_kill_is_no_change(tmp_path):
    record = rollback.RECORD.pack(rollback.MAGIC, 1, 0, 3, 3) + b"old"
    segment = tmp_path / "1-2.00000000"
    segment.write_bytes(record + record[:-1])
    assert rollback.read_records([segment]) == [(1, 0, b"old", 3)]
