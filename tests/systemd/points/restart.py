"""No fetch fails over a restart."""

import json

from points.harness import HERE, Broken, until
from points.rota import SOCKET, first_run

RATE = 200  # fetches a second, of each kind of client
THREADS = 20
RESTARTS = 3
FETCHES_BETWEEN = 100


class Load:
    """Clients of one kind, from the first fetches until end()."""

    def __init__(self, box, mode, members, rate=RATE, threads=THREADS, user=None):
        box.copy(HERE / "fetch_load", "/usr/local/bin/fetch_load")
        self.process = box.start("fetch_load", SOCKET, rate, threads, members, mode, user=user)
        self.go_on()

    def count(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise Broken("fetch_load: " + self.process.communicate()[1])
        return int(line)

    def go_on(self):
        """Returns after some more fetches."""
        wanted = self.count() + FETCHES_BETWEEN
        if not until(lambda: self.count() >= wanted, 90):
            raise Broken("fetch_load: its clients wait for ever")

    def end(self):
        """Ends the clients and returns how they fared."""
        out, err = self.process.communicate(timeout=120)
        if self.process.returncode != 0:
            raise Broken("fetch_load: " + err)
        return json.loads(out)


def look(box, tools, report):
    circle, rota = first_run(box, tools)
    before = rota.tokens()
    calls = circle.calls()
    loads = {"a connection for each fetch": Load(box, "connect", circle.members),
             "connections kept": Load(box, "keep", circle.members)}
    for _ in range(RESTARTS):
        old = rota.pid()
        rota.restart()
        if rota.pid() == old:
            raise Broken("the restart started nothing")
        for load in loads.values():
            load.go_on()
    for name, load in loads.items():
        seen = load.end()
        judge(report, f"{RESTARTS} restarts, {name}", seen)
        report.point(f"{name}: every fetch got the token as it was",
                     seen["tokens"] == sorted([list(each) for each in before.items()]), seen["tokens"])
    report.point("no call to Circle", circle.calls() == calls,
                 f"{calls} before, {circle.calls()} after")


def judge(report, name, seen):
    report.figure(f"{name}: {seen['fetches']} fetches, {len(seen['failures'])} failed, "
                  f"{seen['closes']} told to close, {seen['stale']} found closed, "
                  f"slowest {seen['slowest_ms']} ms")
    report.point(f"{name}: no fetch failed", not seen["failures"], "\n".join(seen["failures"]))
