#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
# carpctl failover, against a socket that answers as carpd-rpc(7) says: what is
# asked and what is printed, and what is only done after a question.
import json
import os
import pty
import select
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import time

CARPCTL = os.path.join(os.environ.get("BUILD", "build"), "carpctl")
LIMIT = 20  # seconds for anything

TRANSITION = {
    "id": 7, "began": "2026-11-21T12:00:00.250Z", "from": "BACKUP",
    "to": "MASTER", "cause": "vhid 10 eth0: master is silent",
    "result": "failed", "reason": "tank: pool is suspended", "took_ms": 1512,
    "phases": [
        {"phase": "fence", "direction": "up", "at_ms": 0, "took_ms": 21,
         "ok": True, "runs": [
             {"resource": "disks", "hook": "scsi-pr", "verb": "start",
              "at_ms": 1, "took_ms": 20, "exit": 0, "reason": ""}]},
        {"phase": "storage", "direction": "up", "at_ms": 21,
         "took_ms": 1400, "ok": False, "runs": [
             {"resource": "tank", "hook": "zfs", "verb": "start",
              "at_ms": 22, "took_ms": 1399, "exit": 1,
              "reason": "pool is suspended"}]}]}
GOOD = dict(TRANSITION, id=8, result="ok", reason="", cause="force_master",
            phases=[])
PROGRESS = {
    "role": "BACKUP", "phase": "backup", "direction": None, "resources": [
        {"name": "disks", "phase": "fence", "state": "down",
         "critical": True, "reason": ""},
        {"name": "tank", "phase": "storage", "state": "down",
         "critical": True, "reason": ""},
        {"name": "nfs", "phase": "service", "state": "down",
         "critical": False, "reason": ""}]}
NO_PONG = {"code": -32002, "message": "no peer link configured (NO_PONG)"}
REASONS = [{"code": "NO_VIP", "text": "a virtual address is missing",
            "detail": "192.0.2.10 on eth0"},
           {"code": "NO_FENCED", "text": "there is no fence", "detail": ""}]


def stamp(**event):
    return dict({"time": "2026-11-21T12:00:01.000Z"}, **event)


def progress(**more):
    return stamp(event="failover.progress", **dict(PROGRESS, **more))


EVENTS = [
    stamp(event="state", interface="eth0", vhid=10, to="MASTER", cause="x"),
    stamp(event="failover.status", status="IMPORTING", cause="peer is silent"),
    progress(role="IMPORTING", phase="fence", direction="up"),
    progress(role="IMPORTING", phase="fence", direction="up",
             run={"resource": "disks", "verb": "start", "took_ms": 0.0,
                  "exit": 0}),
    progress(role="IMPORTING", phase="fence", direction="up",
             run={"resource": "disks", "hook": "scsi-pr", "verb": "start",
                  "at_ms": 0, "took_ms": 20, "exit": 0, "reason": ""}),
    progress(role="IMPORTING", phase="storage", direction="up",
             run={"resource": "tank", "verb": "start", "took_ms": 1399,
                  "exit": 1},
             resources=[dict(PROGRESS["resources"][1], state="failed",
                             reason="pool is suspended")]),
    progress(role="IMPORTING", phase="storage", direction="up",
             run={"resource": "nfs", "verb": "status", "took_ms": 2,
                  "exit": 0}),
    progress(role="IMPORTING", phase="storage down", direction="down",
             run={"resource": "nfs", "verb": "status", "took_ms": 3,
                  "exit": 3}),
    progress(role="ERROR", phase="error", direction=None),
    stamp(event="failover.disabled.reasons", reasons=["NO_VIP", "NO_FENCED"]),
    stamp(event="failover.disabled.reasons", reasons=[]),
    stamp(event="failover.status", status="ERROR", cause="storage failed"),
]


class Server:
    """Answers requests, and remembers those that ask for more than status."""

    def __init__(self, path):
        self.role = "BACKUP"
        self.config = {"id": 1, "disabled": False, "timeout": 0,
                       "master": True}
        self.control = None
        self.seen = []
        self.history = [GOOD, TRANSITION]
        self.reasons = REASONS
        self.error = {}
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        self.socket.listen(8)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.socket.accept()
            threading.Thread(target=self.serve, args=(client,),
                             daemon=True).start()

    def serve(self, client):
        try:
            with client, client.makefile("r", encoding="utf-8") as lines:
                for line in lines:
                    self.request(client, json.loads(line))
        except OSError:
            pass  # it has heard enough

    def request(self, client, r):
        answer = {"jsonrpc": "2.0", "id": r["id"]}
        answer.update(self.answer(r["method"], r["params"]))
        client.sendall(json.dumps(answer).encode() + b"\n")
        if r["method"] != "failover.progress":
            return
        for e in EVENTS:
            client.sendall(json.dumps(
                {"jsonrpc": "2.0", "method": "carp.event",
                 "params": e}).encode() + b"\n")

    def answer(self, method, params):
        if method not in ("failover.status", "failover.config"):
            self.seen.append((method, params))
        if method in self.error:
            return {"error": self.error[method]}
        result = {
            "failover.status": self.role,
            "failover.node": "A",
            "failover.licensed": False,
            "failover.in_progress": True,
            "failover.config": self.config,
            "failover.update": dict(self.config, **params),
            "failover.control": self.control,
            "failover.force_master": True,
            "failover.become_passive": None,
            "failover.get_ips": ["https://192.0.2.10",
                                 "http://[2001:db8::10]"],
            "failover.hardware": "VETH",
            "failover.disabled.reasons":
                self.reasons if params.get("detail")
                else [r["code"] for r in self.reasons],
            "failover.history": self.history,
            "failover.reboot.info":
                {"this_node": {"boot_id": "c0ffee", "reasons": ["kernel"]},
                 "other_node": None},
            "failover.unlock": None,
            "failover.progress": PROGRESS,
            "carp.subscribe": True,
        }
        if method in result:
            return {"result": result[method]}
        return {"error": NO_PONG}


class Case:
    checks = 0
    failures = 0

    def __init__(self, server, path):
        self.server = server
        self.path = path

    def expect(self, what, good, got=""):
        Case.checks += 1
        if not good:
            Case.failures += 1
            print(f"FAIL: {what}\n{got}")

    def run(self, *words, stdin=b""):
        self.server.seen.clear()
        r = subprocess.run([CARPCTL, "-s", self.path, "failover", *words],
                           input=stdin, capture_output=True, timeout=LIMIT,
                           check=False)
        return r.returncode, r.stdout.decode(), r.stderr.decode()

    def prints(self, words, stdout, seen=None, code=0, stdin=b""):
        got = self.run(*words.split(), stdin=stdin)
        self.expect(words, got[:2] == (code, stdout) and got[2] == "", got)
        if seen is not None:
            self.expect(words + ": asked", self.server.seen == seen,
                        self.server.seen)

    def fails(self, words, code, text, stdin=b"", seen=()):
        got = self.run(*(words if isinstance(words, list)
                         else words.split()), stdin=stdin)
        self.expect(words, got[0] == code and got[1] == "" and
                    text in got[2], got)
        self.expect(f"{words}: asked", self.server.seen == list(seen),
                    self.server.seen)

    def terminal(self, words, answer, until=b"? [y/N] "):
        """On a terminal: exit code, and all that was on the screen."""
        self.server.seen.clear()
        pid, fd = pty.fork()
        if pid == 0:
            os.environ["TERM"] = "dumb"
            os.execv(CARPCTL, [CARPCTL, "-s", self.path, "failover",
                               *words.split()])
        screen, echo, end = b"", None, time.monotonic() + LIMIT
        while time.monotonic() < end:
            if not select.select([fd], [], [], 0.1)[0]:
                continue
            try:
                got = os.read(fd, 4096)
            except OSError:
                break
            if not got:
                break
            screen += got
            if answer is not None and until in screen:
                echo = wait_echo(fd, until)
                os.write(fd, answer)
                answer = None
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        self.expect(f"{words}: the terminal is as it was",
                    termios.tcgetattr(fd)[3] & termios.ECHO)
        os.close(fd)
        return code, screen.decode(), echo


def wait_echo(fd, until):
    """Whether the terminal echoes, once it is ready for the answer."""
    want = not until.startswith(b"Passphrase")
    for _ in range(100):
        echo = bool(termios.tcgetattr(fd)[3] & termios.ECHO)
        if echo == want:
            break
        time.sleep(0.05)
    return echo


def words(t):
    s = t.server
    t.prints("status", "BACKUP\n")
    t.prints("node", "A\n", [("failover.node", {})])
    t.prints("licensed", "false\n")
    t.prints("in_progress", "true\n")
    t.prints("hardware", "VETH\n")
    t.prints("get_ips", "https://192.0.2.10\nhttp://[2001:db8::10]\n")
    t.prints("config", "+----------+-------+\n"
                       "|       id | 1     |\n"
                       "| disabled | false |\n"
                       "|  timeout | 0     |\n"
                       "|   master | true  |\n"
                       "+----------+-------+\n")
    t.prints("status --json", '"BACKUP"\n')
    t.prints("in_progress --json", "true\n")
    t.prints("disabled",
             "NO_VIP     a virtual address is missing: 192.0.2.10 on eth0\n"
             "NO_FENCED  there is no fence\n",
             [("failover.disabled.reasons", {"detail": True})])
    t.prints("disabled reasons --json",
             '[\n  "NO_VIP",\n  "NO_FENCED"\n]\n',
             [("failover.disabled.reasons", {})])
    s.reasons = []
    t.prints("disabled reasons", "")
    s.reasons = REASONS
    t.prints("reboot info", "this node: boot c0ffee\n"
                            "this node: should reboot: kernel\n"
                            "other node: not known\n")
    for method in ("sync_to_peer", "sync_from_peer", "upgrade_pending",
                   "upgrade_finish"):
        t.fails(method, 1, "no peer link configured (NO_PONG)",
                seen=[("failover." + method, {})])
    t.fails("sync_to_peer reboot=true", 1, "no peer link configured (NO_PONG)",
            seen=[("failover.sync_to_peer", {"reboot": True})])
    t.fails("reboot other_node", 1, "no peer link configured (NO_PONG)",
            seen=[("failover.reboot.other_node", {})])
    s.error = {"failover.status": {"code": -32002, "message": "a sentence"}}
    t.fails("status", 1, "carpctl: a sentence")
    s.error = {"failover.node": {"code": -32001, "message": "be root"}}
    t.fails("node", 4, "carpctl: be root", seen=[("failover.node", {})])
    s.error = {}


def wrong_words(t):
    for line, text in (
            ("statsu", 'did you mean "status"?'),
            ("frobnicate", '"carpctl failover help" lists them'),
            ("status now", 'failover status does not take "now"; it takes '
                           "nothing"),
            ("update", "failover update wants disabled=, timeout= or"),
            ("update timeout=121", "timeout is a number from 0 to 120, not"),
            ("update timeout=", 'not ""'),
            ("update timeout=5s", "timeout is a number from 0 to 120"),
            ("update disabled=1", 'disabled is true or false, not "1"'),
            ("update timeout=1 timeout=2", "timeout is there twice"),
            ("update tmeout=1", "it takes disabled=, timeout=, master="),
            ("update timeout", 'does not take "timeout"'),
            ("control", "wants action=ENABLE or action=DISABLE"),
            ("control action=OFF", 'action is ENABLE or DISABLE, not "OFF"'),
            ("control ENABLE DISABLE", "action is there twice"),
            ("control ENABLE active=true", "it takes action=, options.act"),
            ("become_passive hard", 'does not take "hard"'),
            ("disabled by", "takes the word reasons"),
            ("disabled reasons x", '"x" is too much'),
            ("reboot", "wants other_node or info"),
            ("reboot this", "wants other_node or info"),
            ("history limit=101", "limit is a number from 1 to 100"),
            ("watch x", '"x" is too much'),
            ("unlock a b", '"b" is too much'),
            ("status -c 3", "failover status does not take --count"),
            ("", "usage: carpctl failover COMMAND")):
        t.fails(line, 2, text)


def changes(t):
    s = t.server
    t.prints("update timeout=5", "+----------+-------+\n"
                                 "|       id | 1     |\n"
                                 "| disabled | false |\n"
                                 "|  timeout | 5     |\n"
                                 "|   master | true  |\n"
                                 "+----------+-------+\n",
             [("failover.update", {"timeout": 5})])
    s.role = "MASTER"
    code, out, _ = t.run("update", "timeout=5", "disabled=FALSE", "--json")
    t.expect("update", code == 0 and json.loads(out)["timeout"] == 5, out)
    t.expect("update asked", s.seen ==
             [("failover.update", {"timeout": 5, "disabled": False})], s.seen)
    t.prints("control action=ENABLE", "true\n",
             [("failover.control", {"action": "ENABLE"})])
    s.control = False
    t.prints("control enable", "false\n")
    s.control = True
    t.prints("control DISABLE", "true\n",
             [("failover.control", {"action": "DISABLE"})])
    t.prints("control action=DISABLE options.active=true", "true\n",
             [("failover.control",
               {"action": "DISABLE", "options": {"active": True}})])
    s.control = None
    t.prints("--yes force_master", "true\n", [("failover.force_master", {})])
    t.prints("become_passive --yes hard=true", "this node steps down\n",
             [("failover.become_passive", {"hard": True})])


# What interrupts service, or may: role, configuration, command line.
OFF = {"disabled": True}
RISKS = (
    ("BACKUP", {}, "force_master"),
    ("MASTER", {}, "force_master"),
    ("MASTER", {}, "become_passive"),
    ("MASTER", {}, "become_passive hard=true"),
    ("ERROR", {}, "control DISABLE options.active=true"),
    ("MASTER", {}, "control DISABLE options.active=false"),
    ("MASTER", {}, "control ENABLE options.active=false"),
    ("BACKUP", {}, "control ENABLE options.active=true"),
    ("BACKUP", dict(OFF, master=True), "control ENABLE"),
    ("MASTER", dict(OFF, master=False), "update disabled=false"),
    ("MASTER", {"master": True}, "update disabled=true master=false"),
    ("BACKUP", {"master": False}, "update timeout=3 master=true"),
)

SAFE = (
    ("MASTER", {}, "control DISABLE"),
    ("BACKUP", {}, "control DISABLE"),
    ("BACKUP", {}, "control DISABLE options.active=false"),
    ("MASTER", {}, "control ENABLE options.active=true"),
    ("BACKUP", {"master": True}, "control ENABLE"),
    ("BACKUP", dict(OFF, master=False), "control ENABLE"),
    ("MASTER", dict(OFF, master=True), "update disabled=false"),
    ("SINGLE", {}, "control DISABLE options.active=true"),
    ("BACKUP", {"master": True}, "update disabled=true"),
    ("BACKUP", {"master": True}, "update timeout=1"),
)


def questions(t):
    s = t.server
    plain = dict(s.config)
    for role, config, line in RISKS:
        s.role, s.config = role, dict(plain, **config)
        method = "failover." + line.split()[0]
        t.fails(line, 2, "nobody can be asked here: say --yes")
        for answer in (b"\n", b"n\n", b"yesno\n", b"\x04"):
            code, screen, _ = t.terminal(line, answer)
            t.expect(f"{line}: answer {answer}", code == 1 and
                     "nothing was done" in screen and s.seen == [], screen)
        code, screen, _ = t.terminal(line, b"y\n")
        t.expect(f"{line}: yes", code == 0 and
                 [m for m, _ in s.seen] == [method], (screen, s.seen))
        t.expect(f"{line} --yes", t.run(*line.split(), "--yes")[0] == 0)
        t.expect(f"{line} --yes asked", [m for m, _ in s.seen] == [method])
    for role, config, line in SAFE:
        s.role, s.config = role, dict(plain, **config)
        code, out, errors = t.run(*line.split())
        t.expect(line, code == 0 and len(s.seen) == 1, (out, errors))
    s.role, s.config = "BACKUP", plain


def history(t):
    s = t.server
    t.prints("history",
             "ID  BEGAN                     FROM    TO         TOOK  RESULT"
             "  CAUSE\n"
             " 8  2026-11-21T12:00:00.250Z  BACKUP  MASTER  1.512 s  ok    "
             "  force_master\n"
             " 7  2026-11-21T12:00:00.250Z  BACKUP  MASTER  1.512 s  failed"
             "  vhid 10 eth0: master is silent; tank: pool is suspended\n",
             [("failover.history", {})])
    code, out, _ = t.run("history", "limit=2", "detail=true")
    t.expect("history detail", code == 0 and s.seen ==
             [("failover.history", {"limit": 2})] and
             "  storage  up     +0.021 s  1.400 s  failed\n"
             "    tank   start  +0.022 s  1.399 s  zfs failed: pool is "
             "suspended\n" in out, out)
    code, out, _ = t.run("history", "--json")
    t.expect("history --json", json.loads(out) == s.history, out)
    s.history = [dict(GOOD, result=None)]
    code, out, _ = t.run("history")
    t.expect("history while it runs", "  running  force_master\n" in out, out)
    s.history = []
    t.prints("history", "")
    t.prints("history detail=true", "")
    s.history = [GOOD, TRANSITION]


def watch(t):
    code, out, _ = t.run("watch", "-c", "8")
    T = "2026-11-21T12:00:01.000Z "
    t.expect("watch", code == 0 and out ==
             "BACKUP\n" +
             T + "IMPORTING: peer is silent\n" +
             T + "fence up\n" +
             T + "  disks start: ok after 0.020 s\n" +
             T + "storage up\n" +
             T + "  tank start: failed after 1.399 s: pool is suspended\n" +
             T + "storage down\n" +
             T + "  nfs status: failed after 0.003 s\n" +
             T + "failover is not possible: NO_VIP NO_FENCED\n" +
             T + "failover is possible\n" +
             T + "ERROR: storage failed\n", out)
    code, out, _ = t.run("watch", "-c", "3", "--json")
    t.expect("watch --json is all of it", [json.loads(x) for x in out.splitlines()] ==
             EVENTS[1:4], out)
    code, screen, _ = t.terminal("watch -c 8", None)
    t.expect("watch on a terminal", code == 0 and
             "\r\x1b[K2026-11-21T12:00:01.000Z IMPORTING" in screen and
             "BACKUP  fence: disks down  storage: tank down  service: nfs do"
             in screen and "\r\n" == screen[-2:], screen)
    last = screen.split("\r")[-2]
    t.expect("the last line", last.strip("\x1b[K\n").startswith("ERROR  fence"),
             last)
    t.expect("no line is too wide", max(
        len(x.replace("\x1b[K", "")) for x in screen.replace(
            "\n", "\r").split("\r")) < 100, screen)


def unlock(t):
    s = t.server
    secret = "correct horse ü"
    for arg, params in (("", {}), (" tank", {"resource": "tank"})):
        want = [("failover.unlock", dict(params, passphrase=secret))]
        t.prints("unlock" + arg, "the passphrase was handed over\n", want,
                 stdin=secret.encode() + b"\n")
        t.prints("unlock" + arg, "the passphrase was handed over\n", want,
                 stdin=secret.encode())
        code, screen, echo = t.terminal(
            "unlock" + arg, secret.encode() + b"\n",
            b"Passphrase" + (b" of tank" if arg else b"") + b": ")
        t.expect("unlock on a terminal", code == 0 and s.seen == want and
                 echo is False and secret not in screen and
                 "handed over" in screen, (code, screen, s.seen))
    for stdin, text in ((b"", "is empty"), (b"\n", "is empty"),
                        (b"a\nb\n", "more than one line"),
                        (b"a\0b", "has a zero byte in it"),
                        (b"\xff\xfe", "must be text in UTF-8"),
                        (b"x" * 1025, "more than 1024 bytes"),
                        (b"x" * 9999, "more than 1024 bytes")):
        t.fails("unlock tank", 2, text, stdin=stdin)
    t.prints("unlock", "the passphrase was handed over\n",
             [("failover.unlock", {"passphrase": "x" * 1024})],
             stdin=b"x" * 1024 + b"\n")
    code, screen, _ = t.terminal("unlock", b"\x03", b"Passphrase: ")
    t.expect("interrupted", code == -2 and s.seen == [], (code, screen))
    code, screen, _ = t.terminal("unlock", b"\n", b"Passphrase: ")
    t.expect("empty on a terminal", code == 2 and s.seen == [], screen)


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "carpd.sock")
        t = Case(Server(path), path)
        for part in (words, wrong_words, changes, questions, history, watch,
                     unlock):
            part(t)
    print(f"failover: {Case.checks} checks, {Case.failures} failed")
    return 1 if Case.failures else 0


sys.exit(main())
