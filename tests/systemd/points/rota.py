"""Rota and its stand-in for Circle in a box."""

import json
import textwrap
from urllib.parse import quote

from points.harness import Broken, until

PORT = 8900
APP_TOKEN = "box-app-token-0123456789"
STORE_KEY = "b" * 64
SOCKET = "/run/rota/token.sock"
ADMIN = "/run/rota/admin.sock"
UNITS = ["rotad.service", "rotad.socket", "rotad-admin.socket"]
CREDENTIALS = "/etc/rota/credentials"


class Circle:
    """rota-sandbox as a transient unit, http on the box's loopback."""

    def __init__(self, box, tools, members=5, options=()):
        self.box = box
        self.members = members
        box.copy(tools.sandbox, "/usr/local/bin/rota-sandbox")
        box.put("/root/circle-app-token", APP_TOKEN + "\n", "0600")
        box.need("systemd-run", "--quiet", "--unit=circle", "/usr/local/bin/rota-sandbox",
                 f"--port={PORT}", "--app-token-file=/root/circle-app-token",
                 f"--members={members}", "--rate-limit=0", *options)
        if not until(lambda: "listening on" in box.journal("-u", "circle")):
            raise Broken("rota-sandbox: " + box.journal("-u", "circle"))

    def get(self, path):
        return json.loads(self.box.need("curl", "-sS", "--fail", f"http://127.0.0.1:{PORT}{path}"))

    def post(self, path, body):
        self.box.need("curl", "-sS", "--fail", "-d", json.dumps(body), "-H",
                      "Content-Type: application/json", f"http://127.0.0.1:{PORT}{path}")

    def calls(self):
        return self.get("/_sandbox/stats")["calls_total"]

    def tokens(self, query=""):
        return self.get("/_sandbox/ledger" + query)["tokens"]

    def state_of(self, token):
        return self.get("/_sandbox/check?token=" + token)["state"]


class Rota:
    """The installed package: its files, units and tokens."""

    def __init__(self, box):
        self.box = box

    def install(self, package):
        self.box.copy(package, "/root/rota.deb")
        return self.box.run("dpkg", "-i", "/root/rota.deb", seconds=300)

    def configure(self, members=5, grants="", upstream="", roster=""):
        self.write_config(grants, upstream)
        self.write_roster(members, roster)
        self.write_credentials()

    def write_config(self, grants="", upstream=""):
        self.box.put("/etc/rota/rotad.toml",
                     f'[upstream]\nbase_url = "http://127.0.0.1:{PORT}"\n{upstream}\n'
                     + textwrap.dedent(grants), "0640", "root:rota")

    def write_roster(self, members, more=""):
        listed = "".join(f"[[member]]\ncommunity_member_id = {i}\n" for i in range(1, members + 1))
        self.box.put("/etc/rota/roster.toml", listed + more, "0640", "root:rota")

    def write_credentials(self, app_token=APP_TOKEN, store_key=STORE_KEY):
        self.box.put(f"{CREDENTIALS}/app-token", app_token + "\n", "0600")
        self.box.put(f"{CREDENTIALS}/store-key", store_key + "\n", "0600")

    def drop_in(self, name, text):
        """A setting of the unit for this test alone; "" takes it away."""
        path = f"/run/systemd/system/rotad.service.d/{name}.conf"
        if text:
            self.box.put(path, "[Service]\n" + text)
        else:
            self.box.need("rm", "-f", path)
        self.box.need("systemctl", "daemon-reload")

    def clear(self):
        """Forgets the starts that systemd has counted."""
        self.box.need("systemctl", "reset-failed", *UNITS)

    def start(self):
        self.box.need("systemctl", "start", *UNITS)

    def restart(self):
        self.clear()
        self.box.need("systemctl", "restart", "rotad.service")

    def pid(self):
        return int(self.box.shows("rotad.service", "MainPID") or 0)

    def fetch(self, member=1, user=None, socket=SOCKET, query="", seconds=90):
        """(status, body) of one fetch; (0, what curl says) when nobody answered."""
        said = self.box.run("curl", "-sS", "-w", "\n%{http_code}", "--unix-socket", socket,
                            f"http://rota/v1/token?community_member_id={member}{query}",
                            user=user, seconds=seconds)
        body, _, code = said.out.rpartition("\n")
        if said.code != 0 or not body:
            return 0, said.err
        return int(code), json.loads(body)

    def admin(self, path):
        said = self.box.need("curl", "-sS", "--fail", "--unix-socket", ADMIN,
                             "http://rota" + quote(path, safe="/?=&"))
        return json.loads(said)

    def tokens(self, members=5):
        """Each member's token; every one must be served."""
        found = {}
        for member in range(1, members + 1):
            status, body = self.fetch(member)
            if status != 200:
                raise Broken(f"no token for member {member}: {status} {body}")
            found[member] = body["access_token"]
        return found


def first_run(box, tools, members=5, grants="", upstream="", circle_options=()):
    """Installs, configures and starts, with every member's token issued: where most groups begin."""
    circle = Circle(box, tools, members, circle_options)
    rota = Rota(box)
    said = rota.install(tools.package)
    if said.code != 0:
        raise Broken("dpkg -i: " + said.all)
    rota.configure(members, grants, upstream)
    rota.start()
    if not until(lambda: rota.admin("/v1/status")["members"]["fresh"] == members, 120):
        raise Broken("not every member has a token: " + box.journal("-u", "rotad")[-2000:])
    return circle, rota
