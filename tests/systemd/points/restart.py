"""No fetch fails over a restart."""

import json

from points.harness import HERE, Broken, until
from points.rota import SOCKET, first_run

RATE = 200  # fetches a second, of each kind of client
THREADS = 20
RESTARTS = 3
TOLD_PART = 0.9
FETCHES_BETWEEN = 100
EACH, KEPT, SELDOM = "a connection for each fetch", "connections kept", "connections seldom used"
SELDOM_SECONDS = 4


class Load:
    """Clients of one kind, from the first fetches until end()."""

    def __init__(self, box, mode, members, rate=RATE, threads=THREADS, user=None):
        box.copy(HERE / "fetch_load", "/usr/local/bin/fetch_load")
        self.process = box.start("fetch_load", SOCKET, rate, threads, members, mode, user=user)
        self.between = FETCHES_BETWEEN if rate >= RATE else threads
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
        wanted = self.count() + self.between
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

    loads = {EACH: Load(box, "connect", circle.members), KEPT: Load(box, "keep", circle.members)}
    for _ in range(RESTARTS):
        restart(rota)
        for load in loads.values():
            load.go_on()
    for name, load in loads.items():
        seen = load.end()
        judge(report, f"{RESTARTS} restarts, {name}", seen)
        if name == KEPT:
            # All but those that the machine did not let run within the daemon's last second.
            report.point("kept connections are told to close before they are closed",
                         seen["closes"] >= TOLD_PART * RESTARTS * THREADS, seen)
        report.point(f"{name}: every fetch got the token as it was",
                     seen["tokens"] == sorted([list(each) for each in before.items()]), seen["tokens"])

    # Some are used so rarely that nothing can be told to them before they must be closed.
    loads = {EACH: Load(box, "connect", circle.members),
             SELDOM: Load(box, "keep", circle.members, rate=THREADS / SELDOM_SECONDS)}
    restart(rota)
    for load in loads.values():
        load.go_on()
    for name, load in loads.items():
        judge(report, f"a restart, {name}{'' if name == SELDOM else ' beside them'}", load.end())
    report.point("no call to Circle", circle.calls() == calls,
                 f"{calls} before, {circle.calls()} after")


def restart(rota):
    old = rota.pid()
    rota.restart()
    if rota.pid() == old:
        raise Broken("the restart started nothing")


def judge(report, name, seen):
    report.figure(f"{name}: {seen['fetches']} fetches, {len(seen['failures'])} failed, "
                  f"{seen['closes']} told to close, {seen['stale']} found closed, "
                  f"slowest {seen['slowest_ms']} ms")
    report.point(f"{name}: no fetch failed", not seen["failures"], "\n".join(seen["failures"]))
