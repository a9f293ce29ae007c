"""Two communities on one machine: units, files, sockets and tokens of their own."""

from points.harness import until
from points.rota import APP_TOKEN, PORT, UNITS, first_run

NAME = "shop"
OWN_UNITS = [f"rotad@{NAME}.service", f"rotad@{NAME}.socket", f"rotad-admin@{NAME}.socket"]
OTHER_PORT = PORT + 1
OTHER_TOKEN = "box-app-token-of-the-shop"
SOCKET = f"/run/rota/{NAME}/token.sock"
MEMBERS = 3


def look(box, tools, report):
    circle, rota = first_run(box, tools, MEMBERS)
    tokens = rota.tokens(MEMBERS)
    # A second Circle, which knows the second community by another app token.
    box.put("/root/other-app-token", OTHER_TOKEN + "\n", "0600")
    box.need("systemd-run", "--quiet", "--unit=circle-two", "/usr/local/bin/rota-sandbox", f"--port={OTHER_PORT}",
             "--app-token-file=/root/other-app-token", f"--members={MEMBERS}", "--rate-limit=0")
    until(lambda: "listening on" in box.journal("-u", "circle-two"))

    members = [word for i in range(1, MEMBERS + 1) for word in ("--member", f"id:{i}")]
    said = box.run("rota", "--community", NAME, "setup", "--yes", "--app-token-file", "-", "--base-url",
                   f"http://127.0.0.1:{OTHER_PORT}", *members, text=OTHER_TOKEN + "\n")
    report.point("rota --community NAME setup writes all", said.code == 0, said.all)
    report.point("and names the units of that community", " ".join(
        (OWN_UNITS[1], OWN_UNITS[2], OWN_UNITS[0])) in said.out, said.all)
    seen = box.run("stat", "-c", "%a %U:%G", f"/etc/rota/{NAME}/rotad.toml", f"/etc/rota/{NAME}/credentials/app-token")
    report.point("for those who may read them", seen.out.split("\n")[:2] == ["640 root:rota", "600 root:root"], seen.all)
    said = box.run("systemctl", "enable", "--now", *OWN_UNITS)
    report.point("its units can be enabled and started", said.code == 0
                 and all(box.is_state(unit, "active") for unit in OWN_UNITS), said.all + box.journal("-u", OWN_UNITS[0]))

    others = {}
    for member in range(1, MEMBERS + 1):
        status, body = rota.fetch(member, socket=SOCKET)
        report.point(f"member {member} has a token there", status == 200, (status, body))
        others[member] = body.get("access_token")
    report.point("and not those of the first community", not set(tokens.values()) & set(others.values()))
    report.point("whose tokens are as they were", rota.tokens(MEMBERS) == tokens)
    said = box.run("rota", "-C", NAME, "token", "id:1")
    report.point("rota -C NAME prints its token", said.out.strip() == others[1], said.all)
    said = box.run("rota", "-C", NAME, "doctor")
    report.point("rota -C NAME doctor finds nothing wrong", said.code == 0, said.all)
    seen = box.run("stat", "-c", "%a %U", f"/var/lib/rota-{NAME}")
    report.point("its state is its own", seen.out.strip() == "700 rota", seen.all)

    said = box.run("systemctl", "reload", OWN_UNITS[0])
    report.point("systemctl reload reaches it", said.code == 0, said.all)
    stay_apart(box, rota, report, tokens, others)
    purge(box, report)


def stay_apart(box, rota, report, tokens, others):
    """What happens to one is nothing to the other."""
    said = box.run("rota", "-C", NAME, "revoke", "id:2")
    report.point("a member that is revoked in one", said.code == 0, said.all)
    report.point("is served in the other", rota.fetch(2)[0] == 200 and rota.fetch(2, socket=SOCKET)[0] == 410)
    box.need("systemctl", "stop", *UNITS)
    status, body = rota.fetch(1, socket=SOCKET)
    report.point("a community goes on while another is stopped",
                 status == 200 and body["access_token"] == others[1], (status, body))
    rota.start()
    pid = box.shows(OWN_UNITS[0], "MainPID")
    box.need("kill", "-9", pid)
    status, body = rota.fetch(1)
    report.point("and while another is killed", status == 200 and body["access_token"] == tokens[1], (status, body))
    report.point("which comes back with its tokens", until(
        lambda: rota.fetch(1, socket=SOCKET)[1].get("access_token") == others[1]))
    # A folder inside the first one's state would be the first one's to write.
    found = box.run("find", "/var/lib/rota", "-name", f"*{NAME}*")
    report.point("nothing of one lies inside the state of the other", not found.out, found.all)


def purge(box, report):
    said = box.run("dpkg", "--purge", "rota", seconds=300)
    report.point("a purge ends with 0", said.code == 0, said.all)
    found = box.run("grep", "-r", "-l", "-e", APP_TOKEN, "-e", OTHER_TOKEN, "/etc", "/var/lib")
    report.point("it leaves no secret of either community", not found.out, found.all)
    found = box.run("find", "/var/lib", "/etc/systemd", "/run/rota", "-name", "*rota*")
    report.point("and no database, link or socket", not found.out, found.all)
    report.point("and no daemon", not box.run("pgrep", "-x", "rotad").out)
