# What the test asks on standard input, the client in docs/clients/rota.py answers. See clients_test.cc.
import os
import sys

from rota import MemberGone, Rota, RotaError

client = Rota(sys.argv[1], float(sys.argv[2]), bearer=os.environ.get("ROTA_TOKEN"))
last = {}
for line in sys.stdin:
    what, name, value = line.split()
    try:
        refused = last[value] if what == "refused" else None
        last[value] = client.token(**{name: value}, refused=refused)
        print("token", last[value], flush=True)
    except MemberGone as gone:
        print("gone", gone.code, flush=True)
    except RotaError as error:
        print("error", error.code, error.retry_after or 0, flush=True)
