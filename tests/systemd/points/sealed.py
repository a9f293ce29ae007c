"""Credentials that are encrypted on the disk, as rotad.service says how to have them."""

from points.rota import CREDENTIALS, first_run


def look(box, tools, report):
    circle, rota = first_run(box, tools)
    before = rota.tokens()
    calls = circle.calls()

    # By the machine's own key: a box has no TPM.
    for name in ("app-token", "store-key"):
        box.need("sh", "-ec", f'systemd-creds encrypt --with-key=host --name={name} {CREDENTIALS}/{name} '
                 f'{CREDENTIALS}/{name}.cred && rm {CREDENTIALS}/{name}')
    unit = box.need("systemctl", "cat", "rotad.service")
    lines = [line.lstrip("# ") for line in unit.splitlines()
             if line.startswith("#   LoadCredentialEncrypted=")]
    report.point("the unit says how to name two encrypted credentials", len(lines) == 2, unit)
    rota.drop_in("sealed", "\n".join(lines) + "\n")
    rota.clear()
    said = box.systemctl("restart", "rotad.service")
    report.point("with that drop-in, and no secret in clear, it starts", said.code == 0,
                 said.all + box.journal("-u", "rotad.service", "-n", "10"))
    report.point("it serves the tokens as they were", rota.tokens() == before)
    said = box.run("rota", "rotate", "id:1")
    report.point("and Circle takes its app token", said.code == 0
                 and circle.calls() == calls + 1, said.all)

    box.need("sh", "-ec", f"cp {CREDENTIALS}/app-token.cred {CREDENTIALS}/store-key.cred")
    rota.clear()
    said = box.systemctl("restart", "rotad.service")
    report.point("one put in the other's place is refused", said.code != 0, said.all)
