"""The package over itself, up from an older one, away, and away for good."""

from pathlib import PurePosixPath

from points.harness import Broken, until
from points.restart import Load, judge
from points.rota import UNITS, Rota, first_run

OLD = "0.0.1~older"


def look(box, tools, report):
    circle, rota = first_run(box, tools)
    before = rota.tokens()
    calls = circle.calls()

    def loads():
        return {"a connection for each fetch": Load(box, "connect", circle.members),
                "connections kept": Load(box, "keep", circle.members)}

    over(box, rota, tools.package, "a reinstall", loads(), report)
    as_before(circle, rota, before, calls, "after it", report)

    older = make_older(box)
    said = box.run("dpkg", "-i", "--force-downgrade", older, seconds=300)
    if said.code != 0 or OLD not in box.need("dpkg-query", "-W", "rota"):
        raise Broken("the older package: " + said.all)
    rota.clear()
    rota.start()
    over(box, rota, tools.package, "an upgrade", loads(), report)
    report.point("the newer version is what dpkg knows",
                 OLD not in box.need("dpkg-query", "-W", "rota"))
    as_before(circle, rota, before, calls, "after the upgrade", report)
    clients(box, rota, tools, report)
    configuration(box, report)
    removal(box, circle, rota, tools, before, calls, report)


def over(box, rota, package, name, loads, report):
    rota.clear()
    old = rota.pid()
    said = rota.install(package)
    report.point(f"{name} under load ends with 0", said.code == 0, said.all)
    report.point(f"{name}: the service runs, as another process",
                 until(lambda: box.is_state("rotad.service", "active")) and rota.pid() not in (0, old))
    report.point(f"{name}: both sockets are open",
                 all(box.is_state(unit, "active") for unit in UNITS[1:]))
    for kind, load in loads.items():
        judge(report, f"{name}, {kind}", load.end())
    report.point(f"{name}: no unit has failed", not box.failed_units(), box.failed_units())


def as_before(circle, rota, before, calls, name, report):
    report.point(f"{name} the tokens are as they were", rota.tokens() == before)
    report.point(f"{name} no call to Circle was made", circle.calls() == calls,
                 f"{calls} before, {circle.calls()} after")


def make_older(box):
    """The same package under a lower version."""
    path = PurePosixPath("/root/older.deb")
    box.need("sh", "-ec", f"""
        dpkg-deb -R /root/rota.deb /root/older
        sed -i 's/^Version: .*/Version: {OLD}/' /root/older/DEBIAN/control
        dpkg-deb -b /root/older {path} >/dev/null
        rm -r /root/older""")
    return path


def clients(box, rota, tools, report):
    """An older package let the group rota open the token socket."""
    box.need("usermod", "-a", "-G", "rota", "www-data")
    box.need("groupdel", "rota-clients")
    rota.clear()
    said = rota.install(tools.package)
    groups = box.run("id", "-nG", "www-data").out.split()
    report.point("who was in the group rota is put into rota-clients",
                 said.code == 0 and "rota-clients" in groups, (groups, said.all))
    report.point("and the upgrade says so", "www-data" in said.all, said.all)
    box.need("gpasswd", "-d", "www-data", "rota")
    until(lambda: box.is_state("rotad.service", "active"))


def configuration(box, report):
    said = box.run("sh", "-c", "find /etc/rota | grep -E 'dpkg-(new|dist|old)$'")
    report.point("no question about the configuration, and no copy of it, is left", said.code == 1,
                 said.all)


def removal(box, circle, rota, tools, before, calls, report):
    old = rota.pid()
    said = box.run("dpkg", "--remove", "rota", seconds=300)
    report.point("a removal ends with 0", said.code == 0, said.all)
    report.point("it stops the service and closes the sockets",
                 box.run("test", "-e", f"/proc/{old}").code != 0
                 and all(box.shows(unit, "ActiveState") in ("inactive", "failed") for unit in UNITS))
    kept = ["/var/lib/rota/rota.db", "/etc/rota/rotad.toml", "/etc/rota/roster.toml",
            "/etc/rota/credentials/app-token", "/etc/rota/credentials/store-key"]
    report.point("it keeps state, configuration and credentials",
                 box.run("ls", *kept).code == 0, box.run("ls", *kept).all)
    report.point("and no unit has failed", not box.failed_units(), box.failed_units())

    said = rota.install(tools.package)
    rota.start()
    report.point("installed again it goes on with what it had", said.code == 0
                 and rota.tokens() == before and circle.calls() == calls, said.all)

    box.need("systemctl", "enable", *UNITS)
    # As `rota setup --encrypted` leaves it.
    drop_ins = "/etc/systemd/system/rotad.service.d"
    box.need("mkdir", "-p", drop_ins)
    box.need("sh", "-c", f"echo '[Service]' > {drop_ins}/credentials.conf")
    said = box.run("dpkg", "--purge", "rota", seconds=300)
    report.point("a purge ends with 0", said.code == 0, said.all)
    gone = ["/var/lib/rota", "/etc/rota", "/run/rota", "/usr/bin/rotad", "/usr/bin/rota",
            "/var/lib/private/rota"]
    left = [path for path in gone if box.run("test", "-e", path).code == 0]
    report.point("it takes state, credentials, configuration and sockets away", not left, left)
    traces = box.run("find", "/etc/systemd", "/run/systemd/system", "/lib/systemd/system",
                     "/var/lib/systemd/deb-systemd-helper-enabled",
                     "/var/lib/systemd/deb-systemd-helper-masked", "-name", "*rota*",
                     "!", "-path", "*/rotad-probe*").out.split()
    report.point("no trace of the units is left", not traces, traces)
    known = box.run("systemctl", "list-unit-files", "--no-legend", "rotad*").out.strip()
    report.point("nor does the manager know them", not known, known)
    report.point("and no unit has failed at the end", not box.failed_units(), box.failed_units())
