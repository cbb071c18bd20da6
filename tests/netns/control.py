# SPDX-License-Identifier: ISC
"""Clients of the control socket that behave badly, and what becomes of them.

control.py SOCKET NAME...: runs the cases that are named.  A case is a
function case_NAME; it fails by an exception.  After each case the daemon must
answer a well-behaved client.
"""

import json
import os
import resource
import select
import socket
import sys
import time

PATH = sys.argv[1]
LIMIT = 10
LINE_MAX = 65536


class Client:
    def __init__(self, rcvbuf=None):
        self.sock = socket.socket(socket.AF_UNIX)
        if rcvbuf is not None:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.sock.connect(PATH)     # waits while the backlog is full
        self.sock.settimeout(LIMIT)
        self.data = b""

    def send(self, data):
        self.sock.sendall(data)

    def line(self, limit=LIMIT):
        """The next line; None at the end."""
        self.sock.settimeout(limit)
        while b"\n" not in self.data:
            try:
                more = self.sock.recv(1 << 20)
            except ConnectionResetError:
                more = b""
            if not more:
                return None
            self.data += more
        line, self.data = self.data.split(b"\n", 1)
        return json.loads(line)

    def call(self, method, ident=1, **params):
        self.send(request(method, ident, **params))
        return self.line()

    def closed(self, limit=LIMIT):
        """Is it closed, with nothing more to read?"""
        return self.line(limit) is None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()


def request(method, ident=1, **params):
    return json.dumps({"jsonrpc": "2.0", "id": ident, "method": method,
                       "params": params}).encode() + b"\n"


def check(good, what):
    if not good:
        raise AssertionError(what)


def error(answer, code, text=""):
    check(answer is not None, "no answer")
    check("error" in answer, "no error but %s" % answer)
    check(answer["error"]["code"] == code, "not %d: %s" % (code, answer))
    check(text in answer["error"]["message"], "not %r: %s" % (text, answer))


def wait(condition, what):
    end = time.monotonic() + LIMIT
    while not condition():
        check(time.monotonic() < end, what)
        time.sleep(0.01)


def one_more():
    """One more client, if there is a place for it."""
    with Client() as c:
        try:
            answer = c.call("carp.version")
        except OSError:
            return False
        return answer is not None and "result" in answer


def alive():
    """It answers, once it has seen that the clients before are gone."""
    wait(one_more, "no version")


def all_places():
    """So many clients as may be, each of them answered."""
    n = 64 if os.getuid() == 0 else 56
    clients = []

    def all_answered():
        try:
            while len(clients) < n:
                clients.append(Client())
                answer = clients[-1].call("carp.version")
                if answer is None or "result" not in answer:
                    raise OSError("no place")
        except OSError:
            clients.pop().sock.close()
            return False
        return True
    wait(all_answered, "not %d: clients that are gone still count" % n)
    return clients


def nobody_left():
    """Connections of the case before are gone from the daemon."""
    for c in all_places():
        c.sock.close()


def case_garbage():
    for bad in (b"\n", b"\r\n"):
        with Client() as c:
            c.send(bad)
            check("result" in c.call("carp.version"), "after an empty line")
    for bad in (b"hello", b"{", b"\0\0\0", b"\xff\xfe\xfd", b"GET / HTTP/1.0",
                os.urandom(1000).replace(b"\n", b"x"), b"[" * 60000,
                b'{"a":' * 10000, b'"' + b"x" * 60000):
        with Client() as c:
            c.send(bad + b"\n")
            error(c.line(), -32700)
            check("result" in c.call("carp.version"), "after %r" % bad[:20])


def case_no_request():
    with Client() as c:
        for bad in (b"42", b"null", b"[]", b"{}", b'{"jsonrpc":"2.0"}'):
            c.send(bad + b"\n")
            error(c.line(), -32600)


def case_bytes():
    """A request of one byte a packet."""
    with Client() as c:
        for byte in request("carp.version"):
            c.send(bytes([byte]))
        check("result" in c.line(), "no result")


def case_pipeline():
    """Many requests before the first answer is read: all, in order."""
    n = 2000
    with Client() as c:
        c.send(b"".join(request("carp.version", i) for i in range(n)))
        for i in range(n):
            check(c.line()["id"] == i, "not in order")


def case_notification():
    with Client() as c:
        c.send(b'{"jsonrpc":"2.0","method":"carp.version"}\n' * 10)
        check(c.call("carp.version", "x")["id"] == "x", "answered")


def case_long_line():
    with Client() as c:
        pad = b" " * (LINE_MAX - len(request("carp.version")) + 1)
        c.send(request("carp.version")[:-1] + pad + b"\n")
        check("result" in c.line(), "the longest line is refused")
    with Client() as c:
        try:
            c.send(b"x" * (LINE_MAX + 1))
            error(c.line(), -32600, "65536")
            check(c.closed(), "not closed")
        except (BrokenPipeError, ConnectionResetError):
            pass
    with Client() as c:
        c.send(request("carp.version")[:-1] + pad + b" \n")
        error(c.line(), -32600, "65536")


def case_half():
    """An unfinished line keeps nobody else waiting; then its end comes."""
    text = request("carp.version")
    with Client() as slow:
        slow.send(text[:20])
        for _ in range(20):
            alive()
        slow.send(text[20:])
        check("result" in slow.line(), "no result")


def case_half_closed():
    """Ask, close the sending side, read the answer."""
    with Client() as c:
        c.send(request("carp.version") + request("carp.status", 2))
        c.sock.shutdown(socket.SHUT_WR)
        check(c.line()["id"] == 1 and c.line()["id"] == 2, "not answered")
        check(c.closed(), "not closed")


def case_unfinished_is_closed():
    """30 s, also if a byte comes now and then."""
    with Client() as c, Client() as idle:
        c.send(b"{")
        start = time.monotonic()
        while not select.select([c.sock], [], [], 5)[0]:
            check(time.monotonic() - start < 40, "not closed")
            c.send(b" ")
        error(c.line(), -32600, "in time")
        took = time.monotonic() - start
        check(25 < took < 35, "closed after %.1f s" % took)
        check("result" in idle.call("carp.version"), "idle was closed")


def case_many():
    clients = all_places()
    try:
        for _ in range(3):
            with Client() as late:
                error(late.line(), -32003)
                check(late.closed(), "not closed")
        clients.pop().sock.close()
        wait(one_more, "the place that was free is not given away")
    finally:
        for c in clients:
            c.sock.close()


def case_slow_reader():
    """Asks and never reads: others are answered, then he goes on reading."""
    n = 3000
    with Client() as slow:
        text = b"".join(request("carp.status", i) for i in range(n))
        slow.sock.setblocking(False)
        sent = 0
        for _ in range(200):
            try:
                sent += slow.sock.send(text[sent:])
            except BlockingIOError:
                pass
            alive()
            if sent == len(text):
                break
        slow.sock.setblocking(True)
        got = 0
        while got * len(text) < sent * n - len(text):
            check(slow.line()["id"] == got, "not in order")
            got += 1


def case_gone():
    """Asks and leaves before the answer."""
    refused = 0
    for _ in range(200):
        with Client() as c:
            try:
                c.send(request("carp.status") * 3)
            except BrokenPipeError:     # all places are theirs who have left
                refused += 1
                time.sleep(0.01)
    check(refused < 100, "%d of 200 found no place" % refused)


def case_storm():
    """Connections without end cost nobody else anything."""
    end = time.monotonic() + 2
    worst = 0
    with Client() as c:
        while time.monotonic() < end:
            for _ in range(50):
                s = socket.socket(socket.AF_UNIX)
                s.setblocking(False)
                try:
                    s.connect(PATH)
                except BlockingIOError:
                    pass
                s.close()
            start = time.monotonic()
            check("result" in c.call("carp.version"), "no result")
            worst = max(worst, time.monotonic() - start)
    print("    worst answer during a storm: %.1f ms" % (worst * 1e3))


def event(c, kind, **members):
    """Reads lines until this event comes."""
    while True:
        e = c.line()
        check(e is not None, "closed")
        if e.get("method") != "carp.event" or e["params"]["event"] != kind:
            continue
        if all(e["params"].get(k) == v for k, v in members.items()):
            return e["params"]


def case_subscribe():
    with Client() as c, Client() as other:
        check(c.call("carp.subscribe")["result"] is True, "not subscribed")
        other.call("carp.demote", cause="test", amount=7)
        e = event(c, "demotion", demotion=7)
        check(e["time"].endswith("Z") and len(e["time"]) == 24, e["time"])
        other.call("carp.demote", cause="test", amount=0)
        event(c, "demotion", demotion=0)


def case_slow_subscriber():
    """Reads no events: is closed, and nobody else waits."""
    with Client() as slow, Client() as c, Client() as good:
        check(slow.call("carp.subscribe")["result"] is True, "slow")
        check(good.call("carp.subscribe")["result"] is True, "good")
        read = 0
        start = time.monotonic()
        for i in range(20000):
            c.call("carp.demote", cause="test", amount=i % 100 + 1)
            while select.select([good.sock], [], [], 0)[0]:
                check(good.line() is not None, "the good one was closed")
                read += 1
            if time.monotonic() - start > 20:
                break
        c.call("carp.demote", cause="test", amount=0)
        check(read > 1000, "the good one read %d" % read)
        n = 0
        while slow.line() is not None:
            n += 1
        check(0 < n < i, "the slow one read %d of %d" % (n, i))


def case_force():
    status = Client().call("carp.status")["result"]
    host = status["hosts"][0]
    where = {"vhid": host["vhid"], "interface": host["interface"]}
    with Client() as c, Client() as e:
        wait(lambda: c.call("carp.show", **where)["result"]["state"] ==
             "MASTER", "not master")
        e.call("carp.subscribe")
        check(c.call("carp.force", state="backup", **where).get("result"),
              "not forced")
        event(e, "state", to="BACKUP", **where)
        show = c.call("carp.show", **where)["result"]
        check(show["state"] == "BACKUP", show["state"])
        check(show["why"].startswith("backup: "), show["why"])
        check("told to be backup" in show["why"], show["why"])
        check(c.call("carp.force", state="master", **where).get("result"),
              "not forced")
        event(e, "state", to="MASTER", **where)
        show = c.call("carp.show", **where)["result"]
        check(show["why"].startswith("master: it was told to be"),
              show["why"])


def case_reload():
    """Several wait, one leaves; all others are answered."""
    with Client() as a, Client() as b:
        with Client() as gone:
            gone.send(request("carp.reload"))
        a.send(request("carp.reload", 1) + request("carp.version", 2))
        b.send(request("carp.reload", 3) + request("carp.reload", 4))
        check(sorted(a.line()["id"] for _ in range(2)) == [1, 2], "a")
        check(sorted(b.line()["id"] for _ in range(2)) == [3, 4], "b")
    with Client() as c:
        c.send(request("carp.reload"))
        c.sock.shutdown(socket.SHUT_WR)
        check(c.line().get("result") is True, "no answer")
        check(c.closed(), "not closed")


def case_maintenance():
    """A lone master steps down once, and is master again."""
    with Client() as c, Client() as e:
        wait(lambda: c.call("carp.status")["result"]["hosts"][0]["state"] ==
             "MASTER", "not master")
        e.call("carp.subscribe")
        check(c.call("carp.maintenance", on=True).get("result"), "on")
        event(e, "state", to="BACKUP")
        status = c.call("carp.status")["result"]
        check(status["maintenance"] is True, "not in the status")
        check(status["demotion"] == [{"cause": "maintenance", "amount": 240,
                                      "remaining": None}], "no cause")
        event(e, "state", to="MASTER")
        check(c.call("carp.maintenance", on=False).get("result"), "off")
        check(c.call("carp.status")["result"]["demotion"] == [], "not off")


def case_denied():
    """As a user who is not root: reading, but no change."""
    with Client() as c:
        for method, params in (
                ("carp.demote", {"cause": "x", "amount": 1}),
                ("carp.maintenance", {"on": True}),
                ("carp.force", {"vhid": 1, "state": "backup"}),
                ("carp.reload", {})):
            error(c.call(method, **params), -32001, "uid %d" % os.getuid())
        for method in ("carp.status", "carp.version", "rpc.methods",
                       "carp.subscribe"):
            check("result" in c.call(method), method)


def case_places_for_root():
    """As a user who is not root: 56 places."""
    clients = all_places()
    with Client() as late:
        error(late.line(), -32003)
    for c in clients:
        c.sock.close()


def processor_time(pid):
    """Of a process, in seconds."""
    with open("/proc/%d/schedstat" % pid) as f:
        return int(f.read().split()[0]) / 1e9


def case_status_time():
    """How long a status takes, and a small question meanwhile."""
    with Client() as c, Client() as other:
        pid = c.call("carp.status")["result"]["pid"]
        times, others, used = [], [], []
        for _ in range(10):
            before = processor_time(pid)
            start = time.monotonic()
            c.send(request("carp.status"))
            other.call("carp.version")
            others.append(time.monotonic() - start)
            check("result" in c.line(), "no status")
            times.append(time.monotonic() - start)
            used.append(processor_time(pid) - before)
            time.sleep(0.1)     # within its share of the processor
        print("    carp.status: %.1f ms (worst %.1f ms), of these %.1f ms of "
              "processor time; carp.version beside it: %.1f ms"
              % (sorted(times)[5] * 1e3, max(times) * 1e3,
                 sorted(used)[5] * 1e3, sorted(others)[5] * 1e3))


def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
    for name in sys.argv[2:]:
        start = time.monotonic()
        globals()["case_" + name]()
        nobody_left()
        alive()
        print("    %s: %.1f s" % (name, time.monotonic() - start), flush=True)


main()
