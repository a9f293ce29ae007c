#!/usr/bin/env python3
"""Circle's own API on the token socket, against Circle's OpenAPI description (headless-auth-v1.json).

Starts a rotad and a rota-sandbox of its own. Usage: circle_api_test.py FOLDER-OF-THE-PROGRAMS
"""

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from circle_sdk import HeadlessAuth

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = ""  # set by whoever starts a Box
APP_TOKEN = "sandbox-app-token"
# Rota's own: what Circle has no word for, and a body that is none.
OWN_STATUSES = {400, 503}


def eventually(condition, what):
    for _ in range(3000):
        if value := condition():
            return value
        threading.Event().wait(0.02)
    raise AssertionError(f"never came: {what}")


class Description:
    """What Circle's OpenAPI description says of a reply."""

    def __init__(self):
        with open(os.path.join(HERE, "headless-auth-v1.json"), encoding="utf-8") as file:
            self._spec = json.load(file)

    def _resolve(self, schema):
        while "$ref" in schema:
            node = self._spec
            for part in schema["$ref"].removeprefix("#/").split("/"):
                node = node[part]
            schema = node
        return schema

    def problems(self, method, path, status, headers, body):
        responses = self._spec["paths"][path][method.lower()]["responses"]
        if status in OWN_STATUSES:
            found = [] if status == 400 or "Retry-After" in headers else ["503 without Retry-After"]
            return found + self._of_error(body)
        if str(status) not in responses:
            return [f"status {status} is not in the description"]
        content = responses[str(status)]["content"]["application/json"]
        if status == 204:
            return [] if body is None else ["a 204 has a body"]
        if headers.get("Content-Type", "").split(";")[0] != "application/json":
            return ["not application/json"]
        schema = self._resolve(content["schema"])
        found = self._of_schema(schema, body)
        if status == 200:
            missing = set(schema["properties"]) ^ set(body)
            return found + ([f"keys that differ: {missing}"] if missing else [])
        words = {example["value"]["message"]: example["value"] for example in content["examples"].values()}
        if status != 403 and body.get("message") not in words:
            found.append(f"not Circle's words: {body.get('message')}")
        return found + self._of_error(body)

    def _of_schema(self, schema, body):
        kinds = {"string": str, "integer": int, "boolean": bool, "object": dict}
        found = []
        for name, value in body.items():
            rule = schema["properties"].get(name)
            if rule is None:
                continue
            if not isinstance(value, kinds[rule["type"]]):
                found.append(f"{name} is no {rule['type']}")
            elif "minimum" in rule and value < rule["minimum"]:
                found.append(f"{name} is too small")
        return found

    @staticmethod
    def _of_error(body):
        right = (body.get("success") is False and isinstance(body.get("message"), str) and body.get("code")
                 and isinstance(body.get("error_details"), dict))
        return [] if right else [f"not an error in Circle's shape: {body}"]


class Box:
    """A rotad with a sandbox behind it, in a folder of their own."""

    def __init__(self, sandbox_options=(), members=9):
        self.folder = tempfile.mkdtemp(prefix="rota-circle-")
        self.socket = os.path.join(self.folder, "token.sock")
        self._processes = []
        out = self.path("sandbox.out")
        with open(out, "w", encoding="utf-8") as file:
            self._sandbox = self._start(["rota-sandbox", "--port", "0", "--members", str(members), *sandbox_options],
                                        file)
        self.upstream = eventually(lambda: self._address_in(out), "the sandbox's address").strip()
        self._write("app-token", APP_TOKEN)
        self._write("store-key", secrets.token_hex(32))
        self._write("roster.toml", "".join(f"[[member]]\ncommunity_member_id = {n}\n" for n in (1, 2, 3, 7, 8)) +
                    '[[member]]\nemail = "member4@example.com"\n[[member]]\nsso_user_id = "sso|5"\n'
                    "[[member]]\ncommunity_member_id = 6\nretired = true\n")
        self._write("rotad.toml", f"""
[upstream]
base_url = "{self.upstream}"
app_token_file = "{self.path('app-token')}"
[roster]
path = "{self.path('roster.toml')}"
[store]
path = "{self.path('rota.db')}"
key_file = "{self.path('store-key')}"
[serve]
token_socket = "{self.socket}"
admin_socket = "{self.path('admin.sock')}"
""")
        self.start_daemon()

    def path(self, name):
        return os.path.join(self.folder, name)

    @staticmethod
    def _address_in(path):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        return text.split("listening on ")[1] if "listening on " in text and text.endswith("\n") else None

    def _write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8", opener=lambda p, f: os.open(p, f, 0o600)) as file:
            file.write(text)

    def _start(self, command, output):
        process = subprocess.Popen([os.path.join(PROGRAMS, command[0]), *command[1:]], stdout=output, stderr=output)
        self._processes.append(process)
        return process

    def start_daemon(self):
        with open(self.path("rotad.out"), "a", encoding="utf-8") as file:
            self._daemon = self._start(["rotad", "--config", self.path("rotad.toml")], file)

        def serves():
            if self._daemon.poll() is not None:
                with open(self.path("rotad.out"), encoding="utf-8") as file:
                    raise AssertionError(file.read())
            with contextlib.suppress(OSError):
                return HeadlessAuth(self.socket).call("GET", "/healthz", "")[0] == 200
            return False

        eventually(serves, "rotad's socket")

    def kill_daemon(self):
        self._daemon.kill()
        self._daemon.wait(60)

    def stats(self):
        with urllib.request.urlopen(self.upstream + "/_sandbox/stats", timeout=60) as reply:
            return json.load(reply)

    def state_of(self, token):
        with urllib.request.urlopen(f"{self.upstream}/_sandbox/check?token={token}", timeout=60) as reply:
            return json.load(reply)["state"]

    def end(self):
        for process in reversed(self._processes):
            process.kill()
            process.wait(60)
        shutil.rmtree(self.folder)


class CircleApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.box = Box()

    @classmethod
    def tearDownClass(cls):
        cls.box.end()

    def setUp(self):
        self.circle = HeadlessAuth(self.box.socket)

    def tearDown(self):
        description = Description()
        for method, path, status, headers, body in self.circle.seen:
            self.assertEqual(description.problems(method, path, status, headers, body), [], f"{method} {path}")

    def log_in(self, number=1):
        status, pair = self.circle.member_api_token_from_community_member_id(number)
        self.assertEqual(status, 200, pair)
        return pair

    def test_a_member_by_each_of_its_names(self):
        self.assertEqual(self.log_in(2)["community_member_id"], 2)
        self.assertEqual(self.circle.member_api_token_from_email("member4@example.com")[1]["community_member_id"], 4)
        self.assertEqual(self.circle.member_api_token_from_sso_id("sso|5")[1]["community_member_id"], 5)

    def test_the_token_is_circles_and_the_refresh_token_is_not(self):
        pair = self.log_in()
        self.assertEqual(self.box.state_of(pair["access_token"]), "live")
        self.assertEqual(self.box.state_of(pair["refresh_token"]), "unknown")

    def calls(self):
        return sum(sum(by_status.values()) for by_status in self.box.stats()["calls"].values())

    def test_a_login_of_a_member_whose_token_lives_is_no_call(self):
        first = self.log_in(7)
        before = self.calls()
        self.assertEqual(self.log_in(7)["access_token"], first["access_token"])
        self.assertEqual(self.calls(), before)

    def test_the_third_login_within_a_minute_is_one_refresh(self):
        tokens = [self.log_in(8)["access_token"] for _ in range(2)]
        before = self.calls()
        tokens += [self.log_in(8)["access_token"] for _ in range(6)]
        self.assertEqual(self.calls(), before + 1)
        self.assertEqual([tokens[0] == token for token in tokens], [True] * 2 + [False] * 6)

    def test_nobody_by_that_name(self):
        for selector in ({"email": "who@example.com"}, {"community_member_id": 77}, {"sso_user_id": "x"}, {}):
            status, error = self.circle.call("POST", "/api/v1/headless/auth_token", selector)
            self.assertEqual((status, error["code"]), (404, "member_unknown"))

    def test_a_retired_member_is_not_found(self):
        status, error = self.circle.member_api_token_from_community_member_id(6)
        self.assertEqual(status, 404, error)

    def test_two_selectors_are_a_bad_request(self):
        status, _ = self.circle.call("POST", "/api/v1/headless/auth_token", {"email": "a@b.c", "sso_user_id": "x"})
        self.assertEqual(status, 400)

    def test_a_form_does_as_well(self):
        status, pair = self.circle.call("POST", "/api/v1/headless/auth_token", "email=member4%40example.com",
                                        "application/x-www-form-urlencoded")
        self.assertEqual((status, pair["community_member_id"]), (200, 4))

    def test_a_body_in_chunks_does_as_well(self):
        pieces = ['{"email":', '"member4@', 'example.com"}']
        status, pair = self.circle.call("POST", "/api/v1/headless/auth_token", (p.encode() for p in pieces))
        self.assertEqual((status, pair["community_member_id"]), (200, 4), pair)
        for command in (["node", os.path.join(HERE, "chunked.mjs"), self.box.socket, *pieces],
                        ["curl", "-sS", "--unix-socket", self.box.socket, "-H", "Transfer-Encoding: chunked",
                         "-H", "Content-Type: application/json", "-H", "Expect: 100-continue",
                         "-d", "".join(pieces), "http://localhost/api/v1/headless/auth_token"]):
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
            self.assertEqual(json.loads(done.stdout).get("community_member_id"), 4, done.stdout)

    def test_a_refresh(self):
        pair = self.log_in(2)
        status, fresh = self.circle.member_api_token_from_refresh_token(pair["refresh_token"])
        self.assertEqual(status, 200, fresh)
        self.assertEqual(self.box.state_of(fresh["access_token"]), "live")

    def test_words_for_a_refresh_token_that_is_none(self):
        for call in (self.circle.member_api_token_from_refresh_token, self.circle.revoke_refresh_token):
            status, error = call("nonsense")
            self.assertEqual((status, error["message"]), (404, "Refresh token not found."))
        self.assertEqual(self.circle.call("POST", "/api/v1/headless/refresh_token/revoke", {})[0], 404)
        self.assertEqual(self.circle.call("POST", "/api/v1/headless/refresh_token/revoke", {"refresh_token": 7.5})[0], 404)

    def test_words_for_an_access_token_that_is_none(self):
        status, error = self.circle.revoke_member_api_token("nonsense")
        self.assertEqual((status, error["message"]), (422, "The access token is invalid."))
        self.assertEqual(self.circle.call("POST", "/api/v1/headless/access_token/revoke", {})[0], 404)

    def test_words_for_a_token_of_another_type(self):
        missing = (404, "Oops! Missing parameter. Please try again later.")
        for value in (5, 7.5, True, ["x"], {"a": 1}):
            status, error = self.circle.revoke_member_api_token(value)
            self.assertEqual((status, error["message"]), missing)
            status, error = self.circle.revoke_refresh_token(value)
            self.assertEqual((status, error["message"]), (404, "Invalid refresh token."))
            status, error = self.circle.member_api_token_from_refresh_token(value)
            self.assertEqual((status, error["message"]), (404, "Refresh token not found."))
        status, error = self.circle.revoke_member_api_token("Bearer x")
        self.assertEqual((status, error["message"]), (422, "The access token is invalid."))
        status, error = self.circle.revoke_refresh_token("Bearer x")
        self.assertEqual((status, error["message"]), (404, "Refresh token not found."))

    def test_an_error_of_rotas_own_has_circles_shape(self):
        status, error = self.circle.call("GET", "/api/v1/headless/auth_token", "")
        self.circle.seen.pop()  # Circle's description does not know the method
        self.assertEqual((status, sorted(error)), (405, ["code", "error_details", "message", "success"]))

    def test_a_revoked_handle_is_dead_after_a_kill_too(self):
        pair = self.log_in(2)
        self.assertEqual(self.circle.revoke_refresh_token(pair["refresh_token"])[0], 204)
        self.box.kill_daemon()
        self.box.start_daemon()
        self.assertEqual(self.circle.member_api_token_from_refresh_token(pair["refresh_token"])[0], 404)
        pair = self.log_in(2)
        self.assertEqual(self.circle.member_api_token_from_refresh_token(pair["refresh_token"])[0], 200)

    def test_a_handle_lives_over_a_restart(self):
        pair = self.log_in(3)
        self.box.kill_daemon()
        self.box.start_daemon()
        status, fresh = self.circle.member_api_token_from_refresh_token(pair["refresh_token"])
        self.assertEqual((status, fresh["access_token"]), (200, pair["access_token"]))


class NotEligible(unittest.TestCase):
    def test_a_community_that_is_not_eligible_is_circles_403(self):
        box = Box(["--fault", "any:forbidden:1"])
        self.addCleanup(box.end)
        circle = HeadlessAuth(box.socket)
        status, error = circle.member_api_token_from_community_member_id(1)
        self.assertEqual((status, error["code"]), (403, "community_not_eligible"), error)
        self.assertEqual(error["message"], "Your community isn't eligible for headless API access. "
                         "Please upgrade or contact support")
        for method, path, status, headers, body in circle.seen:
            self.assertEqual(Description().problems(method, path, status, headers, body), [])


if __name__ == "__main__":
    PROGRAMS = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
