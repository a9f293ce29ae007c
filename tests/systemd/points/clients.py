"""Clients with a bearer token, on the port and the socket that rotad-client.socket holds."""

import json

from points.harness import Broken, stop_quietly, until
from points.rota import first_run

PORT = 8465
FOLDER = "/run/rota/containers"
SOCKET = f"{FOLDER}/token.sock"
UNIT = "rotad-client.socket"
FETCH = "/v1/token?community_member_id=1"
GRANT = """
    [[grant]]
    client = "shop"
    members = ["*"]
    may = ["fetch", "enrol"]
    """
NARROW = """
    [[grant]]
    client = "shop"
    members = ["id:2"]
    """

# One connection, which asks once for each line that it reads, and says the status or "closed".
KEPT = f"""
import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", {PORT}, timeout=60)
connection.connect()
connection.auto_open = 0
for line in sys.stdin:
    try:
        connection.request("GET", "{FETCH}", headers={{"Authorization": "Bearer " + line.strip()}})
        reply = connection.getresponse()
        reply.read()
        print(reply.status, flush=True)
    except (OSError, http.client.HTTPException):
        print("closed", flush=True)
"""


class Shop:
    """The program that has the token."""

    def __init__(self, box):
        self.box = box

    def ask(self, path=FETCH, token="", socket="", user="nobody", options=()):
        """(status, body); (0, what curl says) if nobody answered."""
        where = ["--unix-socket", socket] if socket else []
        header = ["-H", f"Authorization: Bearer {token}"] if token else []
        said = self.box.run("curl", "-sS", "-w", "\n%{http_code}", *where, *header, *options,
                            f"http://127.0.0.1:{PORT}{path}", user=user)
        body, _, code = said.out.rpartition("\n")
        if said.code != 0:
            return 0, said.err
        return int(code), json.loads(body) if body.startswith("{") else body

    def new_token(self):
        words = self.box.need("rota", "client", "add", "shop").split()
        found = [word for word in words if word.startswith("rota_")]
        if len(found) != 1:
            raise Broken(f"rota client add: {words}")
        return found[0]


class Kept:
    """A connection that stays open."""

    def __init__(self, box):
        self.process = box.start("python3", "-c", KEPT, user="nobody")

    def ask(self, token):
        self.process.stdin.write(token + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


def look(box, tools, report):
    circle, rota = first_run(box, tools)
    shop = Shop(box)
    report.point("the unit is not enabled, and nobody listens on its port",
                 box.systemctl("is-enabled", UNIT).out.strip() == "disabled"
                 and shop.ask()[0] == 0)

    token = shop.new_token()
    rota.write_config(GRANT)
    box.put(f"/etc/systemd/system/{UNIT}.d/containers.conf", f"[Socket]\nListenStream={SOCKET}\n")
    box.need("systemctl", "daemon-reload")
    box.need("systemctl", "enable", UNIT)
    box.need("sh", "-ec", f"systemctl stop rotad.service && systemctl start {UNIT} rotad.service")
    opens(box, circle, shop, token, report)
    sockets_outlive_the_service(box, rota, shop, token, report)
    logins_outlive_it_too(rota, shop, token, report)
    reloads(box, rota, shop, token, report)
    stops(box, rota, shop, report)


def opens(box, circle, shop, token, report):
    status, body = shop.ask(token=token)
    report.point("the token of rota client add opens the port to any user",
                 status == 200 and circle.state_of(body["access_token"]) == "live", (status, body))
    status, body = shop.ask()
    report.point("without one it is 401, in Circle's words", status == 401
                 and body["message"] == "Your account could not be authenticated.", (status, body))
    report.point("for root, too", shop.ask(user="root")[0] == 401)
    report.point("but for /healthz", shop.ask("/healthz")[0] == 200)
    report.point("no admin route is there", shop.ask("/v1/status", token)[0] == 404)
    for header in ("Origin: https://evil.example", "Host: evil.example"):
        status, _ = shop.ask(token=token, options=("-H", header))
        report.point(f"a request with {header.split(':')[0]} of a page gets 403", status == 403)
    report.point("the socket for containers is there, with its mode and owner",
                 box.run("stat", "-c", "%a %U", SOCKET).out.strip() == "666 rota",
                 box.run("ls", "-la", FOLDER).all)
    status, body = shop.ask(token=token, socket=SOCKET)
    report.point("and the token opens it", status == 200, (status, body))
    report.point("the root of a container gets nothing there without one",
                 shop.ask(socket=SOCKET, user="root")[0] == 401)
    trail = box.need("rota", "audit", "--json")
    report.point("the trail names the client", '"client":"shop"' in trail.replace(" ", ""), trail)


def sockets_outlive_the_service(box, rota, shop, token, report):
    for socket, name in (("", "port"), (SOCKET, "socket for containers")):
        rota.clear()
        box.need("systemctl", "stop", "rotad.service")
        report.point("a stop of the service leaves the unit active",
                     box.is_state(UNIT, "active") and box.is_state("rotad.service", "inactive"))
        taken = box.run("python3", "-c", "import socket; s = socket.socket(); "
                        f"s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); "
                        f"s.bind(('127.0.0.1', {PORT}))", user="nobody")
        report.point("no other program can take the port meanwhile",
                     taken.code != 0 and "Address already in use" in taken.err, taken.all)
        status, body = shop.ask(token=token, socket=socket)
        report.point(f"the first connection to the {name} starts the service and is served",
                     status == 200 and box.is_state("rotad.service", "active"), (status, body))
    status, body = rota.fetch(1)
    report.point("and the token socket serves as before", status == 200, (status, body))


def logins_outlive_it_too(rota, shop, token, report):
    json_body = ("-H", "Content-Type: application/json")
    status, pair = shop.ask("/api/v1/headless/auth_token", token,
                            options=(*json_body, "-d", '{"community_member_id":1}'))
    report.point("a program written for Circle logs a member in", status == 200, (status, pair))
    if status != 200:
        return
    rota.restart()
    status, body = shop.ask("/api/v1/headless/access_token/refresh", token, options=(
        *json_body, "-X", "PATCH", "-d", json.dumps({"refresh_token": pair["refresh_token"]})))
    report.point("its refresh token is good after a restart",
                 status == 200 and "access_token" in body, (status, body))


def reloads(box, rota, shop, token, report):
    pid = rota.pid()
    kept = Kept(box)
    seen = [kept.ask(token)]
    second = shop.new_token()
    report.point("a second token counts from the next reload on",
                 shop.ask(token=second)[0] == 401)
    box.need("systemctl", "reload", "rotad.service")
    seen.append(kept.ask(token))
    report.point("then both do, and open connections go on",
                 shop.ask(token=second)[0] == 200 and seen == ["200", "200"], seen)
    box.need("rota", "client", "remove", "shop", "--old")
    box.need("systemctl", "reload", "rotad.service")
    status, body = shop.ask(token=token)
    report.point("a removed token is refused from the reload on", status == 401, (status, body))
    report.point("on open connections, too", until(lambda: kept.ask(token) in ("401", "closed"), 5))
    stop_quietly(kept.process)
    report.point("and the other one is not", shop.ask(token=second)[0] == 200)

    rota.write_config(NARROW)
    box.need("systemctl", "reload", "rotad.service")
    status, body = shop.ask(token=second)
    report.point("a grant that a reload narrows counts at once",
                 status == 403 and body["code"] == "forbidden", (status, body))
    status, body = shop.ask("/v1/token?community_member_id=2", second)
    report.point("and leaves what it names", status == 200, (status, body))
    box.need("rota", "client", "remove", "shop")
    box.need("systemctl", "reload", "rotad.service")
    report.point("a client that is removed gets nothing",
                 shop.ask("/v1/token?community_member_id=2", second)[0] == 401)
    report.point("all that by one process, which is ready",
                 rota.pid() == pid and rota.admin("/readyz"))


def stops(box, rota, shop, report):
    rota.clear()
    box.need("systemctl", "stop", UNIT, "rotad.socket", "rotad-admin.socket", "rotad.service")
    report.point("a stop of all units closes the port",
                 shop.ask()[0] == 0 and box.is_state("rotad.service", "inactive"))
    report.point("no unit has failed", not box.failed_units(), box.failed_units())
