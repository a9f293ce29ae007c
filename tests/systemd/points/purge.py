"""A purge of folders that an administrator has moved elsewhere, by a link or by a mount."""

from points.rota import APP_TOKEN, STORE_KEY, UNITS, first_run


def look(box, tools, report):
    _, rota = first_run(box, tools)
    linked(box, report)
    said = rota.install(tools.package)
    report.point("it can be installed again", said.code == 0, said.all)
    rota.configure()
    rota.start()
    rota.tokens()
    mounted(box, report)


def purge(box, report, name):
    said = box.run("dpkg", "--purge", "rota", seconds=300)
    report.point(f"a purge with {name} ends with 0", said.code == 0, said.all)
    # A token's bytes are sealed; the secrets that open them are not.
    found = box.run("grep", "-r", "-l", "-e", APP_TOKEN, "-e", STORE_KEY, "/etc", "/var/lib", "/srv")
    report.point(f"{name}: no secret is left", not found.out, found.all)
    found = box.run("find", "/var/lib", "/srv", "/etc", "-name", "rota.db*")
    report.point(f"{name}: no database is left", not found.out, found.all)


def linked(box, report):
    box.need("systemctl", "stop", *UNITS)
    box.need("sh", "-ec", """
        mkdir -p /srv
        mv /var/lib/rota /srv/state && ln -s /srv/state /var/lib/rota
        mv /etc/rota /srv/etc && ln -s /srv/etc /etc/rota
        mkdir -p /etc/rota/clients.d
        echo '# a client' >/etc/rota/clients.d/web.toml
        echo foreign >/srv/state/notes
        echo foreign >/srv/etc/notes""")
    purge(box, report, "linked folders")
    seen = box.run("cat", "/srv/state/notes", "/srv/etc/notes")
    report.point("what was not Rota's stays", seen.out == "foreign\nforeign\n", seen.all)
    found = box.run("find", "/srv", "-name", "clients.d")
    report.point("no client is left", not found.out, found.all)
    left = [path for path in ("/var/lib/rota", "/etc/rota") if box.run("test", "-L", path).code == 0]
    report.point("the links are gone", not left, left)
    box.need("rm", "-r", "/srv/state", "/srv/etc")


def mounted(box, report):
    box.need("systemctl", "stop", *UNITS)
    box.need("sh", "-ec", """
        mkdir -p /srv/state /srv/credentials
        cp -a /var/lib/rota/. /srv/state && mount --bind /srv/state /var/lib/rota
        cp -a /etc/rota/credentials/. /srv/credentials
        mount --bind /srv/credentials /etc/rota/credentials""")
    purge(box, report, "mounted folders")
    seen = box.run("find", "/srv/state", "/srv/credentials", "-mindepth", "1")
    report.point("both mounts are empty", not seen.out, seen.all)
    box.run("umount", "/var/lib/rota", "/etc/rota/credentials")
