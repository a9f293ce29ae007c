#!/usr/bin/env python3
"""The commands of docs/guides, run as they stand there and in their order, with the paths of a rotad and a rota-sandbox
of the test's own. What needs systemd, a package or another user is listed below with the test that runs the like of it.

Usage: guides_test.py FOLDER-OF-THE-PROGRAMS
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import circle_api_test as circle

GUIDES = os.path.normpath(os.path.join(circle.HERE, "..", "..", "docs", "guides"))

# Of systemd, packages and users; in brackets the group of the systemd box that does it.
ELSEWHERE = [
    r"usermod -aG rota-clients www-data",  # [peers]
    r"systemctl restart php8\.2-fpm",
    r"rota doctor --user www-data",  # [peers]
    r"rota setup --yes --app-token-file new-token",  # [setup]
    r"apt install \./rota_.*\.deb",  # [upgrade]
    r"dpkg-deb -x rota_.*\.deb new",
    r"install -d -o rota -g rota -m 0700 /var/lib/rota",  # [install]
    r"chown rota:rota /var/lib/rota/rota\.db",
    r"rota --community shop setup --yes --app-token-file new-token --member id:1",  # [communities]
    r"systemctl (edit rota-files|(enable --now|show -p StatusText) rota-files\.service)",  # [files]
    r"journalctl -u rota-files\.service",
    r"rota revoke-all",  # asks a person; Retirement.P4RevokeAll runs it with --yes
]


def guides():
    return sorted(glob.glob(os.path.join(GUIDES, "*.md")))


def text_of(guide):
    with open(guide, encoding="utf-8") as file:
        return file.read()


def commands(guide):
    """The indented lines: a guide has nothing else that is indented by four blanks."""
    return [line.strip() for line in text_of(guide).splitlines() if line.startswith("    ")]


class GuideBox(circle.Box):
    """Has the files of the guides where the guides have them, below its own folder."""

    def __init__(self):
        super().__init__(members=60)
        self._write("members.csv", "Name,Email,Member ID\n" + "".join(
            f"Member {n},member{n}@example.com,{n}\n" for n in range(1, 51)))
        files = re.search(r"```toml\n(\[\[file\]\].*?)```", text_of(os.path.join(GUIDES, "token-files.md")), re.S)
        self._write("files.toml", files[1].replace('"app"', '"root"'))

        # For guides that say to bring it here from elsewhere. That an earlier key is needed, and does, is tested in
        # tests/e2e/backup_test.cc.
        shutil.copy(self.path("store-key"), self.path("store-key.old"))

    def start_daemon(self):
        roster = self.path("roster.toml")
        with open(roster, "r+", encoding="utf-8") as file:
            if "= 42" not in file.read():
                file.write("[[member]]\ncommunity_member_id = 42\n")
        super().start_daemon()

    def run(self, command):
        words = re.sub(r"^sudo (-u www-data )?", "", command)
        if match := re.fullmatch(r"systemctl (\w+(?: --now)?) (rotad.*)", words):
            return self.systemctl(match[1])
        config = self.path("rotad.toml")
        words = re.sub(r"^rota (--community|-C) shop ", "rota ", words)  # the community of this box
        for theirs, ours in (("/etc/rota/credentials/store-key", self.path("store-key")),
                             ("/etc/rota/roster.toml", self.path("roster.toml")), ("/etc/rota ", config + " "),
                             ("/var/lib/rota/rota.db", self.path("rota.db")), ("/run/rota/token.sock", self.socket),
                             ("/run/rota/admin.sock", self.path("admin.sock")), (" -C /", " -C " + self.path("new"))):
            words = words.replace(theirs, ours)
        os.makedirs(self.path("new"), exist_ok=True)
        words = words.replace("curl -sS ", "curl -sSf --max-time 60 ")
        words = re.sub(r"^(new/usr/bin/)?rotad ", f"{circle.PROGRAMS}/rotad --config {config} ", words)
        words = re.sub(r"^rota import (.*)", rf"{circle.PROGRAMS}/rota import \1 --config {config}", words)
        words = re.sub(r"^rota (restore|rekey)(.*)", rf"{circle.PROGRAMS}/rota \1\2 --config {config}", words)
        words = re.sub(r"(/rota restore .*)", r"\1 --yes", words)  # nobody is there to ask
        words = re.sub(r"^rota files(.*)", rf"{circle.PROGRAMS}/rota files\1 --config {self.path('files.toml')}", words)
        words = re.sub(r"^rota doctor", f"{circle.PROGRAMS}/rota --socket {self.path('admin.sock')} doctor --config "
                                        f"{config}", words)
        words = re.sub(r"^rota ", f"{circle.PROGRAMS}/rota --socket {self.path('admin.sock')} ", words)
        done = subprocess.run(["bash", "-c", words], cwd=self.folder, capture_output=True, text=True, timeout=120,
                              check=False, stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout + done.stderr

    def systemctl(self, verb):
        if verb in ("stop", "restart", "disable --now"):
            self._daemon.terminate()
            self._daemon.wait(60)
        if verb in ("start", "restart", "enable --now"):
            self.start_daemon()
        return 0, ""


class Guides(unittest.TestCase):
    def test_the_index_has_every_guide(self):
        links = set(re.findall(r"\]\(([\w-]+\.md)\)", text_of(os.path.join(GUIDES, "README.md"))))
        self.assertEqual(links | {"README.md"}, {os.path.basename(guide) for guide in guides()})

    def test_every_command_works(self):
        ran = 0
        for guide in guides():
            box = GuideBox()
            with self.subTest(guide=os.path.basename(guide)):
                try:
                    for command in commands(guide):
                        bare = command.removeprefix("sudo ")
                        if any(re.fullmatch(each, bare) for each in ELSEWHERE):
                            continue
                        code, said = box.run(command)
                        # Doctor finds that this is no installed service; that it looks is what counts here.
                        if not bare.startswith("rota doctor"):
                            self.assertEqual(code, 0, f"{command}\n{said}")
                        self.assertNotIn("command line", said, command)
                        ran += 1
                finally:
                    box.end()
        self.assertGreater(ran, 20)

    def test_nothing_is_left_to_others_that_no_guide_has(self):
        everything = [command.removeprefix("sudo ") for guide in guides() for command in commands(guide)]
        for each in ELSEWHERE:
            self.assertTrue(any(re.fullmatch(each, command) for command in everything), each)


if __name__ == "__main__":
    circle.PROGRAMS = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
