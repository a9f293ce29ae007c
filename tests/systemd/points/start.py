"""Starting: what READY means to systemd, and the socket that starts the daemon."""

from points.harness import stop_quietly, until
from points.rota import ADMIN, SOCKET, UNITS, first_run


def look(box, tools, report):
    circle, rota = first_run(box, tools)
    for unit in UNITS:
        report.point(f"{unit} is active", box.is_state(unit, "active"))
    before = rota.tokens()
    report.point("every member's token is served, and alive at Circle",
                 all(circle.state_of(token) == "live" for token in before.values()), before)
    report.point("systemctl status has a line of the daemon's own",
                 "members" in box.shows("rotad.service", "StatusText"),
                 box.shows("rotad.service", "StatusText"))
    calls = circle.calls()

    waits_for_ready(box, rota, report)
    starts_at_a_connection(box, rota, report)
    report.point("each start serves the tokens as they were", rota.tokens() == before)
    report.point("with no call to Circle", circle.calls() == calls,
                 f"{calls} before, {circle.calls()} after")
    report.point("no unit has failed", not box.failed_units(), box.failed_units())


def waits_for_ready(box, rota, report):
    """The daemon is held by a gate before it begins, so that READY is late for sure."""
    box.need("systemctl", "stop", "rotad.service")
    box.need("sh", "-ec", "mkfifo -m 0644 /run/rota/gate")
    # The unit lets no shell run.
    rota.drop_in("gate", "NoExecPaths=\nExecPaths=\n"
                 "ExecStart=\nExecStart=/bin/sh -c 'read -r line </run/rota/gate; "
                 "exec /usr/bin/rotad --config /etc/rota/rotad.toml'\n")
    start = box.start("systemctl", "start", "rotad.service")
    came = until(lambda: box.is_state("rotad.service", "activating") and rota.pid())
    report.point("before READY the unit is activating, with its process there", came,
                 box.shows("rotad.service", "ActiveState"))
    report.point("and systemctl start has not come back", start.poll() is None)
    box.need("sh", "-ec", "echo go >/run/rota/gate")
    start.wait(60)
    report.point("at READY systemctl start comes back with 0",
                 start.returncode == 0 and box.is_state("rotad.service", "active"))
    stop_quietly(start)
    # At once: READY says that tokens are served.
    status, body = rota.fetch(1, query="&wait=0")
    report.point("and a fetch that does not wait is answered", status == 200, body)
    rota.drop_in("gate", "")
    box.need("rm", "/run/rota/gate")


def starts_at_a_connection(box, rota, report):
    for socket, name in ((SOCKET, "token"), (ADMIN, "admin")):
        rota.clear()
        box.need("systemctl", "stop", "rotad.service")
        report.point(f"a stop of the service leaves the {name} socket open",
                     box.is_state("rotad.socket", "active")
                     and box.is_state("rotad-admin.socket", "active")
                     and box.is_state("rotad.service", "inactive"))
        status, body = rota.fetch(2, socket=socket)
        report.point(f"the first connection to the {name} socket starts it and gets its token",
                     status == 200 and box.is_state("rotad.service", "active"), (status, body))
