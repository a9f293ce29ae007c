#!/usr/bin/env python3
"""A real Prometheus scrapes a real rotad while Circle fails, comes back, and members come and go: promtool finds no
fault with the metrics, the alert rules are evaluated, and every query of the dashboard gives data.

Usage: scrape_test.py FOLDER-OF-THE-PROGRAMS
"""

import json
import os
import re
import socket
import subprocess
import sys
import unittest
import urllib.error
import urllib.parse
import urllib.request

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "clients"))
import circle_api_test as circle

CONFIG = os.path.normpath(os.path.join(HERE, "..", "..", "config"))
RULES = os.path.join(CONFIG, "prometheus", "rota.rules.yml")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def fetch(url):
    with urllib.request.urlopen(url, timeout=30) as reply:
        return reply.read().decode()


class WatchedBox(circle.Box):
    """A rotad with metrics_listen and short-lived tokens, and a Prometheus that scrapes it each second."""

    def __init__(self):
        self.port, self.prometheus = free_port(), free_port()
        super().__init__(["--access-ttl", "60s", "--latency", "5ms"])
        self._write("prometheus.yml", json.dumps({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [RULES],
            "scrape_configs": [{"job_name": "rota", "static_configs": [{"targets": [f"127.0.0.1:{self.port}"]}]}],
        }))
        with open(self.path("prometheus.out"), "w", encoding="utf-8") as out:
            # Popen takes the last of two paths that are joined, if it is a whole one.
            self._start(["/usr/bin/prometheus", f"--config.file={self.path('prometheus.yml')}",
                         f"--storage.tsdb.path={self.path('tsdb')}", f"--web.listen-address=127.0.0.1:{self.prometheus}"],
                        out)
        circle.eventually(lambda: self.query("up{job='rota'} == 1"), "a scrape")

    def start_daemon(self):
        with open(self.path("rotad.toml"), encoding="utf-8") as file:
            text = file.read()
        if "metrics_listen" not in text:
            self._write("rotad.toml", text.replace("[serve]\n", f'[serve]\nmetrics_listen = "127.0.0.1:{self.port}"\n'))
        super().start_daemon()

    def ask(self, path):
        return json.loads(fetch(f"http://127.0.0.1:{self.prometheus}/api/v1/{path}"))["data"]

    def query(self, expression):
        try:
            return self.ask("query?" + urllib.parse.urlencode({"query": expression}))["result"]
        except urllib.error.HTTPError as error:
            if error.code == 503:
                return []  # it starts
            raise AssertionError(f"{expression}: {error.read().decode()}") from error
        except OSError:
            return []  # it does not listen yet

    def rota(self, *words):
        with open(self.path("rota.out"), "a", encoding="utf-8") as out:
            return self._start(["rota", "--socket", self.path("admin.sock"), *words], out)

    def sandbox(self, path, body):
        request = urllib.request.Request(self.upstream + path, json.dumps(body).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.read()


def queries():
    with open(os.path.join(CONFIG, "grafana", "rota.json"), encoding="utf-8") as file:
        dashboard = json.load(file)
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            expression = target["expr"].replace("$instance", ".*").replace("$__rate_interval", "30s")
            yield panel["title"], re.sub(r"\[(1h|10m)\]", "[5m]", expression)


class Scraped(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.box = WatchedBox()
        cls.addClassCleanup(cls.box.end)

    def test_promtool_finds_no_fault_with_the_metrics(self):
        text = fetch(f"http://127.0.0.1:{self.box.port}/metrics")
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60,
                              check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertNotRegex(text, r'\{[^}]*="[^"]*(@|id:|sso)', "a member in a label")

    def test_every_rule_is_evaluated(self):
        circle.eventually(lambda: self.box.query("rota:budget_used:ratio"), "a recorded series")
        seen = 0
        for group in self.box.ask("rules")["groups"]:
            for rule in group["rules"]:
                self.assertEqual((rule["health"], rule.get("lastError", "")), ("ok", ""), rule["name"])
                seen += 1
        self.assertGreater(seen, 20)

    def test_every_query_of_the_dashboard_gives_data(self):
        box = self.box
        box.sandbox("/_sandbox/faults", ["any:unavailable:1"])
        rotating = box.rota("rotate", "id:1")
        circle.eventually(lambda: box.query('rota_calls_total{outcome="transient"} > 0'), "a call that failed")
        box.sandbox("/_sandbox/faults", [])
        client = circle.HeadlessAuth(box.socket)
        self.assertEqual(client.call("POST", "/api/v1/headless/auth_token", json.dumps({"community_member_id": 1}))[0],
                         200)
        self.assertEqual(rotating.wait(60), 0, "it has its token once Circle is back")
        self.assertEqual(client.call("GET", "/v1/token?email=nobody%40example.com", "")[0], 404)
        self.assertEqual(box.rota("sign-out", "id:2").wait(60), 0)
        for title, expression in queries():
            with self.subTest(panel=title, query=expression):
                circle.eventually(lambda e=expression: box.query(e), f"data for {title}: {expression}")

    def test_a_dead_rotad_is_an_alert(self):
        self.box.kill_daemon()
        circle.eventually(lambda: self.box.query('ALERTS{alertname="RotaDown",alertstate="pending"}'), "the alert")
        self.box.start_daemon()
        circle.eventually(lambda: self.box.query("up{job='rota'} == 1"), "a scrape")


if __name__ == "__main__":
    circle.PROGRAMS = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
