"""What `dpkg -i` leaves on a machine that never saw Rota."""

from points.rota import UNITS, Rota


def look(box, tools, report):
    before = box.failed_units()
    said = Rota(box).install(tools.package)
    if not report.point("dpkg -i ends with 0", said.code == 0, said.all):
        return
    report.point("dpkg knows it as installed", "install ok installed" in
                 box.run("dpkg-query", "-W", "-f", "${Status}", "rota").out)

    user = box.run("getent", "passwd", "rota").out.strip().split(":")
    report.point("there is a system user rota without a shell, at home in /var/lib/rota",
                 len(user) == 7 and 0 < int(user[2]) < 1000
                 and user[5:] == ["/var/lib/rota", "/usr/sbin/nologin"], user)
    group = box.run("getent", "group", "rota").out.strip().split(":")
    report.point("its group is its own and has no other member",
                 len(group) == 4 and len(user) == 7 and group[2] == user[3] and group[3] == "", group)

    clients = box.run("getent", "group", "rota-clients").out.strip().split(":")
    report.point("the group of the token socket is another, without a member",
                 len(clients) == 4 and clients[2] != group[2] and clients[3] == "", clients)

    for path, wanted in {"/run/rota": "755 root:root", "/etc/rota": "750 root:rota",
                         "/etc/rota/credentials": "700 root:root"}.items():
        seen = box.run("stat", "-c", "%a %U:%G", path)
        report.point(f"{path} is {wanted}", seen.out.strip() == wanted, seen.all)
    version = box.run("dpkg-query", "-W", "-f", "${Version}", "rota").out
    for program in ("rotad", "rota"):
        seen = box.run(program, "--version")
        report.point(f"{program} --version names the package's version",
                     seen.code == 0 and version.split("-")[0] in seen.out, seen.all)

    for unit in UNITS:
        state = box.run("systemctl", "is-enabled", unit).out.strip()
        report.point(f"{unit} is known and not enabled", state == "disabled", state)
        state = box.run("systemctl", "is-active", unit).out.strip()
        report.point(f"{unit} is not running", state == "inactive", state)
    failed = sorted(set(box.failed_units()) - set(before))
    report.point("no unit has failed", not failed, failed)

    box.need("systemctl", "enable", "rotad.service")
    enabled = [box.run("systemctl", "is-enabled", unit).out.strip() for unit in UNITS]
    report.point("enabling the service enables its sockets with it", enabled == ["enabled"] * 3,
                 enabled)
    booted = {target: box.need("systemctl", "list-dependencies", "--plain", target)
              for target in ("multi-user.target", "sockets.target")}
    report.point("so that a boot starts all three", "rotad.service" in booted["multi-user.target"]
                 and all(unit in booted["sockets.target"] for unit in UNITS[1:]), booted)
    box.need("systemctl", "disable", "rotad.service")

    # Without a configuration a start must fail, and so that one sees what is missing.
    said = box.systemctl("start", "rotad.service")
    report.point("a start without a configuration fails", said.code != 0, said.all)
    report.point("and its journal names the file that is missing",
                 "/etc/rota/rotad.toml" in box.journal("-u", "rotad"), box.journal("-u", "rotad"))
