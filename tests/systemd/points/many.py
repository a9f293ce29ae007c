"""A restart with many members: how long clients wait for the first token."""

from points.harness import until
from points.restart import Load
from points.rota import first_run

MEMBERS = 20_000
# The goal is 300 ms; a machine that others use as well may take longer without anything being wrong.
GOAL_MS = 300
WAIT_MS_MAX = 2_000


def look(box, tools, report):
    upstream = "requests_per_window = 1000000\nmax_in_flight = 64\n"
    circle, rota = first_run(box, tools, MEMBERS, upstream=upstream)
    calls = circle.calls()
    report.point(f"{MEMBERS} members have their tokens, each by one call", calls == MEMBERS, calls)

    waits = []
    for _ in range(3):
        # One client after the other: the slowest of them waited over the restart.
        load = Load(box, "connect", MEMBERS, rate=200, threads=1)
        rota.restart()
        seen = load.end()
        waits.append(seen["slowest_ms"])
        if not report.point(f"restart to the first token: below {WAIT_MS_MAX} ms, no fetch failed",
                            seen["slowest_ms"] < WAIT_MS_MAX and not seen["failures"], seen):
            break
    load = box.need("cut", "-d ", "-f1", "/proc/loadavg").strip()
    report.figure(f"restart to the first token with {MEMBERS} members: {waits} ms (goal {GOAL_MS}; "
                  f"the machine's load was {load})")
    report.point("with no call to Circle", circle.calls() == calls,
                 f"{calls} before, {circle.calls()} after")

    box.need("systemctl", "stop", "rotad.service")
    load = box.run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code} %{time_total}",
                   "--unix-socket", "/run/rota/token.sock",
                   f"http://rota/v1/token?community_member_id={MEMBERS}")
    report.point("and a start by the first connection serves the last member of all",
                 load.out.startswith("200 "), load.all)
    report.figure(f"a start by the first connection: {load.out.partition(' ')[2]} s to its token")
    report.point("systemd counts one start each and nothing failed",
                 until(lambda: box.is_state("rotad.service", "active")) and not box.failed_units())
