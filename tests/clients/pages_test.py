#!/usr/bin/env python3
"""The commands and configurations of the pages in docs, run as they stand there: only paths, ports and names are
replaced by those of a rotad and a rota-sandbox of the test's own.

Usage: pages_test.py FOLDER-OF-THE-PROGRAMS
"""

import http.client
import http.server
import json
import os
import re
import socket
import subprocess
import sys
import threading
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import circle_api_test as circle

DOCS = os.path.normpath(os.path.join(circle.HERE, "..", "..", "docs"))


def page(name):
    with open(os.path.join(DOCS, name), encoding="utf-8") as file:
        return file.read()


def blocks(name, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page(name), re.S | re.M)


def commands(name, word):
    """The indented commands that contain this word, each with the lines that it goes on in."""
    text = page(name).replace("\\\n", "")
    return [line.strip() for line in text.splitlines() if line.startswith("    ") and word in line]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


class PagesBox(circle.Box):
    """Its listener, and the grants of its clients, are those of the pages."""

    def __init__(self):
        self.port = free_port()
        self.tokens = {}
        super().__init__()

    def path_of_config(self):
        return self.path("rotad.toml")

    def start_daemon(self):
        if not self.tokens:
            with open(self.path_of_config(), "a", encoding="utf-8") as file:
                for name in ("from-auth_token.md", "containers.md", "login-and-logout.md", "nginx.md"):
                    file.write("".join(blocks(name, "toml")).replace("8465", str(self.port)))
                file.write(f'[[listener]]\npath = "{self.path("containers.sock")}"\n')
            for name in ("from-auth_token.md", "containers.md"):
                (command,) = (c for c in commands(name, "client add") if "second" not in c)
                self.tokens[name] = self.rota(command).strip()
        super().start_daemon()

    def rota(self, command):
        """`command`: as the page has it, "sudo rota …"."""
        words = command.split("#")[0].split()[2:]
        where = ["--config", self.path_of_config()] if words[0] == "client" else ["--socket", self.path("admin.sock")]
        program = os.path.join(circle.PROGRAMS, "rota")
        head = [] if words[0] == "client" else where
        tail = where if words[0] == "client" else []
        done = subprocess.run([program, *head, *words, *tail], capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            raise AssertionError(f"{command}: {done.stderr}")
        return done.stdout

    def shell(self, command, token=""):
        """Runs a page's curl, and returns status and body."""
        command = command.replace("127.0.0.1:8465", f"127.0.0.1:{self.port}")
        where = self.path("containers.sock") if token else self.socket
        command = command.replace("/run/rota/token.sock", where)
        command = command.replace("grace@", "member9@").replace("=42", "=1")
        command = command.replace("curl ", "curl -sS --max-time 60 -w '\\n%{http_code}' ")
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=90, check=False,
                              env={**os.environ, "ROTA_TOKEN": token})
        body, _, status = done.stdout.rpartition("\n")
        if done.returncode:
            raise AssertionError(f"{command}: {done.stderr}")
        return int(status), json.loads(body)


class Web(http.server.BaseHTTPRequestHandler):
    """The program that knows who is logged in, and Circle, which shows what it gets."""

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        text = b""
        member = re.search(r"session-of=(\d+)", self.headers.get("Cookie", ""))
        if self.path == "/session":
            self.send_response(200 if member else 401)
            if member:
                self.send_header("X-Accel-Redirect", f"/_token/{member[1]}")
        else:
            text = json.dumps(dict(self.headers)).encode()
            self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, *_):
        pass


class Reference(unittest.TestCase):
    """docs/http-api.md has what the sources have."""

    def source(self, name):
        with open(os.path.join(os.path.dirname(DOCS), name), encoding="utf-8") as file:
            return file.read()

    def test_every_route_of_a_socket_has_a_row(self):
        text = self.source("lib/api/routes.cc")
        names = dict(re.findall(r'constexpr const char\* (k\w+) = "([^"]+)"', text))
        (tokens,) = re.findall(r"kTokenSocket\[\] = {(.*?)^};", text, re.S | re.M)
        (admin,) = re.findall(r"kAdminSocket\[\] = {(.*?)^};", text, re.S | re.M)
        (metrics,) = re.findall(r"kMetricsPort\[\] = {(.*?)^};", text, re.S | re.M)
        lists = [re.findall(r'{"(\w+)", (?:"([^"]+)"|(k\w+)),', each) for each in (tokens, admin, metrics)]
        table = page("http-api.md").split("## All routes")[1].split("## ")[0]
        rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines() if row.startswith("| `")]
        seen = 0
        for column, routes in enumerate(lists, 1):
            for method, path, name in routes:
                path = (path or names[name]).replace("{key}", "KEY")
                self.assertIn("yes", [row[column] for row in rows if self.has(row[0], method, path)], f"{method} {path}")
                seen += 1
        self.assertGreater(seen, 35)

    @staticmethod
    def has(cell, method, path):
        if path.startswith("/api/"):  # the page of Circle's API has all four
            return "auth_token" in cell and f"`{method} {path}`" in page("circle-api.md")
        short = "…/" + path.rpartition("/")[2]
        return re.search(rf"`{method} {re.escape(path)}[`?]", cell) or (method == "POST" and f"`{short}`" in cell)

    def test_every_code_of_an_error_is_explained(self):
        codes = re.findall(r'return {\d+, "[^"]+", "(\w+)"', self.source("lib/http/response.cc"))
        self.assertGreater(len(codes), 20)
        for code in codes:
            self.assertIn(f"`{code}`", page("http-api.md"))


class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.box = PagesBox()
        cls.addClassCleanup(cls.box.end)

    def bearer(self, name):
        return {"Authorization": f"Bearer {self.box.tokens[name]}"}

    def listener(self, path, headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.box.port, timeout=60)
        connection.request("GET", path, headers=headers)
        status = connection.getresponse().status
        connection.close()
        return status

    def test_a_login_through_the_listener_has_the_keys_of_the_page(self):
        (command,) = commands("from-auth_token.md", "curl")
        status, pair = self.box.shell(command, self.box.tokens["from-auth_token.md"])
        self.assertEqual(status, 200, pair)
        self.assertEqual(self.box.state_of(pair["access_token"]), "live")
        shown = page("from-auth_token.md").split('{"access_token":')[1].split("}")[0]
        self.assertEqual(set(pair), {"access_token", *re.findall(r'"(\w+)":', shown)})

    def test_a_member_comes_signs_out_and_leaves(self):
        come, sign_out, leave = commands("login-and-logout.md", "curl")
        self.box.shell(leave)  # another test may have enrolled it as another client, which stays
        status, member = self.box.shell(come.replace("email:grace@example.com", "id:1"))
        self.assertEqual((status, member["source"]), (200, "roster"))
        status, member = self.box.shell(come)
        self.assertIn(status, (200, 201))
        self.assertEqual((member["state"], member["source"]), ("active", "enrolled"))
        fetch = 'curl --unix-socket /run/rota/token.sock "http://rota/v1/token?email=grace@example.com"'
        token = self.box.shell(fetch)[1]["access_token"]
        status, report = self.box.shell(sign_out)
        self.assertEqual((status, report["done"]), (200, True))
        self.assertEqual(self.box.state_of(token), "revoked")
        self.assertNotEqual(self.box.shell(fetch)[1]["access_token"], token)
        self.assertEqual(self.box.shell(leave)[0], 200)
        self.assertEqual(self.box.shell(leave)[1]["code"], "member_unknown", "its enrolment has ended")
        self.assertEqual(self.box.shell(leave.replace("email:grace@example.com", "id:1"))[1]["code"], "member_in_roster")

    def test_a_container_without_its_token_gets_nothing_even_as_root(self):
        (command,) = commands("containers.md", "curl")
        self.assertEqual(self.box.shell(command, self.box.tokens["containers.md"])[0], 403, "it has no tag:shop")
        self.assertEqual(self.box.shell(command, "wrong")[0], 401)
        self.assertEqual(self.listener("/readyz", {}), 401)
        self.assertEqual(self.listener("/healthz", {}), 200)

    def test_a_client_changes_its_token_without_a_gap(self):
        (add,) = (c for c in commands("containers.md", "client add") if "second" in c)
        old, new = self.box.tokens["containers.md"], self.box.rota(add).strip()
        (reload, *_) = commands("containers.md", "sudo rota reload")
        self.box.rota(reload)
        for token in (old, new):
            self.assertEqual(self.listener("/readyz", {"Authorization": f"Bearer {token}"}), 200)
        (remove,) = commands("containers.md", "client remove")
        self.box.rota(remove)
        self.box.rota(reload)
        self.assertEqual(self.listener("/readyz", {"Authorization": f"Bearer {old}"}), 401)
        self.assertEqual(self.listener("/readyz", {"Authorization": f"Bearer {new}"}), 200)
        self.box.tokens["containers.md"] = new

    def nginx(self, configuration):
        web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web)
        threading.Thread(target=web.serve_forever, daemon=True).start()
        self.addCleanup(web.server_close)
        self.addCleanup(web.shutdown)
        port, folder = free_port(), self.box.path("nginx")
        os.makedirs(folder, exist_ok=True)
        for old, new in (("/run/rota/token.sock", self.box.socket), ("127.0.0.1:8080", f"127.0.0.1:{port}"),
                         ("127.0.0.1:3000", f"127.0.0.1:{web.server_port}"), ("127.0.0.1:8465", f"127.0.0.1:{self.box.port}"),
                         ("https://app.circle.so", f"http://127.0.0.1:{web.server_port}")):
            configuration = configuration.replace(old, new)
        temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n"
                            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        file = os.path.join(folder, "nginx.conf")
        with open(file, "w", encoding="utf-8") as out:
            out.write(f"daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
                      f"http {{\naccess_log off;\n{temporary}{configuration}}}\n")
        process = subprocess.Popen(["/usr/sbin/nginx", "-e", "stderr", "-p", folder, "-c", file])
        self.addCleanup(process.wait, 60)
        self.addCleanup(process.kill)

        def listens():
            self.assertIsNone(process.poll(), "nginx runs")
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        circle.eventually(listens, "nginx's port")

        def ask(path, headers, method="GET", body=None):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            text = reply.read()
            connection.close()
            return reply.status, text

        return ask

    def see_nginx_put_the_token_in(self, configuration):
        ask = self.nginx(configuration)
        browser = {"Cookie": "session-of=1; " + "x" * 7000, "Origin": "https://shop.example"}
        status, seen = ask("/api/headless/v1/me", browser)
        self.assertEqual(status, 200)
        seen = json.loads(seen)
        self.assertEqual(self.box.state_of(seen["Authorization"].removeprefix("Bearer ")), "live")
        self.assertNotIn("Cookie", seen)
        for method in ("POST", "PUT", "DELETE"):
            status, seen = ask("/api/headless/v1/me", browser, method, b'{"body":{"text":"Hello"}}')
            self.assertEqual(status, 200, f"{method} with a body: {seen}")
            self.assertEqual(self.box.state_of(json.loads(seen)["Authorization"].removeprefix("Bearer ")), "live")
        self.assertEqual(ask("/api/headless/v1/me", {})[0], 401, "nobody is logged in")
        self.assertEqual(ask("/api/headless/v1/me", {"Cookie": "session-of=77"})[0], 403, "no such member")
        for inside in ("/_token/1", "/_session"):
            self.assertEqual(ask(inside, browser)[0], 404)

    def test_nginx_puts_the_members_token_in(self):
        (configuration,) = blocks("nginx.md", "nginx")
        self.see_nginx_put_the_token_in(configuration)

    def test_nginx_through_a_listener(self):
        (configuration,) = blocks("nginx.md", "nginx")
        upstream, header = re.search(r"`(server 127[^`]*)` and\s+`(proxy_set_header[^`]*)`", page("nginx.md")).groups()
        token = self.box.tokens["from-auth_token.md"]
        configuration = configuration.replace("server unix:/run/rota/token.sock;", upstream)
        configuration = configuration.replace("proxy_pass_request_headers off;",
                                              "proxy_pass_request_headers off;\n" + header.replace("…", token))
        self.see_nginx_put_the_token_in(configuration)


if __name__ == "__main__":
    circle.PROGRAMS = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
