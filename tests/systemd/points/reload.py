"""`systemctl reload`: what the manager hears, and what an operator sees when it fails."""

import re

from points.harness import until
from points.rota import first_run


def told(box, pid, since):
    """What the manager heard from the daemon, in order, since the cursor."""
    lines = box.journal("_PID=1", f"--after-cursor={since}").splitlines()
    found = (re.search(r"Got notification message from PID (\d+) \((.*)\)", line) for line in lines)
    return [each[2].split("=")[0] for each in found if each and int(each[1]) == pid]


def cursor(box):
    return box.run("journalctl", "-q", "-n", "0", "--show-cursor").out.partition("cursor: ")[2].strip()


def look(box, tools, report):
    circle, rota = first_run(box, tools, members=5, grants="[roster]\nwatch = false\n")
    box.need("systemctl", "log-level", "debug")  # the manager then says what it hears
    pid = rota.pid()

    rota.write_roster(3)
    status, body = rota.fetch(5)
    report.point("a roster that nobody reloads is not in force", status == 200, body)
    since = cursor(box)
    said = box.systemctl("reload", "rotad.service")
    report.point("systemctl reload ends with 0", said.code == 0, said.all)
    status, body = rota.fetch(5)
    report.point("and the roster is in force when it comes back: who left gets 410",
                 status == 410, (status, body))
    heard = told(box, pid, since)
    report.point("the manager heard RELOADING and then READY",
                 "RELOADING" in heard and "READY" in heard[heard.index("RELOADING"):], heard)

    since = cursor(box)
    box.need("systemctl", "kill", "--kill-whom=main", "--signal=HUP", "rotad.service")
    came = until(lambda: "READY" in told(box, pid, since))
    heard = told(box, pid, since)
    report.point("after SIGHUP as well", came and heard.index("RELOADING") < heard.index("READY"),
                 heard)

    rota.write_roster(3, "[[member]]\nemial = \"ada@example.com\"\n")
    since = cursor(box)
    said = box.systemctl("reload", "rotad.service")
    report.point("a reload of a bad roster fails", said.code != 0, said.all)
    reason = box.journal("-u", "rotad.service", f"--after-cursor={since}")
    report.point("and the journal says which file, line and key",
                 re.search(r"roster\.toml:\d+.*emial", reason), reason)
    shown = box.systemctl("status", "--no-pager", "-l", "rotad.service").out
    report.point("as systemctl status does", "emial" in shown, shown)
    report.point("the daemon is the same process, and active",
                 rota.pid() == pid and box.is_state("rotad.service", "active"))
    status, body = rota.fetch(3)
    report.point("and serves the last good roster", status == 200, body)

    rota.write_roster(4)
    said = box.systemctl("reload", "rotad.service")
    status, body = rota.fetch(4)
    report.point("a good one after it is taken, with a member that comes back",
                 said.code == 0 and status == 200, (said.all, status, body))

    box.put("/etc/rota/rotad.toml", "[upstream]\nbase_urk = \"x\"\n", "0640", "root:rota")
    said = box.systemctl("reload", "rotad.service")
    report.point("a reload of a bad configuration fails, and the daemon goes on",
                 said.code != 0 and rota.pid() == pid and rota.fetch(1)[0] == 200, said.all)
