"""What the sandbox of rotad.service lets through, tried from within it; and who may open which file."""

import re

from points.harness import Broken, until
from points.rota import first_run

PROBE = "/usr/local/bin/confinement_probe"
# Settings that say how rotad is started and watched; all others are taken over for the probe.
NOT_ABOUT_CONFINEMENT = ("Type", "NotifyAccess", "ExecStart", "ExecReload", "Sockets", "WatchdogSec",
                         "Restart", "RestartSec", "RestartPreventExitStatus",
                         "RestartForceExitStatus", "ExecStartPost", "ExecStop",
                         "FileDescriptorStoreMax")

# Attempt: (the setting that denies it, what it must come to, who could do it otherwise).
ATTEMPTS = {
    "write-var": ("ProtectSystem=strict", "EROFS", "rota"),
    "write-etc": ("ProtectSystem=strict", "EROFS", "rota"),
    "write-usr": ("ProtectSystem=strict", "EROFS", "rota"),
    "map-wx": ("MemoryDenyWriteExecute", "EPERM", "rota"),
    "protect-x": ("MemoryDenyWriteExecute", "EPERM", "rota"),
    "ptrace": ("SystemCallFilter", "EPERM", "rota"),
    "setuid": ("SystemCallFilter ~@privileged", "EPERM", "rota"),
    "chown": ("SystemCallFilter ~@privileged", "EPERM", "rota"),
    "nice": ("SystemCallFilter ~@resources", "EPERM", "rota"),
    "adjtimex": ("ProtectClock", "EPERM", "rota"),
    "personality": ("LockPersonality", "EPERM", "rota"),
    "netlink": ("RestrictAddressFamilies", "EAFNOSUPPORT", "rota"),
    "packet": ("RestrictAddressFamilies", "EAFNOSUPPORT", "root"),
    "user-ns": ("RestrictNamespaces", "EPERM", "rota"),
    "mount-ns": ("RestrictNamespaces", "EPERM", "root"),
    "net-ns": ("RestrictNamespaces", "EPERM", "root"),
    "setuid-bit": ("RestrictSUIDSGID", "EPERM", "rota"),
    "setgid-bit": ("RestrictSUIDSGID", "EPERM", "rota"),
    "home": ("ProtectHome", "hidden", "rota"),
    "root-home": ("ProtectHome", "hidden", "root"),
    "tmp": ("PrivateTmp", "hidden", "rota"),
    "device": ("PrivateDevices", "hidden", "rota"),
    "proc-1": ("ProtectProc=invisible", "hidden", "rota"),
    "proc-meminfo": ("ProcSubset=pid", "hidden", "rota"),
    "tunable": ("ProtectKernelTunables, ProcSubset", "denied", "root"),
    "cgroup": ("ProtectControlGroups", "denied", "root"),
    "mount": ("no capability, SystemCallFilter", "EPERM", "root"),
    "chroot": ("no capability, SystemCallFilter", "EPERM", "root"),
    "swapoff": ("no capability, SystemCallFilter", "EPERM", "root"),
    "sethostname": ("no capability, ProtectHostname", "EPERM", "root"),
    "klog": ("ProtectKernelLogs", "EPERM", "root"),
    "realtime": ("RestrictRealtime", "EPERM", "root"),
    # Taken from the box as a whole, since the machine would feel them.
    "exec-shell": ("NoExecPaths", "EACCES", "rota"),
    "exec-memory": ("SystemCallFilter ~memfd_create", "EPERM", "rota"),
    "map-program": ("NoExecPaths", "EPERM", "rota"),
    "io-uring": ("SystemCallFilter ~@aio", "EPERM", "rota"),
    "bus": ("InaccessiblePaths", "hidden", "rota"),
    "reboot": ("no capability, SystemCallFilter", "EPERM", None),
    "module": ("ProtectKernelModules", "EPERM", None),
}
# Held twice: rotad has no capability, and few system calls. What holds even root is the setting alone.
HOLDS_ROOT = {
    "adjtimex": ("ProtectClock", "EPERM"),
    "sethostname": ("ProtectHostname", "EPERM"),
    "klog": ("ProtectKernelLogs", "EPERM"),
    "realtime": ("RestrictRealtime", "EPERM"),
    "cgroup": ("ProtectControlGroups", "EROFS"),
    "tunable": ("ProtectKernelTunables", "EROFS"),
    "mount-ns": ("RestrictNamespaces", "EPERM"),
    "net-ns": ("RestrictNamespaces", "EPERM"),
    "packet": ("RestrictAddressFamilies", "EAFNOSUPPORT"),
    "root-home": ("ProtectHome", "hidden"),
    "write-var": ("ProtectSystem=strict", "EROFS"),
}
OF_AN_UNPRIVILEGED_ROTAD = ("User", "Group", "StateDirectory", "CapabilityBoundingSet",
                            "AmbientCapabilities", "SystemCallFilter", "ProcSubset", "ProtectProc")
LET_THROUGH = ("write-state", "inet", "unix", "credential")
WAYS = {"hidden": ("ENOENT", "EACCES"), "denied": ("ENOENT", "EACCES", "EROFS", "EPERM")}


def look(box, tools, report):
    _, rota = first_run(box, tools)
    files(box, report)
    process(box, rota, report)
    attempts(box, tools, report)
    swap(box, report)


def files(box, report):
    for path, wanted in {"/var/lib/rota": "700 rota:rota", "/var/lib/rota/rota.db": "600 rota:rota",
                         "/run/rota/token.sock": "660 rota:rota-clients",
                         "/run/rota/admin.sock": "600 rota:rota"}.items():
        seen = box.run("stat", "-c", "%a %U:%G", path)
        report.point(f"{path} is {wanted}", seen.out.strip() == wanted, seen.all)
    others = box.need("find", "/var/lib/rota", "-type", "f", "!", "-perm", "0600").split()
    report.point("every file of the state directory is 0600", not others, others)


def process(box, rota, report):
    pid = rota.pid()
    status = dict(line.split(":", 1) for line in box.need("cat", f"/proc/{pid}/status").splitlines())
    seen = {name: value.split() for name, value in status.items()}
    uid = box.need("id", "-u", "rota").strip()
    gid = box.need("id", "-g", "rota").strip()
    report.point("it runs as rota alone", seen["Uid"] == [uid] * 4 and seen["Gid"] == [gid] * 4
                 and set(seen["Groups"]) <= {gid}, seen)
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        report.point(f"{name} is empty", int(seen[name][0], 16) == 0, seen[name])
    report.point("NoNewPrivs is 1", seen["NoNewPrivs"] == ["1"])
    report.point("Seccomp is 2, a filter", seen["Seccomp"] == ["2"])
    limits = box.need("cat", f"/proc/{pid}/limits")
    report.point("its limit of core files is 0",
                 re.search(r"^Max core file size +0 +0 ", limits, re.M), limits)
    report.point("nobody else's process can look at its memory: it is not dumpable",
                 box.run("stat", "-c", "%U", f"/proc/{pid}/mem").out.strip() == "root")


def results(text):
    return dict(line.split() for line in text.splitlines() if len(line.split()) == 2)


def probe_as(box, name, without=()):
    """What the probe says in place of the daemon, in rotad.service as it is installed."""
    section, kept = "", []
    for line in box.need("systemctl", "cat", "rotad.service").splitlines():
        if line.startswith("["):
            section = line
        setting = line.partition("=")[0]
        if section == "[Service]" and setting not in (*NOT_ABOUT_CONFINEMENT, *without):
            kept.append(line)
    if not any(line.startswith("LoadCredential=") for line in kept):
        raise Broken("rotad.service is not understood: " + "\n".join(kept))
    box.put(f"/run/systemd/system/{name}.service",
            "\n".join([*kept, "Type=oneshot", f"ExecStart={PROBE}", f"ExecPaths={PROBE}", ""]))
    box.need("systemctl", "daemon-reload")
    box.need("systemctl", "start", name)
    # The last line may come into the journal after the end of its process.
    until(lambda: "limit-files" in box.journal("-u", name))
    return results(box.journal("-u", name))


def attempts(box, tools, report):
    box.copy(tools.probe, PROBE)
    box.need("sh", "-ec", """
        for folder in /var/lib/box-open /etc/box-open /usr/box-open; do mkdir -m 0777 $folder; done
        mkdir -p -m 0755 /home/box /run/dbus
        for file in /home/box/open /root/box-open /tmp/box-open /dev/box-open; do
          echo open >$file; chmod 0644 $file
        done""")
    inside = probe_as(box, "rotad-probe")
    as_root = probe_as(box, "rotad-probe-root", OF_AN_UNPRIVILEGED_ROTAD)
    free = {"root": results(box.need(PROBE)), "rota": results(box.need(PROBE, user="rota"))}

    for name in LET_THROUGH:
        report.point(f"{name} is let through, as rotad needs it", inside.get(name) == "ok",
                     inside.get(name))
    for name, (setting, wanted, who) in ATTEMPTS.items():
        seen = inside.get(name, "not tried")
        report.point(f"{name} is denied ({setting})", seen in WAYS.get(wanted, (wanted,)),
                     f"{seen}, not {wanted}")
        if who is None:
            report.not_shown(f"{name} without the sandbox", "no box can do it")
            continue
        # Otherwise it would be the user, or the box, that denies it.
        otherwise = free[who].get(name, "not tried")
        reached = otherwise == "ok" or (name in ("mount", "swapoff") and otherwise == "ENOENT")
        report.point(f"{name} is possible for {who} without the sandbox", reached, otherwise)
    for name, (setting, wanted) in HOLDS_ROOT.items():
        seen = as_root.get(name, "not tried")
        report.point(f"{name} would be denied to root as well ({setting})",
                     seen in WAYS.get(wanted, (wanted,)), f"{seen}, not {wanted}")
    report.point("core files are limited to 0 and files to 8192",
                 inside.get("limit-core") == "0/0" and inside.get("limit-files") == "8192/8192", inside)


def swap(box, report):
    report.point("MemorySwapMax is 0 for the manager",
                 box.shows("rotad.service", "MemorySwapMax") == "0")
    group = box.shows("rotad.service", "ControlGroup")
    said = box.run("cat", f"/sys/fs/cgroup{group}/memory.swap.max")
    if said.code == 0:
        report.point("and for the kernel", said.out.strip() == "0", said.all)
    else:
        report.not_shown("MemorySwapMax for the kernel",
                         "the memory controller is not in this machine's cgroup v2 tree")
