#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Puts frames on an interface: CARP right and wrong, VRRP, garbage, echoes.

Written apart from the library, so that both cannot have the same mistake.
"""
import argparse
import hashlib
import hmac
import ipaddress
import os
import random
import socket
import struct
import sys
import time

PROTO = 112
MAC4 = bytes.fromhex("01005e000012")
MAC6 = bytes.fromhex("333300000012")


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def advert(o):
    addrs = [ipaddress.ip_address(a) for a in o.addrs.split(",") if a]
    v4 = sorted(a.packed for a in addrs if a.version == 4)
    v6 = sorted(a.packed for a in addrs if a.version == 6)
    counter = os.urandom(8)
    text = bytes([2, 1, o.vhid]) + b"".join(v4 + v6)
    key = o.key.encode().ljust(20, b"\0")
    md = hmac.new(key, text + counter, hashlib.sha1).digest()
    head = bytes([o.version << 4 | 1, o.vhid, o.skew, 7, 0, o.base])
    body = head + b"\0\0" + counter + md
    return head + struct.pack("!H", checksum(body)) + counter + md


def vrrp(o):
    if o.version == 3:
        return bytes([0x31, o.vhid, 100, 1, 0, 100, 0, 0]) + \
            ipaddress.ip_address(o.src).packed
    return bytes([0x21, o.vhid, 100, 1, 0, 1, 0, 0]) + \
        ipaddress.ip_address(o.src).packed + bytes(8)


def frame(o, payload):
    src = ipaddress.ip_address(o.src)
    mac = bytes.fromhex("00005e0001%02x" % o.vhid)
    if src.version == 4:
        dst = ipaddress.ip_address(o.dst or "224.0.0.18")
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0,
                           0x4000, o.ttl, PROTO, 0, src.packed, dst.packed)
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        kind, group = 0x0800, MAC4
    else:
        dst = ipaddress.ip_address(o.dst or "ff02::12")
        head = struct.pack("!IHBB16s16s", 6 << 28, len(payload), PROTO,
                           o.ttl, src.packed, dst.packed)
        kind, group = 0x86dd, MAC6
    if o.mac:
        group = bytes.fromhex(o.mac.replace(":", ""))
    tag = struct.pack("!HH", 0x8100, o.vlan) if o.vlan is not None else b""
    return group + mac + tag + struct.pack("!H", kind) + head + payload


def garbage(o, rnd):
    """A good advertisement, spoilt; or nothing but noise."""
    data = bytearray(frame(o, advert(o)))
    what = rnd.randrange(5)
    if what == 0:
        data = data[:rnd.randrange(14, len(data))]
    elif what == 1:
        data += bytes(rnd.randrange(1, 1400))
    elif what == 2:
        for _ in range(rnd.randrange(1, 6)):
            data[rnd.randrange(14, len(data))] = rnd.randrange(256)
    elif what == 3:
        data[14 + 9] = PROTO
        data[34:] = rnd.randbytes(rnd.randrange(0, 200))
    else:
        data[14:] = b"\x45" + rnd.randbytes(8) + b"\x70" + \
            rnd.randbytes(rnd.randrange(0, 1400))
    return bytes(data)


def reflect(o, s):
    """Sends back what was captured, as a loop in the network would."""
    s.settimeout(5)
    done = 0
    while done < o.count:
        data, where = s.recvfrom(2048)
        if where[2] == socket.PACKET_OUTGOING or data[23] != PROTO:
            continue
        s.send(data)
        done += 1


def main():
    p = argparse.ArgumentParser()
    p.add_argument("what", choices=["advert", "vrrp", "garbage", "reflect"])
    p.add_argument("ifname")
    p.add_argument("--vhid", type=int, default=10)
    p.add_argument("--base", type=int, default=1)
    p.add_argument("--skew", type=int, default=0)
    p.add_argument("--version", type=int, default=2)
    p.add_argument("--key", default="s3cret")
    p.add_argument("--addrs", default="")
    p.add_argument("--src", default="192.0.2.66")
    p.add_argument("--dst")
    p.add_argument("--mac")
    p.add_argument("--vlan", type=int)
    p.add_argument("--ttl", type=int, default=255)
    p.add_argument("--count", type=int, default=1)
    p.add_argument("--interval", type=float, default=0)
    p.add_argument("--seed", type=int, default=1)
    o = p.parse_args()
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(
        0x0003 if o.what == "reflect" else 0))
    s.bind((o.ifname, 0x0003 if o.what == "reflect" else 0))
    if o.what == "reflect":
        reflect(o, s)
        return
    rnd = random.Random(o.seed)
    for _ in range(o.count):
        if o.what == "garbage":
            s.send(garbage(o, rnd))
        else:
            s.send(frame(o, advert(o) if o.what == "advert" else vrrp(o)))
        time.sleep(o.interval)


if __name__ == "__main__":
    sys.exit(main())
