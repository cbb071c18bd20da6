# SPDX-License-Identifier: ISC
"""carpctl dump on captures of other implementations and on broken ones."""
import json
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import captures as c  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "..", "data")
CARPCTL = os.path.join(os.environ.get("BUILD", "build"), "carpctl")
MEMBERS = {"time", "src", "dst", "vhid", "advbase", "advskew", "demote",
           "counter", "verdict", "ttl", "digest", "why", "bowout", "length",
           "vlan"}
SECRET = b"secret".hex()
KEY19 = b"abcdefghij123456789".hex()
MIXED = "fd77::200,10.77.0.200/24,fd77::5/64,10.77.0.5"

# file, key, addresses; packets, vhid, advbase, advskew
REAL = [
    ("ucarp-single", b"s3cret".hex(), "10.77.0.100", 8, 42, 1, 10),
    ("netbsd/nb-v4-single", SECRET, "10.77.0.100", 5, 10, 1, 0),
    ("netbsd/nb-v4-multi-unsorted", SECRET,
     "10.77.0.129,10.77.0.5,10.77.0.200", 4, 11, 1, 0),
    ("netbsd/nb-v4-empty-key", "00", "10.77.0.100", 4, 13, 1, 0),
    ("netbsd/nb-v4-key19", KEY19, "10.77.0.100", 4, 15, 1, 0),
    ("netbsd/nb-v4-vhid255-skew254", SECRET, "10.77.0.100", 3, 255, 1, 254),
    ("netbsd/nb-v4-base0-skew100", SECRET, "10.77.0.100", 8, 22, 0, 100),
    ("netbsd/nb-v6tx-v6-single", SECRET, "fd77::100", 5, 40, 1, 0),
    ("netbsd/nb-v6tx-mixed", SECRET, MIXED, 10, 42, 1, 50),
    ("netbsd/nb-v6tx-v6-linklocal-vip", SECRET, "fe80::77,fd77::100", 5, 44,
     1, 0),
]


def run(*args, stdin=None):
    return subprocess.run([CARPCTL, "dump", *args], input=stdin, timeout=60,
                          capture_output=True, env={"TZ": "UTC", "LC_ALL":
                                                    "C.UTF-8"})


class Dump(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()

    def tearDown(self):
        self.dir.cleanup()

    def path(self, name="x.pcap"):
        return os.path.join(self.dir.name, name)

    def good(self, *args, **kw):
        r = run(*args, **kw)
        self.assertEqual((r.returncode, r.stderr), (0, b""), r)
        return r.stdout.decode()

    def objects(self, *args, **kw):
        objects = [json.loads(line)
                   for line in self.good("--json", *args, **kw).splitlines()]
        for o in objects:
            self.assertEqual(set(o), MEMBERS)
        return objects

    def fails(self, code, pattern, *args, **kw):
        r = run(*args, **kw)
        self.assertEqual(r.returncode, code, r)
        self.assertRegex(r.stderr.decode(), pattern)
        self.assertRegex(r.stderr.decode(), "^carpctl: ")
        return r.stdout.decode()

    def one(self, packet, *args, link=c.RAW, **kw):
        c.write(self.path(), [packet], link=link, **kw)
        objects = self.objects("-r", self.path(), *args)
        self.assertEqual(len(objects), 1, packet.hex())
        return objects[0]

    def checked(self, packet, addrs="192.0.2.1", key=SECRET, **kw):
        return self.one(packet, "--key-hex", key, "-a", addrs, **kw)


class Real(Dump):
    """Captures of other implementations."""

    def rows(self):
        for name, *rest in REAL:
            with self.subTest(name):
                yield (os.path.join(DATA, name + ".pcap"), *rest)

    def test_right_key(self):
        for path, key, addrs, n, vhid, base, skew in self.rows():
            objects = self.objects("-r", path, "--key-hex", key, "-a", addrs)
            self.assertEqual(len(objects), n)
            for o in objects:
                self.assertEqual(
                    (o["verdict"], o["digest"], o["why"], o["vhid"],
                     o["advbase"], o["advskew"], o["ttl"], o["bowout"]),
                    ("ok", "ok", None, vhid, base, skew, 255, False))
                self.assertRegex(o["counter"], "^[0-9a-f]{16}$")
                self.assertRegex(
                    o["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
                self.assertEqual(o["length"], 76 if ":" in o["src"] else 56)

    def test_right_key_for_people(self):
        for path, key, addrs, n, vhid, base, skew in self.rows():
            text = self.good("-r", path, "--key-hex", key, "-a", addrs)
            line = re.compile(
                r"^\d\d:\d\d:\d\d\.\d{6} [0-9a-f.:]+ > [0-9a-f.:]+ vhid %d "
                r"advbase %d advskew %d demote 0 counter [0-9a-f]{16} ok$"
                % (vhid, base, skew))
            self.assertEqual(len(text.splitlines()), n)
            for got in text.splitlines():
                self.assertRegex(got, line)

    def test_without_key(self):
        for path, _, _, n, *_ in self.rows():
            objects = self.objects("-r", path)
            self.assertEqual([(o["verdict"], o["digest"]) for o in objects],
                             [("ok", "unchecked")] * n)
            for line in self.good("-r", path).splitlines():
                self.assertTrue(line.endswith(" ok (digest unchecked)"))

    def test_wrong_key(self):
        for path, _, addrs, n, *_ in self.rows():
            objects = self.objects("-r", path, "--key-hex", "7878", "-a",
                                   addrs)
            self.assertEqual(len(objects), n)
            for o in objects:
                self.assertEqual((o["verdict"], o["digest"]),
                                 ("badauth", "bad"))
                self.assertIn("other key", o["why"])

    def test_wrong_addresses(self):
        for path, key, _, n, *_ in self.rows():
            objects = self.objects("-r", path, "--key-hex", key, "-a",
                                   "198.51.100.1,2001:db8::1")
            self.assertEqual([o["verdict"] for o in objects],
                             ["badauth"] * n)

    def test_one_address_too_many(self):
        for path, key, addrs, _, *_ in self.rows():
            text = self.good("-r", path, "--key-hex", key, "-a",
                             addrs + ",198.51.100.1")
            for line in text.splitlines():
                self.assertRegex(line, " badauth: other addresses: ")
                self.assertNotIn("198.51.100.1", line)

    def test_one_address_missing(self):
        path = os.path.join(DATA, "netbsd/nb-v4-multi-unsorted.pcap")
        for o in self.objects("-r", path, "--key-hex", SECRET, "-a",
                              "10.77.0.5,10.77.0.200"):
            self.assertEqual(o["verdict"], "badauth")
            self.assertIn("addresses that were not named", o["why"])

    def test_several_a(self):
        path = os.path.join(DATA, "netbsd/nb-v4-multi-unsorted.pcap")
        for o in self.objects("-r", path, "--key-hex", SECRET, "-a",
                              "10.77.0.5", "-a", "10.77.0.200,10.77.0.129"):
            self.assertEqual(o["verdict"], "ok")

    def test_bowout(self):
        path = os.path.join(DATA, "netbsd/nb-v4-bowout.pcap")
        args = ("-r", path, "--key-hex", SECRET, "-a", "10.77.0.100")
        objects = self.objects(*args)
        self.assertEqual([o["bowout"] for o in objects],
                         [False, False, False, True])
        self.assertEqual((objects[3]["advbase"], objects[3]["advskew"]),
                         (255, 255))
        self.assertTrue(self.good(*args).endswith(" bow-out ok\n"))

    def test_key_file(self):
        path = os.path.join(DATA, "netbsd/nb-v4-single.pcap")
        key = self.path("key")
        with open(key, "w") as f:
            f.write("secret\n")
        os.chmod(key, 0o600)
        for o in self.objects("-r", path, "-k", key, "-a", "10.77.0.100"):
            self.assertEqual(o["verdict"], "ok")
        os.chmod(key, 0o644)
        self.fails(1, "key: ", "-r", path, "-k", key, "-a", "10.77.0.100")

    def test_count_and_vhid(self):
        path = os.path.join(DATA, "ucarp-single.pcap")
        self.assertEqual(len(self.objects("-r", path, "-c", "3")), 3)
        self.assertEqual(len(self.objects("-r", path, "-v", "42")), 8)
        self.assertEqual(len(self.objects("-r", path, "-v", "41")), 0)

    def test_standard_input(self):
        with open(os.path.join(DATA, "ucarp-single.pcap"), "rb") as f:
            data = f.read()
        self.assertEqual(len(self.objects("-r", "-", stdin=data)), 8)


class Built(Dump):
    """Packets that were made, or made wrong, on purpose."""

    def test_time_and_members(self):
        o = self.checked(c.header(c.advert(demote=3, skew=9, counter=0xABC)))
        self.assertEqual(o, {
            "time": "2023-11-14T22:13:20.123456Z", "src": "10.0.0.1",
            "dst": "224.0.0.18", "vhid": 10, "advbase": 1, "advskew": 9,
            "demote": 3, "counter": "0000000000000abc", "verdict": "ok",
            "digest": "ok", "why": None, "ttl": 255, "bowout": False,
            "length": 56, "vlan": None})
        self.assertEqual(
            self.good("-r", self.path()),
            "22:13:20.123456 10.0.0.1 > 224.0.0.18 vhid 10 advbase 1 advskew "
            "9 demote 3 counter 0000000000000abc ok (digest unchecked)\n")

    def test_link_types(self):
        for v6 in (False, True):
            ends = ("fe80::1", "ff02::12") if v6 else ("10.0.0.1",
                                                       "224.0.0.18")
            ip = c.header(c.advert(), *ends)
            for name, link, frame, vlan in [
                    ("Ethernet", c.ETHERNET, c.ethernet(ip), None),
                    ("802.1Q", c.ETHERNET,
                     c.ethernet(ip, [(0x8100, 0xE007)]), 7),
                    ("QinQ", c.ETHERNET,
                     c.ethernet(ip, [(0x88A8, 100), (0x8100, 9)]), 9),
                    ("SLL", c.SLL, c.sll(ip), None),
                    ("SLL2", c.SLL2, c.sll2(ip), None),
                    ("null", c.NULL, c.loop(ip), None),
                    ("null, other order", c.NULL, c.loop(ip, ">"), None),
                    ("loop", c.LOOP, c.loop(ip, ">"), None),
                    ("raw", c.RAW, ip, None)]:
                with self.subTest(name, v6=v6):
                    o = self.checked(frame, link=link)
                    self.assertEqual((o["verdict"], o["digest"], o["vlan"],
                                      o["src"]), ("ok", "ok", vlan, ends[0]))

    def test_file_formats(self):
        ip = c.header(c.advert())
        self.assertEqual(self.one(ip, order=">")["verdict"], "ok")
        o = self.one(ip, magic=0xA1B23C4D)
        self.assertEqual(o["time"], "2023-11-14T22:13:20.000123Z")

    def test_badsum(self):
        body = bytearray(c.advert())
        for i in range(36):
            body[i] ^= 0x40
            o = self.checked(c.header(bytes(body)))
            self.assertEqual(o["verdict"], "badver" if i == 0 else "badsum",
                             "byte %d" % i)
            body[i] ^= 0x40

    def test_badauth(self):
        for i in range(8, 36):
            body = bytearray(c.advert())
            body[i] ^= 1
            o = self.checked(c.header(c.refit(bytes(body))))
            self.assertEqual((o["verdict"], o["digest"]), ("badauth", "bad"))
            self.assertIn("other key", o["why"])

    def test_badauth_reasons(self):
        a, b, d = "192.0.2.1", "192.0.2.2", "2001:db8::1"
        for sent, known, why in [
                ([a], [a, b], "other addresses: the digest is over "
                              "192.0.2.1 only"),
                ([a, b], [a, b, d], "other addresses: the digest is over "
                                    "192.0.2.1, 192.0.2.2 only"),
                ([d], [a, b, d], "other addresses: the digest is over "
                                 "2001:db8::1 only"),
                ([], [a], "other addresses: the digest is over none"),
                ([a, b], [a], "other key, or addresses that were not "
                              "named")]:
            o = self.checked(c.header(c.advert(addrs=sent)), ",".join(known))
            self.assertEqual((o["verdict"], o["why"]), ("badauth", why))

    def test_lladdr(self):
        mac = bytes.fromhex("021122334455")
        text = "02:11:22:33:44:55"
        frame = c.ethernet(c.header(c.advert(lladdr=mac)), source=mac)
        o = self.checked(frame, link=c.ETHERNET)
        self.assertEqual(o["verdict"], "badauth")
        self.assertIn("with " + text, o["why"])
        o = self.one(frame, "--key-hex", SECRET, "-a", "192.0.2.1",
                     "--lladdr", text, link=c.ETHERNET)
        self.assertEqual((o["verdict"], o["digest"]), ("ok", "ok"))
        o = self.one(c.header(c.advert()), "--key-hex", SECRET, "-a",
                     "192.0.2.1", "--lladdr", text)
        self.assertEqual(o["why"], "other lladdr: the digest is without one")

    def test_badver(self):
        o = self.checked(c.header(c.advert(first=0x11)))
        self.assertEqual((o["verdict"], o["why"], o["vhid"], o["advbase"]),
                         ("badver", "version 1; CARP is 2", 10, None))

    def test_badttl(self):
        for ends in (("10.0.0.1", "224.0.0.18"), ("fe80::1", "ff02::12")):
            o = self.checked(c.header(c.advert(), *ends, ttl=254))
            self.assertEqual((o["verdict"], o["ttl"], o["digest"]),
                             ("badttl", 254, "ok"))
            self.assertIn("TTL 254", o["why"])
        o = self.checked(c.header(c.advert(), "10.0.0.1", "10.0.9.2", ttl=60))
        self.assertEqual(o["verdict"], "ok")

    def test_badlen(self):
        for n in range(36):
            o = self.checked(c.header(c.advert()[:n]))
            # What is left may have the form of VRRP.
            self.assertIn(o["verdict"], ("badlen", "vrrp"), "%d bytes" % n)
            self.assertIsNone(o["counter"])

    def test_trailing_bytes_do_not_count(self):
        o = self.checked(c.header(c.advert() + b"trailing!"))
        self.assertEqual((o["verdict"], o["length"]), ("ok", 65))

    def test_hdrops(self):
        for ip in (c.header(c.advert(), length=57),
                   c.header(c.advert(), length=19),
                   c.header(c.advert(), offset=0x2000),
                   c.header(c.advert(), "fe80::1", "ff02::12", length=37)):
            o = self.checked(ip)
            self.assertEqual((o["verdict"], o["advbase"]), ("hdrops", None))
            self.assertIn("not whole", o["why"])

    def test_cut_by_the_capture(self):
        frame = c.ethernet(c.header(c.advert()))
        for n in range(len(frame)):
            c.write(self.path(), [frame], cut=n)
            objects = self.objects("-r", self.path(), "--key-hex", SECRET,
                                   "-a", "192.0.2.1")
            self.assertEqual(len(objects), 1 if n >= 24 else 0)
            for o in objects:
                self.assertEqual((o["verdict"], o["length"]), ("hdrops", 56))
                self.assertIn("cut short", o["why"])

    def test_vrrp(self):
        for version, body in ((2, c.vrrp2()), (2, c.vrrp2(addrs=3)),
                              (3, c.vrrp3())):
            o = self.checked(c.header(body))
            self.assertEqual(
                (o["verdict"], o["why"], o["vhid"], o["advskew"]),
                ("vrrp", "VRRP version %d, not CARP" % version, 10, None))
            self.assertIn(" vrid 10 vrrp: ", self.good("-r", self.path()))

    def test_other_traffic_is_left_out(self):
        ip = bytearray(c.header(c.advert()))
        ip[9] = 6
        arp = bytes(12) + b"\x08\x06" + bytes(28)
        c.write(self.path(), [c.ethernet(bytes(ip)), arp, b"", b"\x45"])
        self.assertEqual(self.objects("-r", self.path()), [])

    def test_noise(self):
        rng = random.Random(3)
        for link, wrap in ((c.RAW, bytes), (c.ETHERNET, c.ethernet),
                           (c.SLL, c.sll), (c.SLL2, c.sll2)):
            frames = []
            for _ in range(500):
                ip = bytearray(c.header(c.advert()))
                for _ in range(rng.randrange(1, 12)):
                    ip[rng.randrange(len(ip))] = rng.randrange(256)
                frame = wrap(bytes(ip))
                frames.append(frame[:rng.randrange(len(frame) + 1)])
            c.write(self.path(), frames, link=link)
            self.objects("-r", self.path(), "--key-hex", SECRET, "-a",
                         "192.0.2.1,192.0.2.2")


class Broken(Dump):
    """Files that are none."""

    def broken(self, data):
        with open(self.path(), "wb") as f:
            f.write(data)
        return self.path()

    def test_missing(self):
        self.fails(1, "cannot read /nowhere.*: No such file", "-r",
                   "/nowhere")

    def test_not_a_capture(self):
        for data in (b"", b"\xd4\xc3\xb2", b"# not a capture file, but "
                     b"text that is longer than a header\n", bytes(100)):
            self.fails(1, "is not a capture file: ", "-r", self.broken(data))
        self.fails(1, "is not a capture file: ", "-r", self.dir.name)
        self.fails(1, "standard input is not a capture file: ", "-r", "-",
                   stdin=b"")

    def test_ends_early(self):
        path = c.write(self.path("whole.pcap"),
                       [c.ethernet(c.header(c.advert()))] * 2)
        with open(path, "rb") as f:
            data = f.read()
        one = 24 + 16 + 70
        for n in range(24, len(data)):
            if n in (24, one):
                continue
            out = self.fails(1, "x.pcap: .*trunc", "-r",
                             self.broken(data[:n]))
            self.assertEqual(len(out.splitlines()), 1 if n >= one else 0)

    def test_absurd_length(self):
        path = c.write(self.path("whole.pcap"), [])
        with open(path, "rb") as f:
            head = f.read()
        self.fails(1, "x.pcap: ", "-r", self.broken(
            head + struct.pack("<IIII", 1, 1, 0x7FFFFFFF, 0x7FFFFFFF)))

    def test_unknown_link_type(self):
        c.write(self.path(), [b"x"], link=9)
        self.fails(1, "link type PPP", "-r", self.path())


if __name__ == "__main__":
    unittest.main()
