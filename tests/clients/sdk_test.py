#!/usr/bin/env python3
"""Programs that were written for Circle, against a stand-in for Circle and against rotad: only the URL changes.

A program is a client with the six methods of Circle's SDK: one in Python, one in Node, and the Node package circleso,
unmodified (needs npm and the network). Usage: sdk_test.py FOLDER-OF-THE-PROGRAMS [CLASS]
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import unittest
import urllib.parse
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import circle_api_test as circle
from circle_sdk import HeadlessAuth


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


class ListenerBox(circle.Box):
    """With a listener. The token of its one client is Circle's app token, too, so that a program changes the URL only."""

    def __init__(self):
        self.listener = f"http://127.0.0.1:{free_port()}"
        self.token = ""
        # A client that wants another token waits until the one that it has is a quarter of its life old.
        super().__init__(["--access-ttl", "12s"])

    def start_daemon(self):
        with open(self.path("rotad.toml"), "a", encoding="utf-8") as file:
            file.write(f"""
[[listener]]
address = "{self.listener.removeprefix('http://')}"
[[grant]]
client = "web"
members = ["*"]
may = ["fetch", "enrol", "sign_out"]
""")
        rota = [os.path.join(circle.PROGRAMS, "rota"), "client", "add", "web", "--config", self.path("rotad.toml")]
        self.token = subprocess.run(rota, check=True, capture_output=True, text=True, timeout=60).stdout.strip()
        body = json.dumps({"app_token": self.token}).encode()
        urllib.request.urlopen(self.upstream + "/_sandbox/app-token", body, timeout=60).close()
        with open(self.path("app-token"), "w", encoding="utf-8") as file:
            file.write(self.token)
        super().start_daemon()


class PythonProgram:
    def __init__(self, url, token):
        where = urllib.parse.urlsplit(url)
        self._circle = HeadlessAuth((where.hostname, where.port), token)
        self._methods = {
            "getMemberAPITokenFromCommunityMemberId": self._circle.member_api_token_from_community_member_id,
            "getMemberAPITokenFromEmail": self._circle.member_api_token_from_email,
            "getMemberAPITokenFromSSOId": self._circle.member_api_token_from_sso_id,
            "getMemberAPITokenFromRefreshToken": self._circle.member_api_token_from_refresh_token,
            "revokeRefreshToken": self._circle.revoke_refresh_token,
            "revokeMemberAPIToken": self._circle.revoke_member_api_token,
        }

    def call(self, method, argument):
        self._methods[method](argument)
        _, _, status, headers, body = self._circle.seen[-1]
        return {"status": status, "headers": headers, "body": body}

    def end(self):
        pass


class NodeProgram:
    """A program in Node that reads a call from each line, and answers with a line."""

    def __init__(self, script, url, token):
        self._process = subprocess.Popen(["node", script, url, token], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         text=True)

    def call(self, method, argument):
        self._process.stdin.write(json.dumps([method, argument]) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def end(self):
        self._process.kill()
        self._process.communicate(timeout=60)


PATHS = {"getMemberAPITokenFromRefreshToken": ("PATCH", "/api/v1/headless/access_token/refresh"),
         "revokeRefreshToken": ("POST", "/api/v1/headless/refresh_token/revoke"),
         "revokeMemberAPIToken": ("POST", "/api/v1/headless/access_token/revoke")}
LOGIN = ("POST", "/api/v1/headless/auth_token")
PAIR = ["access_token", "access_token_expires_at", "community_id", "community_member_id", "refresh_token",
        "refresh_token_expires_at"]


class Programs:
    """What each program is tested with. A subclass says which, by program()."""

    @classmethod
    def setUpClass(cls):
        cls.box = ListenerBox()
        cls.addClassCleanup(cls.box.end)

    def program(self, url, token):
        raise NotImplementedError

    def started(self, url, token):
        program = self.program(url, token)
        self.addCleanup(program.end)
        return program

    def day(self, url):
        """What a program sees in a day: (method, status, keys of the reply or words of the error) of each call."""
        program = self.started(url, self.box.token)
        description = circle.Description()
        seen = []

        def call(method, argument):
            answer = program.call(method, argument)
            status, body = answer["status"], answer["body"]
            if url == self.box.listener and answer["headers"] is not None:  # circleso does not show them
                headers = {name.title(): value for name, value in answer["headers"].items()}
                verb, path = PATHS.get(method, LOGIN)
                self.assertEqual(description.problems(verb, path, status, headers, body), [], f"{method} at {url}")
            what = body and (sorted(body) if status == 200 else body["message"])
            seen.append((method, status, what))
            return body or {}

        def alive(body):
            self.assertEqual(self.box.state_of(body["access_token"]), "live", f"at {url}")
            return body["access_token"]

        ada = call("getMemberAPITokenFromCommunityMemberId", 2)
        alive(ada)
        alive(call("getMemberAPITokenFromSSOId", "sso|5"))
        grace = call("getMemberAPITokenFromEmail", "member9@example.com")  # no roster names her
        self.assertEqual((ada["community_member_id"], grace["community_member_id"]), (2, 9))
        gone = alive(grace)
        call("revokeMemberAPIToken", gone)
        self.assertEqual(self.box.state_of(gone), "revoked")
        call("revokeMemberAPIToken", gone)
        self.assertNotEqual(alive(call("getMemberAPITokenFromEmail", "member9@example.com")), gone)
        call("getMemberAPITokenFromEmail", "who@example.com")
        fresh = alive(call("getMemberAPITokenFromRefreshToken", ada["refresh_token"]))
        self.assertNotEqual(fresh, ada["access_token"])
        for method in PATHS:
            call(method, "nonsense")
        call("revokeRefreshToken", ada["refresh_token"])
        self.assertEqual(self.box.state_of(fresh), "live", "an access token outlives the refresh token")
        call("getMemberAPITokenFromRefreshToken", ada["refresh_token"])
        call("revokeRefreshToken", ada["refresh_token"])
        alive(call("getMemberAPITokenFromRefreshToken",
                   call("getMemberAPITokenFromCommunityMemberId", 2)["refresh_token"]))
        return seen

    def test_only_the_url_changes(self):
        violations = self.box.stats()["violations"]
        before, after = self.day(self.box.upstream), self.day(self.box.listener)
        self.assertEqual(before[0], ("getMemberAPITokenFromCommunityMemberId", 200, PAIR))
        self.assertEqual(before, after)
        self.assertEqual(self.box.stats()["violations"], violations)

    def test_another_token_is_refused_as_by_circle(self):
        for url in (self.box.upstream, self.box.listener):
            program = self.started(url, "other")
            self.assertEqual(program.call("getMemberAPITokenFromCommunityMemberId", 3)["status"], 401, url)


class Python(Programs, unittest.TestCase):
    def program(self, url, token):
        return PythonProgram(url, token)


class Node(Programs, unittest.TestCase):
    def program(self, url, token):
        return NodeProgram(os.path.join(circle.HERE, "drive_sdk.mjs"), url, token)


class Circleso(Programs, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = cls.box.path("circleso")
        shutil.copytree(os.path.join(circle.HERE, "circleso"), cls.folder)
        # package-lock.json has a hash of each package. No script of theirs is run.
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier",
                        "--cache", cls.box.path("npm-cache")], cwd=cls.folder, check=True, timeout=150)

    def program(self, url, token):
        return NodeProgram(os.path.join(self.folder, "drive.mjs"), url, token)


if __name__ == "__main__":
    circle.PROGRAMS = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
