#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Sends CARP packets as frames: good, wrong in one way, random or replayed.

    inject.py INTERFACE VHID ADDRESS[,ADDRESS] KIND [COUNT [PAUSE]]

The passphrase is s3cret.  The kinds are the functions below.
"""
import hashlib
import hmac
import ipaddress
import os
import random
import socket
import struct
import sys
import time

ETH_IP, ETH_IP6 = 0x0800, 0x86DD


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    s = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xFFFF) + (s >> 16)
    return ~s & 0xFFFF


def advert(o, **kw):
    """The 36 bytes."""
    f = dict(vhid=o.vhid, skew=0, base=1, demote=0, first=0x21, key=b"s3cret",
             counter=os.urandom(8), addrs=o.addrs, sum=None)
    f.update(kw)
    ips = sorted({ipaddress.ip_address(a) for a in f["addrs"]},
                 key=lambda a: (a.version, int(a)))
    text = bytes([2, 1, f["vhid"]]) + b"".join(a.packed for a in ips)
    md = hmac.new(f["key"], text + f["counter"], hashlib.sha1).digest()
    head = bytes([f["first"], f["vhid"], f["skew"], 7, f["demote"], f["base"]])
    rest = f["counter"] + md
    s = checksum(head + b"\0\0" + rest) if f["sum"] is None else f["sum"]
    return head + struct.pack("!H", s) + rest


def frame4(payload, src="192.0.2.66", dst="224.0.0.18", ttl=255, ihl=5,
           length=None, mac=None):
    d = socket.inet_aton(dst)
    mac = mac or b"\x01\x00\x5e" + bytes([d[1] & 127]) + d[2:]
    n = ihl * 4 + len(payload) if length is None else length
    head = struct.pack("!BBHHHBBH", 0x40 | ihl, 0x10, n, 0, 0x4000, ttl, 112,
                       0) + socket.inet_aton(src) + d
    head += b"\x01" * (ihl * 4 - 20)
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return mac + b"\x02\0\0\0\0\x66" + struct.pack("!H", ETH_IP) + \
        head + payload


def frame6(payload, src="fe80::66", dst="ff02::12", hops=255):
    d = socket.inet_pton(socket.AF_INET6, dst)
    head = struct.pack("!IHBB", 6 << 28, len(payload), 112, hops)
    head += socket.inet_pton(socket.AF_INET6, src) + d
    return b"\x33\x33" + d[12:] + b"\x02\0\0\0\0\x66" + \
        struct.pack("!H", ETH_IP6) + head + payload


def both(payload, **kw):
    yield frame4(payload, **kw)
    yield frame6(payload)


# The kinds: each yields frames.

def good(o):
    """As a slower peer that knows the key."""
    yield from both(advert(o, skew=200))


def forged(o):
    """Skew 0, and a leave, with another key."""
    yield from both(advert(o, key=b"guess"))
    yield from both(advert(o, key=b"guess", skew=255, base=255))


def badsum(o):
    yield from both(advert(o, sum=0x1234))


def badver(o):
    yield from both(advert(o, first=0x51))


def badttl(o):
    yield frame4(advert(o), ttl=254)
    yield frame6(advert(o), hops=254)


def badvhid(o):
    yield from both(advert(o, vhid=o.vhid + 1))


def short(o):
    """Cut everywhere, from nothing at all to one byte short."""
    a = advert(o)
    for n in range(len(a)):
        yield frame4(a[:n])
        yield frame6(a[:n])


def lying(o):
    """Headers that promise more, or less, than there is."""
    a = advert(o)
    whole = frame4(a)
    for n in range(14, len(whole)):
        yield whole[:n]
    for n in (0, 19, 20, 21, 55, 57, 1500, 65535):
        yield frame4(a, length=n)
    for ihl in (0, 1, 4, 6, 15):
        f = bytearray(whole)
        f[14] = 0x40 | ihl
        yield bytes(f)


def oversized(o):
    """Another key, and as much after it as fits."""
    for n in (1, 20, 500, 1400):
        yield from both(advert(o, key=b"guess") + os.urandom(n))


def noise(o):
    """Random bytes, with and without the right start."""
    for _ in range(200):
        n = random.choice((0, 1, 7, 8, 20, 35, 36, 37, 64, 300))
        b = os.urandom(n)
        if n >= 2 and random.random() < 0.5:
            b = bytes([0x21, o.vhid]) + b[2:]
        yield from both(b)


def vrrp2(o):
    b = bytes([0x21, o.vhid, 100, 1, 0, 1, 0, 0]) + os.urandom(4) + bytes(8)
    yield frame4(b[:6] + struct.pack("!H", checksum(b)) + b[8:])


def vrrp3(o):
    b = bytes([0x31, o.vhid, 100, 1, 0, 100, 0, 0]) + os.urandom(4)
    yield frame4(b)


def replay(o):
    """What a master of this vhid has sent, word for word."""
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.bind((o.ifname, 0))
    s.settimeout(5)
    seen, end = {}, time.monotonic() + 5
    while time.monotonic() < end and len(seen) < 2:
        f = s.recv(2000)
        kind = struct.unpack("!H", f[12:14])[0]
        if kind == ETH_IP and f[23] == 112 and f[35] == o.vhid:
            seen[kind] = f
        if kind == ETH_IP6 and f[20] == 112 and f[55] == o.vhid:
            seen[kind] = f
    print("replaying %d" % len(seen), file=sys.stderr)
    o.kept = list(seen.values())
    yield from o.kept


class Options:
    pass


def main():
    o = Options()
    o.ifname, o.vhid = sys.argv[1], int(sys.argv[2])
    o.addrs = sys.argv[3].split(",")
    kind = globals()[sys.argv[4]]
    count = int(sys.argv[5]) if len(sys.argv) > 5 else 1
    pause = float(sys.argv[6]) if len(sys.argv) > 6 else 0.001
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((o.ifname, 0))
    frames, sent = list(kind(o)), 0
    for i in range(count):
        if i > 0 and kind is not replay:
            frames = list(kind(o))
        for f in frames:
            s.send(f)
            sent += 1
        time.sleep(pause)
    print(sent)


main()
