"""A call to Circle that is under way when the service stops, or dies."""

from points.harness import Broken, stop_quietly, until
from points.rota import first_run

LATENCY = "3s"  # long enough to be met, shorter than a stop may take


def look(box, tools, report):
    circle, rota = first_run(box, tools)
    before = rota.tokens()
    circle.post("/_sandbox/options", {"latency": LATENCY})

    def under_way(member):
        """A rotation whose call Circle has, and has not answered."""
        asked = box.start("rota", "rotate", f"id:{member}")
        if not until(lambda: circle.get("/_sandbox/stats")["in_flight"]["now"] > 0):
            raise Broken("rota rotate made no call: " + str(asked.communicate()))
        return asked

    def newest(member):
        return circle.tokens(f"?kind=access&community_member_id={member}")[-1]

    asked = under_way(1)
    said = box.systemctl("stop", "rotad.service")
    stop_quietly(asked)
    made = newest(1)
    report.point("a stop waits for the call that is under way", said.code == 0 and made["delivered"]
                 and made["token"] != before[1] and box.is_state("rotad.service", "inactive"),
                 (said.all, made))
    calls = circle.calls()
    rota.start()
    status, body = rota.fetch(1)
    report.point("and what it brought is served after the start",
                 status == 200 and body["access_token"] == made["token"], (status, body))
    report.point("without another call, and without a doubt", circle.calls() == calls
                 and rota.admin("/v1/status")["doubts"] == 0, rota.admin("/v1/status"))

    asked = under_way(2)
    box.need("kill", "-KILL", str(rota.pid()))
    status, body = rota.fetch(2, query="&wait=0")
    stop_quietly(asked)
    report.point("after kill -9 with a call under way the token at hand is served on",
                 status == 200 and body["access_token"] == before[2], (status, body))
    report.point("and the reply that was lost is a doubt on record",
                 rota.admin("/v1/status")["doubts"] == 1, rota.admin("/v1/status"))
