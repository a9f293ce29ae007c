#!/usr/bin/env python3
"""The recipes of docs/token-recipes.md, run as they stand there with Debian's programs: only paths, addresses and groups
are replaced by those of a rotad, a rota-sandbox, a rota files and a server of the test's own.

Usage: recipes_test.py FOLDER-OF-THE-PROGRAMS
"""

import grp
import http.server
import os
import re
import subprocess
import sys
import threading
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import circle_api_test as circle
import pages_test as pages

PAGE = "token-recipes.md"


class Api(http.server.BaseHTTPRequestHandler):
    """Answers who has sent a token that the sandbox knows as live. A folder without files, for WebDAV."""

    box = None

    def answer(self, status, kind, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def is_good(self):
        match = re.fullmatch(r"Bearer (\S+)", self.headers.get("Authorization", ""))
        return match is not None and self.box.state_of(match[1]) == "live"

    def do_GET(self):
        self.answer(*((200, "text/plain", "hello member 1") if self.is_good() else (401, "text/plain", "no")))

    def do_PROPFIND(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self.is_good():
            return self.answer(401, "text/plain", "no")
        entry = ("<d:response><d:href>{}</d:href><d:propstat><d:prop><d:displayname>{}</d:displayname>{}</d:prop>"
                 "<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>")
        return self.answer(207, "application/xml", "<?xml version='1.0'?><d:multistatus xmlns:d='DAV:'>" +
                           entry.format("/dav/", "dav", "<d:resourcetype><d:collection/></d:resourcetype>") +
                           entry.format("/dav/hello.txt", "hello.txt", "<d:resourcetype/><d:getcontentlength>5"
                                        "</d:getcontentlength>") + "</d:multistatus>")

    def log_message(self, *_):
        pass


class RecipesBox(circle.Box):
    def __init__(self):
        super().__init__()
        Api.box = self
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        os.chmod(self.folder, 0o755)
        os.mkdir(self.path("files"), 0o755)
        group = grp.getgrgid(os.getegid()).gr_name
        tables = [block for block in pages.blocks(PAGE, "toml") if "run =" not in block]
        tables += [table.replace("job.header", "app.token").replace('format = "header"', "") for table in tables]
        self.write("files.toml", f'socket = "{self.socket}"\nrecord = "{self.path("record")}"\n' +
                   self.ours("\n".join(tables)).replace('"app"', f'"{group}"'))
        with open(self.path("files.out"), "w", encoding="utf-8") as file:
            self._start(["rota", "files", "--config", self.path("files.toml")], file)
        circle.eventually(lambda: os.path.exists(self.path("files/app.token"))
                          and os.path.exists(self.path("files/job.header")), "the files")

    def write(self, name, text):
        self._write(name, text)
        return self.path(name)

    def ours(self, text):
        for theirs, our in (("id:42", "id:1"), ("/run/rota-files", self.path("files")),
                            ("https://app.circle.so", f"http://127.0.0.1:{self.server.server_port}"),
                            ("https://files.example.com", f"http://127.0.0.1:{self.server.server_port}"),
                            ("/run/php/app.sock", self.path("php.sock")),
                            ("exec rota ", f"exec {circle.PROGRAMS}/rota --socket {self.socket} ")):
            text = text.replace(theirs, our)
        return text

    def run(self, *command, **more):
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=self.folder,
                              stdin=subprocess.DEVNULL, **more)

    def revoke(self):
        self.run(f"{circle.PROGRAMS}/rota", "--socket", self.path("admin.sock"), "revoke", "id:1")
        circle.eventually(lambda: not os.path.exists(self.path("files/app.token")), "the end of the file")

    def end(self):
        self.server.shutdown()
        super().end()


class Recipes(unittest.TestCase):
    def setUp(self):
        self.box = RecipesBox()
        self.addCleanup(self.box.end)

    def script(self, number):
        path = self.box.write(f"script{number}", self.box.ours(pages.blocks(PAGE, "sh")[number]))
        os.chmod(path, 0o700)
        return path

    def test_the_shell_job(self):
        job = self.script(0)
        done = self.box.run(job)
        self.assertEqual((done.returncode, done.stdout), (0, "hello member 1"), done.stderr)
        self.box.revoke()
        self.assertEqual(self.box.run(job).returncode, 75)

    def test_the_job_with_a_grant_of_its_own(self):
        done = self.box.run(self.script(1))
        self.assertEqual((done.returncode, done.stdout), (0, "hello member 1"), done.stderr)

    def test_the_line_of_cron_names_the_job(self):
        self.assertRegex(pages.blocks(PAGE, "cron")[0], r"^(\S+ ){5}app /usr/local/bin/circle-job$")

    def test_rclone(self):
        config = self.box.write("rclone.conf", self.box.ours(pages.blocks(PAGE, "ini")[0]))
        done = self.box.run("rclone", "--config", config, "lsf", "circle:")
        self.assertEqual((done.returncode, done.stdout), (0, "hello.txt\n"), done.stderr)

    def test_the_php_pool(self):
        # The pool's user is that of the test: it may be one without root.
        pool = re.sub(r"^(user|group|listen.owner) = .*\n", "", self.box.ours(pages.blocks(PAGE, "ini")[1]), flags=re.M)
        config = self.box.write("fpm.conf", f"[global]\nerror_log = {self.box.path('fpm.log')}\ndaemonize = no\n" + pool)
        script = self.box.write("me.php", self.box.ours(pages.blocks(PAGE, "php")[0]))
        root = ["--allow-to-run-as-root"] if os.geteuid() == 0 else []
        with subprocess.Popen(["php-fpm8.2", "-n", "-y", config, *root], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as fpm:
            try:
                circle.eventually(lambda: os.path.exists(self.box.path("php.sock")), "the pool's socket")

                def ask():
                    return self.box.run("cgi-fcgi", "-bind", "-connect", self.box.path("php.sock"),
                                        env={**os.environ, "SCRIPT_FILENAME": script, "REQUEST_METHOD": "GET"}).stdout

                self.assertTrue(ask().endswith("hello member 1"), ask())
                self.box.revoke()
                self.assertIn("503", ask())
            finally:
                fpm.terminate()


if __name__ == "__main__":
    circle.PROGRAMS = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
