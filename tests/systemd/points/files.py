"""rota-files.service: tokens in files, under the user and the hardening of the unit."""

from points.harness import until
from points.rota import first_run

UNIT = "rota-files.service"
FOLDER = "/run/rota-files"
GRANT = """
    [[grant]]
    user = "rota-files"
    members = ["id:1", "id:2"]
    """
ONE = f"""
[[file]]
member = "id:1"
path = "{FOLDER}/one"
"""
# What the drop-ins of rota-files(8) allow.
TWO = f"""
[[file]]
member = "id:2"
path = "{FOLDER}/two.header"
owner = "nobody"
group = "daemon"
mode = "0440"
format = "header"
keep = true
run = ["sh", "-c", "echo run >>/var/lib/rota-files/runs"]
"""
ONESHOT = f"""
[Unit]
Wants={UNIT}
After={UNIT}
[Service]
Type=oneshot
RemainAfterExit=yes
DynamicUser=yes
LoadCredential=circle.header:{FOLDER}/two.header
ExecStart=/bin/sh -c 'exec cat %d/circle.header'
"""


def look(box, tools, report):
    circle, rota = first_run(box, tools, grants=GRANT)
    text = lambda name: box.run("cat", f"{FOLDER}/{name}").out  # noqa: E731
    runs = lambda: box.run("cat", "/var/lib/rota-files/runs").out.count("run")  # noqa: E731

    said = box.systemctl("start", UNIT)
    report.point("a start without a configuration fails", said.code != 0, said.all)
    box.systemctl("stop", UNIT)

    box.put("/etc/rota/files.toml", ONE, "0640", "root:rota")
    said = box.systemctl("start", UNIT)
    report.point("the unit starts as it is shipped", said.code == 0, box.journal("-u", UNIT))
    token = text("one")
    report.point("it is ready once the file is there", circle.state_of(token) == "live", token)
    seen = box.run("stat", "-c", "%a %U:%G", f"{FOLDER}/one").out.strip()
    report.point("the file is the service's own", seen == "600 rota-files:rota-files", seen)
    pid = box.shows(UNIT, "MainPID")
    caps = [line for line in box.run("cat", f"/proc/{pid}/status").out.splitlines() if line.startswith("Cap")]
    report.point("it has no capability", len(caps) == 5 and all(int(line.split()[1], 16) == 0 for line in caps), caps)
    said = box.run("cat", "/etc/rota/roster.toml", user="rota-files")
    report.point("its user cannot read the roster", said.code != 0, said.all)
    shown = box.shows(UNIT, "StatusText")
    report.point("its status counts the files and names none", shown == "1 of 1 file written", shown)

    box.put("/etc/rota/files.toml", "[[file]]\nmember = 1\n", "0640", "root:rota")
    said = box.systemctl("reload", UNIT)
    report.point("a reload of a wrong configuration fails, and changes nothing",
                 said.code != 0 and text("one") == token, said.all)
    report.point("and its journal has file, line and key", "files.toml:2:" in box.journal("-u", UNIT),
                 box.journal("-u", UNIT))

    box.put(f"/etc/systemd/system/{UNIT}.d/local.conf",
            "[Service]\nAmbientCapabilities=CAP_CHOWN\nCapabilityBoundingSet=CAP_CHOWN\n")
    box.put("/etc/rota/files.toml", ONE + TWO, "0640", "root:rota")
    box.need("systemctl", "daemon-reload")
    said = box.systemctl("restart", UNIT)
    report.point("with CAP_CHOWN it gives files away", said.code == 0, said.all + box.journal("-u", UNIT))
    seen = box.run("stat", "-c", "%a %U:%G", f"{FOLDER}/two.header").out.strip()
    report.point("to owner, group and mode as asked for", seen == "440 nobody:daemon", seen)
    report.point("its program runs", until(lambda: runs() == 1), box.journal("-u", UNIT))
    report.point("and that is on record", until(lambda: "- " + FOLDER + "/two.header" not in box.run(
        "cat", "/var/lib/rota-files/record").out), box.run("cat", "/var/lib/rota-files/record").out)

    box.put("/etc/systemd/system/circle-report.service", ONESHOT)
    box.need("systemctl", "daemon-reload")
    box.need("systemctl", "stop", UNIT)
    report.point("a stop takes away what is not kept", text("one") == "" and text("two.header") != "",
                 box.run("ls", "-la", FOLDER).out)
    said = box.systemctl("start", "circle-report.service")
    read = box.journal("-u", "circle-report.service", "-o", "cat")
    report.point("a oneshot that wants the unit gets the token as its credential",
                 said.code == 0 and text("two.header").strip() in read, said.all + read)

    pid = box.shows(UNIT, "MainPID")
    box.need("kill", "-9", pid)
    box.need("rota", "revoke", "id:1")
    report.point("after a kill -9 it is back at once, and a leaver's file gone within a second",
                 until(lambda: text("one") == "", 1), box.journal("-u", UNIT))
    rota.restart()
    box.need("systemctl", "restart", UNIT)
    report.point("a restart of everything starts no program",
                 box.is_state(UNIT, "active") and not until(lambda: runs() != 1, 3), runs())
    box.need("rota", "rotate", "id:2")
    report.point("but a new token does", until(lambda: runs() == 2), runs())
    journal = box.journal("-u", UNIT)
    report.point("no token is in its journal", not any(each["token"] in journal for each in circle.tokens()))
