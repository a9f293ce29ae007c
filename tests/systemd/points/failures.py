"""Deaths, hangs and wrong credentials: what systemd makes of them."""

from points.harness import stop_quietly, until
from points.rota import CREDENTIALS, SOCKET, UNITS, first_run


def look(box, tools, report):
    circle, rota = first_run(box, tools)
    before = rota.tokens()
    calls = circle.calls()
    report.point("the unit has a watchdog, and the daemon feeds it",
                 box.shows("rotad.service", "WatchdogUSec") not in ("", "0", "infinity")
                 and box.shows("rotad.service", "WatchdogTimestampMonotonic") not in ("", "0"),
                 box.shows("rotad.service", "WatchdogUSec"))
    # A hang is noticed in seconds instead of half a minute, and not waited for to end by itself.
    rota.drop_in("quick", "WatchdogSec=5s\nTimeoutAbortSec=3s\n")
    rota.restart()

    def as_before(name):
        report.point(f"{name}: the tokens are as they were", rota.tokens() == before)
        report.point(f"{name}: no call to Circle was needed", circle.calls() == calls,
                     f"{calls} before, {circle.calls()} after")

    def started_again(old):
        """By systemd itself: the socket would start it as well, for a client that comes."""
        return until(lambda: rota.pid() not in (0, old) and box.is_state("rotad.service", "active")
                     and int(box.shows("rotad.service", "NRestarts")) > 0, 60)

    old = rota.pid()
    box.need("kill", "-KILL", str(old))
    report.point("kill -9: systemd starts it again", started_again(old),
                 box.systemctl("status", "--no-pager", "rotad.service").out)
    as_before("kill -9")
    box.need("kill", "-KILL", str(rota.pid()))
    status, body = rota.fetch(1)
    report.point("kill -9: a client that comes meanwhile waits and gets its token", status == 200,
                 (status, body))

    def debugger(pid):
        # It holds the process until it ends itself, and reads its commands from us: none come. While it
        # stays, not even SIGKILL frees the process number, so it goes once the watchdog has acted.
        gdb = box.start("gdb", "-q", "-nx", "-p", str(pid))
        return lambda: stop_quietly(gdb)

    def stop(pid):
        box.need("kill", "-STOP", str(pid))
        return lambda: None

    hang(box, rota, report, started_again, as_before, "held by a debugger", debugger)
    hang(box, rota, report, started_again, as_before, "stopped by SIGSTOP", stop)
    rota.drop_in("quick", "")
    credentials(box, rota, report)
    as_before("after all of it")


def hang(box, rota, report, started_again, as_before, name, hold):
    """`hold` stops the process and returns what lets it go once the watchdog has acted."""
    rota.restart()  # which counts its restarts from 0 again
    old = rota.pid()
    let_go = hold(old)
    report.point(f"{name}: it is stopped", until(
        lambda: box.run("grep", "-q", "^State:[[:space:]]*[tT]", f"/proc/{old}/status").code == 0),
        box.run("cat", f"/proc/{old}/status").out)
    client = box.start("curl", "-sS", "--max-time", "60", "-o", "/dev/null", "-w", "%{http_code}",
                       "--unix-socket", SOCKET, "http://rota/v1/token?community_member_id=1")
    shot = until(lambda: f"Killing process {old} (rotad) with signal SIGABRT"
                 in box.journal("-u", "rotad.service"), 30)
    report.point(f"{name}: the watchdog acts", shot, box.journal("-u", "rotad.service")[-1500:])
    let_go()
    report.point(f"{name}: systemd starts it again", started_again(old),
                 box.journal("-u", "rotad.service")[-1500:])
    out, err = client.communicate(timeout=90)
    report.point(f"{name}: a client that came meanwhile gets its token", out == "200", out + err)
    as_before(name)


def ended_with_78(box, rota, report, name, words):
    said = box.systemctl("start", "rotad.service")
    report.point(f"{name}: the start fails", said.code != 0, said.all)
    until(lambda: box.is_state("rotad.service", "failed"))
    seen = {prop: box.shows("rotad.service", prop)
            for prop in ("ActiveState", "Result", "ExecMainStatus", "NRestarts", "StatusText")}
    report.point(f"{name}: with 78, as failed and not as waiting for another try",
                 seen["ActiveState"] == "failed" and seen["ExecMainStatus"] == "78"
                 and seen["NRestarts"] == "0", seen)
    report.point(f"{name}: the status line, which every local user can read, has the exit code and quotes nothing",
                 "exit code 78" in seen["StatusText"]
                 and not any(word in seen["StatusText"] for word in words), seen)
    report.point(f"{name}: the journal says what is wrong",
                 any(word in box.journal("-u", "rotad.service", "-n", "20") for word in words))


def credentials(box, rota, report):
    wrong = {"a store key that is none": (lambda: rota.write_credentials(store_key="too short"),
                                          ["store key", "store-key"]),
             "another store key": (lambda: rota.write_credentials(store_key="c" * 64),
                                   ["store key", "store-key"]),
             "an empty app token": (lambda: rota.write_credentials(app_token=""),
                                    ["app token", "app-token"]),
             "no app token": (lambda: box.need("rm", f"{CREDENTIALS}/app-token"),
                              ["app token", "app-token"])}
    for name, (make, words) in wrong.items():
        rota.clear()
        box.need("systemctl", "stop", "rotad.service")
        make()
        ended_with_78(box, rota, report, name, words)
        rota.write_credentials()

    # A client that connects makes the socket start it again and again, until systemd gives up.
    rota.write_credentials(store_key="too short")

    def gave_up():
        box.run("curl", "-sS", "--max-time", "5", "--unix-socket", SOCKET,
                "http://rota/healthz")
        return box.is_state("rotad.socket", "failed")

    report.point("clients that go on connecting make systemd give up on the socket",
                 until(gave_up, 60), box.systemctl("status", "--no-pager", *UNITS).out)
    rota.write_credentials()
    said = box.systemctl("reset-failed", *UNITS)
    report.point("reset-failed of the service and both sockets ends with 0", said.code == 0, said.all)
    said = box.systemctl("start", *UNITS)
    report.point("and with the right credential back, a start works", said.code == 0, said.all)
    report.point("for all three", all(box.is_state(unit, "active") for unit in UNITS),
                 box.systemctl("status", "--no-pager", *UNITS).out)
