"""What every group of points stands on: the box, the report, and waiting for what happens."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
NOT_RUN = 77  # as ctest's SKIP_RETURN_CODE has it


class NoBox(Exception):
    """This machine, or this user, cannot have a box."""


class Broken(Exception):
    """A step that the points of a group need has failed; the rest of the group cannot be seen."""


def until(what, seconds=20.0, every=0.05):
    """Asks again until what() gives something true, and returns that; None when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        found = what()
        if found:
            return found
        if time.monotonic() > deadline:
            return None
        time.sleep(every)


class Report:
    """One line for each point, and how many there were."""

    def __init__(self):
        self.passed = 0
        self.failed = []
        self.group = ""

    def point(self, name, holds, detail=""):
        """Returns whether it holds, for points that rest on one another. `detail`: what was seen."""
        verdict = "PASS" if holds else "FAIL"
        line = f"{verdict} {self.group}: {name}"
        if detail and not holds:
            line += "".join(f"\n       {each}" for each in str(detail).strip().splitlines()[-25:])
        print(line, flush=True)
        if holds:
            self.passed += 1
        else:
            self.failed.append(f"{self.group}: {name}")
        return bool(holds)

    def figure(self, text):
        print(f"     {self.group}: {text}", flush=True)

    def not_shown(self, name, why):
        print(f"NOT SHOWN {self.group}: {name}: {why}", flush=True)


class Said:
    """What a command ended with and wrote."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def all(self):
        return f"exit {self.code}\n{self.out}{self.err}"


class Box:
    """A box of tests/systemd/box; torn down at the end of the with block, or of this process."""

    def __init__(self):
        # The name only: the box makes the directory, and takes it away.
        self.folder = tempfile.mkdtemp(prefix="rota-box-")
        os.rmdir(self.folder)
        self.environment = {**os.environ, "ROTA_BOX": self.folder}
        self.cgroup = ""

    def __enter__(self):
        made = self._box("up", str(os.getpid()))
        if made.returncode == NOT_RUN:
            raise NoBox(made.stderr.strip())
        if made.returncode != 0:
            raise Broken(f"no box: {made.stdout}{made.stderr}")
        self.cgroup = Path(self.folder, "cgroup").read_text().strip()
        # A machine that has Rota installed shows it to the box as well.
        if self.run("dpkg-query", "-W", "rota").code == 0:
            self.need("dpkg", "--purge", "rota")
        return self

    def __exit__(self, *_):
        self._box("down")

    def traces(self):
        """What is left of it on the machine."""
        left = [path for path in (self.folder, self.cgroup) if path and os.path.exists(path)]
        mounts = Path("/proc/self/mounts").read_text().splitlines()
        left += [line for line in mounts if self.folder in line]
        for process in Path("/proc").glob("[0-9]*/environ"):
            try:
                if f"ROTA_BOX={self.folder}".encode() in process.read_bytes():
                    left.append(str(process))
            except OSError:  # it has ended meanwhile
                continue
        return left

    def _box(self, *words):
        return subprocess.run([HERE / "box", *words], env=self.environment, text=True,
                              capture_output=True, timeout=120, check=False)

    @staticmethod
    def _as(user):
        if user is None:
            return []
        return ["sh", "-c", 'exec setpriv --reuid="$0" --regid="$(id -g "$0")" --init-groups -- "$@"',
                user]

    def start(self, *words, user=None):
        """A command that runs on in the box; its end is the caller's business."""
        return subprocess.Popen([HERE / "box", "exec", *self._as(user), *map(str, words)],
                                env=self.environment, text=True, stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, *words, user=None, text="", seconds=120):
        """Runs a command in the box to its end, with `text` as its input."""
        try:
            done = subprocess.run([HERE / "box", "exec", *self._as(user), *map(str, words)],
                                  env=self.environment, text=True, input=text, errors="replace",
                                  capture_output=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            return Said(-1, "", f"{words}: not done in {seconds} s\n")
        return Said(done.returncode, done.stdout, done.stderr)

    def need(self, *words, **options):
        """run(), but Broken unless it ends with 0. Returns what it wrote."""
        said = self.run(*words, **options)
        if said.code != 0:
            raise Broken(f"{' '.join(map(str, words))}: {said.all}")
        return said.out

    def put(self, path, text, mode="0644", owner="root:root"):
        """A file in the box, put in its place at once."""
        self.need("sh", "-ec", 'mkdir -p "$(dirname "$1")"; cat >"$1.new"; chmod "$2" "$1.new"; '
                  'chown "$3" "$1.new"; mv "$1.new" "$1"', "put", path, mode, owner, text=text)

    def copy(self, source, target):
        """A file of this machine into the box. What is mounted apart is not in the box by itself."""
        root = subprocess.run([HERE / "box", "root"], env=self.environment, text=True,
                              capture_output=True, check=True).stdout.strip()
        # /tmp of the box is its own, and no link leads out of it.
        shutil.copy(source, f"{root}/tmp/copied")
        self.need("sh", "-ec", 'mkdir -p "$(dirname "$1")"; mv /tmp/copied "$1"; chmod 0755 "$1"',
                  "copy", target)

    # systemd's own words

    def systemctl(self, *words, seconds=120):
        return self.run("systemctl", *words, seconds=seconds)

    def shows(self, unit, prop):
        return self.run("systemctl", "show", "--value", "-p", prop, unit).out.strip()

    def is_state(self, unit, state):
        return self.shows(unit, "ActiveState") == state

    def journal(self, *words):
        return self.run("journalctl", "--no-pager", "-q", "-o", "cat", *words).out

    def failed_units(self):
        lines = self.run("systemctl", "--failed", "--plain", "--no-legend").out.splitlines()
        return [line.split()[0] for line in lines if line.strip()]


def stop_quietly(process):
    """Ends a process of Box.start(), whatever it does. The kernel ends what it leaves with the box."""
    if process.poll() is None:
        process.kill()
    process.communicate()


def complain(text):
    print(text, file=sys.stderr, flush=True)
