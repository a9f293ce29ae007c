"""The first run as an operator has it: rota setup, what it says to do next, and rota doctor."""

from points.harness import Broken, until
from points.rota import APP_TOKEN, CREDENTIALS, PORT, UNITS, Circle, Rota

SETUP = ["rota", "setup", "--yes", "--app-token-file", "-"]


def look(box, tools, report):
    circle = Circle(box, tools, 3)
    rota = Rota(box)
    said = rota.install(tools.package)
    if said.code != 0:
        raise Broken("dpkg -i: " + said.all)

    said = box.run(*SETUP, "--member", "id:1", "--member", "email:member2@example.com",
                   text=APP_TOKEN + "\n")
    report.point("rota setup writes all, and ends with 4 because it cannot ask Circle",
                 said.code == 4 and "did not say" in said.all, said.all)
    report.point("and does not repeat the app token", APP_TOKEN not in said.all)
    for name in ("app-token", "store-key"):
        seen = box.run("stat", "-c", "%a %U:%G", f"{CREDENTIALS}/{name}")
        report.point(f"its {name} is for root alone", seen.out.strip() == "600 root:root", seen.all)
    key = box.need("cat", f"{CREDENTIALS}/store-key")
    # What no setup can know: that Circle is somewhere else here.
    box.need("sh", "-ec", f"printf '[upstream]\\nbase_url = \"http://127.0.0.1:{PORT}\"\\n' "
             ">>/etc/rota/rotad.toml")

    said = box.run("systemctl", "enable", "--now", *UNITS)
    report.point("systemctl enable --now, as it says, starts it", said.code == 0
                 and all(box.is_state(unit, "active") for unit in UNITS), said.all)
    tokens = {}
    for member in (1, 2):
        status, body = rota.fetch(member)
        report.point(f"member {member} has a token that is alive", status == 200
                     and circle.state_of(body["access_token"]) == "live", (status, body))
        tokens[member] = body.get("access_token")
    calls = circle.calls()
    doctor(box, report, "rota doctor finds nothing wrong", 0)

    for path in ("roster.toml", "rotad.toml"):
        seen = box.run("stat", "-c", "%a %U:%G", f"/etc/rota/{path}")
        report.point(f"{path} is for root and the daemon", seen.out.strip() == "640 root:rota", seen.all)

    said = box.run(*SETUP, text=APP_TOKEN + "\n")
    report.point("a second setup changes no key and no configuration", said.code == 0
                 and box.need("cat", f"{CREDENTIALS}/store-key") == key
                 and "base_url" in box.need("cat", "/etc/rota/rotad.toml"), said.all)
    said = box.run("rotad", "--check")
    report.point("rotad --check beside the daemon says that it compared with nothing real",
                 said.code == 0 and "EMPTY database" in said.out, said.all)
    box.need("systemctl", "stop", *UNITS)
    said = box.run("rotad", "--check")
    report.point("and without it compares with the database", said.code == 0
                 and "compared with /var/lib/rota/rota.db" in said.out
                 and "add     0" in said.out, said.all)
    others = box.need("find", "/var/lib/rota", "!", "-user", "rota").split()
    report.point("leaving nothing there that is root's", not others, others)
    rota.clear()
    rota.start()
    new_app_token(box, circle, rota, report)
    tokens = {member: rota.fetch(member)[1].get("access_token") for member in tokens}
    calls = circle.calls()
    seal(box, rota, report)
    report.point("sealed, it serves the tokens as they were",
                 {member: rota.fetch(member)[1].get("access_token") for member in tokens} == tokens)
    report.point("with no call to Circle", circle.calls() == calls,
                 f"{calls} before, {circle.calls()} after")
    doctor(box, report, "and rota doctor finds nothing wrong", 0)

    box.need("systemctl", "stop", *UNITS)
    doctor(box, report, "stopped, rota doctor says that something is", 1)


def new_app_token(box, circle, rota, report):
    """The community's app token is replaced at Circle, and here as rota says."""
    new = "box-app-token-the-next"
    circle.post("/_sandbox/app-token", {"app_token": new})
    box.run("rota", "rotate", "id:1")
    said = box.run("rota", "doctor")
    report.point("a refused app token: rota doctor says what is wrong, and what to do",
                 said.code == 1 and "Admin API token" in said.out and "rota setup" in said.out, said.all)
    said = box.run("rota", "setup", "--yes")
    report.point("rota setup sees that the one on disk is refused",
                 said.code != 0 and "--app-token-file" in said.all, said.all)
    said = box.run(*SETUP, text=new + "\n")
    report.point("with the new one it names the restart", said.code == 0
                 and "systemctl restart rotad.service" in said.out and new not in said.all, said.all)
    box.need("systemctl", "restart", "rotad.service")
    said = box.run("rota", "rotate", "id:1")
    report.point("which is all that it takes", said.code == 0, said.all)


def seal(box, rota, report):
    """--encrypted, and the plain copies removed as it tells."""
    said = box.run("rota", "setup", "--yes", "--encrypted")
    report.point("rota setup --encrypted ends with 0", said.code == 0, said.all)
    box.need("rm", f"{CREDENTIALS}/app-token", f"{CREDENTIALS}/store-key")
    box.need("systemctl", "daemon-reload")
    rota.clear()
    said = box.systemctl("restart", "rotad.service")
    report.point("and a restart without the plain ones works", said.code == 0,
                 said.all + box.journal("-u", "rotad.service", "-n", "10"))
    until(lambda: box.is_state("rotad.service", "active"))


def doctor(box, report, name, code):
    said = box.run("rota", "doctor")
    report.point(name, said.code == code, said.all)
