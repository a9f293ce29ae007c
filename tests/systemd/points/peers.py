"""Users who are not rota: what reaches them, and what does not."""

from points.rota import ADMIN, first_run

GRANTS = """
    [[grant]]
    user = "www-data"
    members = ["id:1", "id:2"]
    """


def look(box, tools, report):
    _, rota = first_run(box, tools)

    def fetches(member, user="www-data", socket="/run/rota/token.sock"):
        return rota.fetch(member, user=user, socket=socket)

    status, said = fetches(1)
    report.point("a user outside the group rota-clients cannot connect", status == 0 and "connect" in said,
                 (status, said))
    box.need("usermod", "-a", "-G", "rota-clients", "www-data")
    status, body = fetches(1)
    report.point("in the group and without a grant it gets 403",
                 status == 403 and body["code"] == "forbidden", (status, body))

    rota.write_config(GRANTS)
    box.need("systemctl", "reload", "rotad.service")
    status, body = fetches(1)
    report.point("with a grant it gets the token", status == 200 and body["access_token"],
                 (status, body))
    status, body = fetches(3)
    report.point("of no member beyond the grant", status == 403, (status, body))
    status, body = fetches(99)
    report.point("nor can it tell whether there is one", status == 403, (status, body))
    box.need("gpasswd", "-d", "www-data", "rota-clients")
    status, said = fetches(1)
    report.point("a grant without the group does not open the socket",
                 status == 0 and "connect" in said, (status, said))
    box.need("usermod", "-a", "-G", "rota-clients", "www-data")

    status, said = fetches(1, socket=ADMIN)
    report.point("the admin socket is closed to it, the group and the grant notwithstanding",
                 status == 0 and "connect" in said, (status, said))
    status, said = fetches(1, user="nobody", socket=ADMIN)
    report.point("and to nobody", status == 0 and "connect" in said, (status, said))
    # The mode is not all that holds: with it out of the way the daemon itself refuses.
    box.need("chmod", "0666", ADMIN)
    for path in ("/v1/status", "/v1/members"):
        seen = box.run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket", ADMIN,
                       f"http://rota{path}", user="www-data")
        report.point(f"{path} is refused even if its mode let it in", seen.out == "403", seen.all)
    box.need("chmod", "0600", ADMIN)
    status, body = fetches(1, user="rota", socket=ADMIN)
    report.point("rota itself may", status == 200, (status, body))

    seen = box.run("cat", "/var/lib/rota/rota.db", "/etc/rota/credentials/app-token",
                   "/etc/rota/credentials/store-key", "/etc/rota/roster.toml",
                   "/etc/rota/rotad.toml", user="www-data")
    report.point("it reads neither database, credentials, configuration nor roster",
                 seen.out == "" and seen.err.count("Permission denied") == 5, seen.err)
    seen = box.run("sh", "-c", f"cat /proc/{rota.pid()}/environ; ls -l /proc/{rota.pid()}/fd",
                   user="www-data")
    report.point("nor anything of its process", seen.out == "" and "denied" in seen.err, seen.all)
