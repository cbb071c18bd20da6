# SPDX-License-Identifier: ISC
"""Reads and writes capture files, and builds CARP packets of every kind."""
import hashlib
import hmac
import ipaddress
import struct

ETHERNET, RAW, NULL, LOOP, SLL, SLL2 = 1, 101, 0, 108, 113, 276


def read(path):
    """The frames of a little-endian capture file: (seconds, micros, bytes)."""
    with open(path, "rb") as f:
        data = f.read()
    assert struct.unpack_from("<I", data)[0] == 0xA1B2C3D4, path
    frames, at = [], 24
    while at < len(data):
        sec, usec, n, _ = struct.unpack_from("<IIII", data, at)
        frames.append((sec, usec, data[at + 16:at + 16 + n]))
        at += 16 + n
    return frames


def adverts(path):
    """The IP packets of protocol 112 in an Ethernet capture."""
    packets = []
    for _, _, f in read(path):
        kind = struct.unpack_from(">H", f, 12)[0]
        if kind == 0x0800 and f[23] == 112 or kind == 0x86DD and f[20] == 112:
            packets.append(f[14:])
    return packets


def write(path, frames, link=ETHERNET, order="<", magic=0xA1B2C3D4, cut=None):
    """cut: the snapshot length; frames longer than that are marked so."""
    with open(path, "wb") as f:
        f.write(struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link))
        for i, frame in enumerate(frames):
            kept = frame if cut is None else frame[:cut]
            f.write(struct.pack(order + "IIII", 1700000000 + i, 123456,
                                len(kept), len(frame)))
            f.write(kept)
    return path


def ether_type(ip):
    return 0x0800 if ip[0] >> 4 == 4 else 0x86DD


def ethernet(ip, tags=(), source=bytes.fromhex("00005e00010a")):
    frame = bytes.fromhex("01005e000012") + source
    for kind, tag in tags:
        frame += struct.pack(">HH", kind, tag)
    return frame + struct.pack(">H", ether_type(ip)) + ip


def sll(ip):
    return struct.pack(">HHH8sH", 2, 1, 6, b"", ether_type(ip)) + ip


def sll2(ip):
    return struct.pack(">HHIHBB8s", ether_type(ip), 0, 2, 1, 2, 6, b"") + ip


def loop(ip, order="<"):
    return struct.pack(order + "I", 2 if ip[0] >> 4 == 4 else 24) + ip


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def header(payload, src="10.0.0.1", dst="224.0.0.18", ttl=255, length=None,
           offset=0x4000):
    """An IP header of the family of the addresses, then the payload."""
    src, dst = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    if src.version == 6:
        n = len(payload) if length is None else length
        return struct.pack(">IHBB", 0x60000000, n, 112, ttl) + src.packed + \
            dst.packed + payload
    n = 20 + len(payload) if length is None else length
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 16, n, 0, offset, ttl, 112, 0,
                       src.packed, dst.packed)
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def digest(key, vhid, addrs, counter, lladdr=b""):
    """As carp(4): IPv4 ascending, then IPv6 ascending, then the counter."""
    addrs = sorted({ipaddress.ip_address(a) for a in addrs},
                   key=lambda a: (a.version, int(a)))
    text = b"\x02\x01" + lladdr + bytes([vhid])
    text += b"".join(a.packed for a in addrs) + struct.pack(">Q", counter)
    return hmac.new(key, text, hashlib.sha1).digest()


def advert(key=b"secret", vhid=10, base=1, skew=0, demote=0, counter=7,
           addrs=("192.0.2.1",), lladdr=b"", first=0x21, authlen=7):
    body = struct.pack(">BBBBBBHQ", first, vhid, skew, authlen, demote, base,
                       0, counter) + digest(key, vhid, addrs, counter, lladdr)
    return refit(body)


def refit(body):
    """The same with a checksum that fits."""
    body = body[:6] + b"\0\0" + body[8:]
    return body[:6] + struct.pack(">H", checksum(body[:36])) + body[8:]


def vrrp2(vrid=10, addrs=1):
    return bytes([0x21, vrid, 100, addrs, 0, 1, 0, 0]) + \
        b"\xc0\0\2\1" * addrs + bytes(8)


def vrrp3(vrid=10):
    return bytes([0x31, vrid, 100, 1, 0, 100, 0, 0]) + b"\xc0\0\2\1"
