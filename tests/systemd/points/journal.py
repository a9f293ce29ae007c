"""What the journal tells, what nothing may tell, and the unit that revokes."""

import json

from points.harness import until
from points.rota import APP_TOKEN, STORE_KEY, UNITS, first_run

PATTERNS = "/run/box-secrets"


def entries(box):
    text = box.run("journalctl", "--no-pager", "-q", "-u", "rotad.service", "-o", "json").out
    return [json.loads(line) for line in text.splitlines()]


def look(box, tools, report):
    # Tokens of a few seconds, so that each kind of event has been in the journal when it is looked at.
    circle, rota = first_run(box, tools, circle_options=["--access-ttl=8s"])
    rota.tokens()
    report.point("members are refreshed by themselves",
                 until(lambda: len(circle.tokens("?kind=access&community_member_id=5")) > 1, 30))
    revoke(box, circle, rota, report)
    rota.restart()
    rota.write_roster(3)
    box.need("systemctl", "reload", "rotad.service")
    shown = box.need("cat", f"/proc/{rota.pid()}/environ", f"/proc/{rota.pid()}/cmdline")
    report.point("its environment and command line have no secret", "ROTA_BOOT_ID" in shown
                 and not any(secret in shown for secret in secrets_of(circle)), shown)
    box.need("systemctl", "stop", *UNITS)

    fields(box, report)
    secrets(box, circle, report)


def revoke(box, circle, rota, report):
    token = rota.fetch(4)[1]["access_token"]
    unit = box.need("systemd-escape", "--template=rotad-revoke@.service", "id:4").strip()
    said = box.systemctl("start", unit)
    report.point(f"systemctl start {unit} ends with 0", said.code == 0,
                 said.all + box.journal("-u", unit))
    alive = [each for each in circle.tokens("?community_member_id=4") if each["state"] == "live"]
    report.point("nothing of that member is alive at Circle", not alive
                 and circle.state_of(token) in ("revoked", "expired"), alive)
    status, body = rota.fetch(4)
    report.point("nor served", status == 410 and body["code"] == "member_blocked", (status, body))
    status, body = rota.fetch(5)
    report.point("another member is as before", status == 200, (status, body))
    unit = box.need("systemd-escape", "--template=rotad-revoke@.service",
                    "email:member5@example.com").strip()
    said = box.systemctl("start", unit)
    report.point("a key that the roster does not have makes it fail, and touches nobody",
                 said.code != 0 and rota.fetch(5)[0] == 200, said.all)
    box.need("systemctl", "reset-failed", unit)
    odd_keys(box, rota, report)


def odd_keys(box, rota, report):
    """Keys that a shell, systemd or an option parser would take for something else."""
    odd = ["sso:cost$NOTHING", "sso:cost${NOTHING}", "sso:100%i %h \"x\" \\ 's", "sso:a b;c"]
    near = ["sso:cost", "sso:a"]
    rota.write_roster(5, "".join(f"[[member]]\nsso_user_id = {json.dumps(key[4:])}\n"
                                 for key in odd + near))
    box.need("systemctl", "reload", "rotad.service")
    for key in odd:
        unit = box.need("systemd-escape", "--template=rotad-revoke@.service", "--", key).strip()
        box.systemctl("start", unit)
        state = rota.admin("/v1/members/" + key)["state"]
        report.point(f"rotad-revoke@ blocks {key}, and that alone", state == "blocked"
                     and all(rota.admin("/v1/members/" + each)["state"] != "blocked"
                             for each in near), state + box.journal("-u", unit))
        box.run("systemctl", "reset-failed", unit)
    for word in ("--help", "--version", "-h"):
        unit = box.need("systemd-escape", "--template=rotad-revoke@.service", "--", word).strip()
        said = box.systemctl("start", unit)
        report.point(f"an instance named {word} fails", said.code != 0, said.all)
        box.run("systemctl", "reset-failed", unit)


def fields(box, report):
    found = entries(box)
    events = {each["EVENT"] for each in found if "EVENT" in each}
    report.point("entries have a field EVENT", len(events) > 3, events)
    report.point("a start and a stop are among them", {"ready", "stopped"} <= events, events)
    members = {each["MEMBER"] for each in found if each.get("MEMBER")}
    report.point("entries about a member have its key as MEMBER", "id:4" in members, members)
    one = box.run("journalctl", "-q", "--no-pager", "-o", "cat", "-u", "rotad.service", "MEMBER=id:4")
    report.point("journalctl finds them by it", "id:4" in one.out, one.all)
    levels = {each["PRIORITY"] for each in found if "EVENT" in each}
    report.point("entries have a priority of their own", len(levels) > 1, levels)


def secrets_of(circle):
    return sorted({each["token"] for each in circle.tokens()} | {APP_TOKEN, STORE_KEY})


def secrets(box, circle, report):
    ledger = circle.tokens()
    kinds = {each["kind"] for each in ledger}
    wanted = secrets_of(circle)
    report.point("Circle's ledger has tokens of both kinds, of every member", len(kinds) == 2
                 and {each["community_member_id"] for each in ledger} == set(range(1, 6)), kinds)
    box.put(PATTERNS, "\n".join(wanted) + "\n", "0600")
    box.need("sh", "-ec", f"journalctl -q --no-pager -a -o export >{PATTERNS}.journal")

    def found(*where):
        return box.run("grep", "-r", "-a", "-c", "-F", "-f", PATTERNS, *where)

    for what, where in {"the whole journal": f"{PATTERNS}.journal", "the state directory":
                        "/var/lib/rota", "/run/rota": "/run/rota", "/tmp and /var/tmp": "/tmp"}.items():
        seen = found(where) if what != "/tmp and /var/tmp" else found("/tmp", "/var/tmp")
        report.point(f"none of {len(wanted)} secrets is in {what}", seen.code == 1, seen.all)
    # What was searched is what there is: the trail and the lines of members are in it.
    seen = box.run("grep", "-a", "-c", "^MEMBER=id:4$", f"{PATTERNS}.journal")
    report.point("the journal that was searched has Rota's lines", seen.code == 0, seen.all)
    box.need("sh", "-ec", f"systemd-cat -t box echo 'planted {wanted[0]}'; journalctl --sync; "
             f"journalctl -q --no-pager -a -o export >{PATTERNS}.journal; "
             f"echo {wanted[-1]} >/var/lib/rota/planted")
    report.point("and a secret planted there is found", found(f"{PATTERNS}.journal").code == 0)
    report.point("as one in the state directory is", found("/var/lib/rota").code == 0)
