#!/usr/bin/env python3
"""Checks what a Ledgerline server answered, offline: a second verifier.

Written from spec/formats/ledger.md alone, with nothing but Python's standard library, so that two
programs with no line in common must agree.

usage: ledgerline_verify.py event FILE --policy FILE
       ledgerline_verify.py export FILE --policy FILE
       ledgerline_verify.py consistency OLD NEW PROOF --policy FILE
       ledgerline_verify.py ledger DIR --policy FILE
       ledgerline_verify.py batch LIST

batch        LIST has such command lines, their words with tabs between; a code is printed for each

exit code    0 sound               2 signature or policy    3 not included
             4 inconsistent        5 included and erased    6 incomplete
             64 input that cannot be used
"""

import base64
import bisect
import datetime
import functools
import hashlib
import os
import re
import sys

SIGNATURE, NOT_INCLUDED, INCONSISTENT, ERASED, INCOMPLETE, MALFORMED = 2, 3, 4, 5, 6, 64

BODY_MAX = 16 * 1024 * 1024
NOTE_MAX = 64 * 1024
POLICY_MAX = 256 * 1024
FILE_MAX = 1024 * 1024
U64_MAX = 2**64 - 1


class Refused(Exception):
    """What is wrong, with the exit code for it."""

    def __init__(self, code, what):
        super().__init__(what)
        self.code = code


def need(holds, code, what):
    if not holds:
        raise Refused(code, what)


# --- Ed25519 (RFC 8032, section 5.1.7, without the cofactor) ----------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
ZERO = (0, 1, 1, 0)


def point_add(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def point_multiply(one, point, two=0, other=ZERO):
    """one · point + two · other, both in one pass over the bits."""
    choices = (ZERO, point, other, point_add(point, other))
    total = ZERO
    for bit in reversed(range(max(one.bit_length(), two.bit_length()))):
        total = point_add(total, total)
        choice = one >> bit & 1 | (two >> bit & 1) << 1
        if choice:
            total = point_add(total, choices[choice])
    return total


def is_zero(point):
    return point[0] % P == 0 and (point[1] - point[2]) % P == 0


def compress(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decompress(data):
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, (number & (1 << 255) - 1) % P
    x_squared = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x_squared, (P + 3) // 8, P)
    if (x * x - x_squared) % P != 0:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - x_squared) % P != 0:
        return None
    if x & 1 != sign:
        x = (P - x) % P
    return (x, y, 1, x * y % P)


BASE = decompress((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


@functools.lru_cache(maxsize=1024)
def verify_ed25519(public, message, signature):
    if len(signature) != 64:
        return False
    point, commitment = decompress(public), decompress(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if point is None or commitment is None or s >= L:
        return False
    if is_zero(point_multiply(8, point)) or is_zero(point_multiply(8, commitment)):
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    h = int.from_bytes(digest, "little") % L
    minus = (P - point[0], point[1], point[2], P - point[3])
    return compress(point_multiply(s, BASE, h, minus)) == signature[:32]


# --- Bytes and numbers as text ----------------------------------------------------------


def parse_base64(text, length=None):
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (ValueError, UnicodeEncodeError):
        raise Refused(MALFORMED, "this is not base64") from None
    need(base64.b64encode(data).decode() == text, MALFORMED, "this is not base64")
    need(length is None or len(data) == length, MALFORMED, "other bytes than belong here")
    return data


def to_base64(data):
    return base64.b64encode(data).decode()


def parse_decimal(text):
    is_number = re.fullmatch("0|[1-9][0-9]{0,19}", text, re.ASCII) is not None
    need(is_number and int(text) <= U64_MAX, MALFORMED, "this is not a decimal number")
    return int(text)


def uuid_text(data):
    digits = data.hex()
    parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
    return "-".join(parts)


def parse_uuid(text):
    form = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    if re.fullmatch(form, text, re.ASCII) is None:
        return None
    return bytes.fromhex(text.replace("-", ""))


EPOCH = datetime.datetime(1970, 1, 1)


def format_time(nanoseconds):
    seconds, fraction = divmod(nanoseconds, 10**9)
    time = EPOCH + datetime.timedelta(seconds=seconds)
    return f"{time:%Y-%m-%dT%H:%M:%S}.{fraction:09}Z"


def parse_time(text):
    form = r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{9})Z"
    match = re.fullmatch(form, text, re.ASCII)
    need(match is not None, MALFORMED, "this is not a time")
    *parts, fraction = (int(part) for part in match.groups())
    try:
        delta = datetime.datetime(*parts) - EPOCH
    except ValueError:
        raise Refused(MALFORMED, "this is not a time") from None
    nanoseconds = (delta.days * 86400 + delta.seconds) * 10**9 + fraction
    need(0 <= nanoseconds <= U64_MAX, MALFORMED, "this is not a time")
    return nanoseconds


# --- Compact JSON -----------------------------------------------------------------------

NUMBER = re.compile("-?(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
STRING = re.compile('"(?:[^"\\\\\x00-\x1f]|\\\\(?:["\\\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def scan_string(text, at):
    match = STRING.match(text, at)
    need(match is not None, MALFORMED, "this is not compact JSON")
    return match.end()


def scan_container(text, at, close, item):
    at += 1
    if text[at : at + 1] == close:
        return at + 1
    while True:
        at = item(at)
        if text[at : at + 1] == close:
            return at + 1
        need(text[at : at + 1] == ",", MALFORMED, "this is not compact JSON")
        at += 1


def scan_value(text, at, depth):
    need(depth <= 128, MALFORMED, "values lie too deep in each other")
    first = text[at : at + 1]
    if first == "{":

        def member(at):
            at = scan_string(text, at)
            need(text[at : at + 1] == ":", MALFORMED, "this is not compact JSON")
            return scan_value(text, at + 1, depth + 1)

        return scan_container(text, at, "}", member)
    if first == "[":
        return scan_container(text, at, "]", lambda at: scan_value(text, at, depth + 1))
    if first == '"':
        return scan_string(text, at)
    for word in ("true", "false", "null"):
        if text.startswith(word, at):
            return at + len(word)
    match = NUMBER.match(text, at)
    need(match is not None, MALFORMED, "this is not compact JSON")
    return match.end()


def json_object(text):
    """The members of an object: (name, value as it stands there, where the name begins)."""
    need(text[:1] == "{", MALFORMED, "this is no object")
    members = []

    def member(at):
        name_end = scan_string(text, at)
        name = json_string(text[at:name_end])
        need(text[name_end : name_end + 1] == ":", MALFORMED, "this is not compact JSON")
        end = scan_value(text, name_end + 1, 1)
        members.append((name, text[name_end + 1 : end], at))
        return end

    end = scan_container(text, 0, "}", member)
    need(end == len(text), MALFORMED, "something behind a value")
    names = [name for name, _, _ in members]
    need(len(set(names)) == len(names), MALFORMED, "two members have one name")
    return members


def json_array(text):
    need(text[:1] == "[", MALFORMED, "this is no array")
    items = []

    def item(at):
        end = scan_value(text, at, 1)
        items.append(text[at:end])
        return end

    end = scan_container(text, 0, "]", item)
    need(end == len(text), MALFORMED, "something behind a value")
    return items


def json_string(text):
    need(scan_string(text, 0) == len(text), MALFORMED, "this is no string")
    parts, at, end = [], 1, len(text) - 1
    while at < end:
        if text[at] != "\\":
            parts.append(text[at])
            at += 1
        elif text[at + 1] != "u":
            parts.append(ESCAPES.get(text[at + 1], text[at + 1]))
            at += 2
        else:
            unit = int(text[at + 2 : at + 6], 16)
            at += 6
            if 0xD800 <= unit <= 0xDBFF:
                need(text[at : at + 2] == "\\u" and at < end, MALFORMED, "half of a pair")
                low = int(text[at + 2 : at + 6], 16)
                need(0xDC00 <= low <= 0xDFFF, MALFORMED, "half of a pair")
                unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)
                at += 6
            need(not 0xD800 <= unit <= 0xDFFF, MALFORMED, "half of a pair")
            parts.append(chr(unit))
    return "".join(parts)


SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quote(text):
    def escape(character):
        if character in SHORT:
            return SHORT[character]
        return f"\\u{ord(character):04x}" if character < " " else character

    return '"' + "".join(escape(character) for character in text) + '"'


# --- The tree ---------------------------------------------------------------------------


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


EMPTY = sha256()


def leaf_hash(entry):
    return sha256(b"\0", entry)


def node_hash(left, right):
    return sha256(b"\1", left, right)


def root_of_inclusion(leaf, index, size, path):
    """RFC 9162, section 2.1.3.2."""
    need(index < size, NOT_INCLUDED, "there is no such leaf")
    at, last, root = index, size - 1, leaf
    for sibling in path:
        need(last > 0, NOT_INCLUDED, "the proof is too long")
        if at & 1 or at == last:
            root = node_hash(sibling, root)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            root = node_hash(root, sibling)
        at >>= 1
        last >>= 1
    need(last == 0, NOT_INCLUDED, "the proof is too short")
    return root


def check_consistency(old, new, path):
    """RFC 9162, section 2.1.4.2; heads are (size, root)."""
    (old_size, old_root), (new_size, new_root) = old, new

    def hold(holds):
        need(holds, INCONSISTENT, "the later tree does not hold the earlier one")

    hold(old_size <= new_size)
    hold(old_size > 0 or old_root == EMPTY)
    if old_size == 0 or old_size == new_size:
        hold(not path and (old_size < new_size or old_root == new_root))
        return
    path = list(path)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    hold(path)
    at, last = old_size - 1, new_size - 1
    while at & 1:
        at >>= 1
        last >>= 1
    earlier = later = path[0]
    for sibling in path[1:]:
        hold(last > 0)
        if at & 1 or at == last:
            earlier = node_hash(sibling, earlier)
            later = node_hash(sibling, later)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            later = node_hash(later, sibling)
        at >>= 1
        last >>= 1
    hold(last == 0 and earlier == old_root and later == new_root)


def subtrees(first, end):
    """The sizes of the largest complete subtrees over the leaves first .. end."""
    sizes = []
    while first < end:
        size = 1 << (end - first).bit_length() - 1
        if first:
            size = min(size, first & -first)
        sizes.append(size)
        first += size
    return sizes


class Edge:
    """The roots of the largest complete subtrees of a growing tree, with their sizes."""

    def __init__(self, size=0, hashes=()):
        self.size = size
        self.trees = list(zip(subtrees(0, size), hashes))

    def append(self, size, root):
        self.size += size
        while self.trees and self.trees[-1][0] == size:
            root = node_hash(self.trees.pop()[1], root)
            size *= 2
        self.trees.append((size, root))

    def root(self):
        if not self.trees:
            return EMPTY
        root = self.trees[-1][1]
        for _, left in reversed(self.trees[:-1]):
            root = node_hash(left, root)
        return root


# --- Entries ----------------------------------------------------------------------------

KINDS = ("event", "amendment", "erasure", "key_rotation", "retirement")


class Entry:
    def __init__(self, data):
        need(94 < len(data) <= 2048 and data[:4] == b"LLE1", MALFORMED, "this is no entry")
        self.data = data
        self.log_id = data[4:20]
        self.seq = int.from_bytes(data[20:28], "big")
        self.received_ns = int.from_bytes(data[28:36], "big")
        self.event_id = data[36:52]
        need(data[52:56] == b"\0\0\0\1", MALFORMED, "an entry of another schema")
        need(data[56] < len(KINDS), MALFORMED, "an entry of an unknown kind")
        self.kind = KINDS[data[56]]
        self.commit = data[57:89]
        meta = data[91:]
        need(int.from_bytes(data[89:91], "big") == len(meta), MALFORMED, "this is no entry")
        tail = b"\x01\x70application/json"
        need(meta[:2] == b"\xa2\x00" and meta.endswith(tail), MALFORMED, "other metadata")
        name = meta[2 : -len(tail)]
        for head in (1, 2, 3):
            length = len(name) - head
            if name[:head] == self.text_head(length):
                break
        else:
            raise Refused(MALFORMED, "other metadata")
        try:
            self.dataset = name[head:].decode("utf-8")
        except UnicodeDecodeError:
            raise Refused(MALFORMED, "a name that is not UTF-8") from None
        check_dataset(self.dataset)

    @staticmethod
    def text_head(length):
        if length < 0:
            return None
        if length < 24:
            return bytes([0x60 + length])
        if length < 256:
            return bytes([0x78, length])
        return b"\x79" + length.to_bytes(2, "big")

    def leaf(self):
        return leaf_hash(self.data)


def check_dataset(name):
    fits = 1 <= len(name.encode("utf-8")) <= 1934
    is_plain = not any(c < " " or "\x7f" <= c <= "\x9f" for c in name)
    need(fits and is_plain, MALFORMED, "this is no name of a dataset")


# --- Notes, keys, checkpoints -----------------------------------------------------------

SPACES = "\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


def check_key_name(name):
    is_wrong = any(c <= " " or c == "+" or c in SPACES for c in name)
    need(name and not is_wrong, MALFORMED, "this is no name of a key")


class Vkey:
    def __init__(self, text):
        parts = text.split("+", 2)
        need(len(parts) == 3, MALFORMED, "this is no vkey")
        self.text = text
        self.name = parts[0]
        check_key_name(self.name)
        key = parse_base64(parts[2], 33)
        self.type, self.public = key[0], key[1:]
        need(self.type in (1, 4), MALFORMED, "a vkey of another type")
        self.id = sha256(self.name.encode() + b"\n" + key)[:4]
        need(parts[1] == self.id.hex(), MALFORMED, "a vkey with another key id")

    def is_named_by(self, line):
        return (self.name, self.id) == line[:2]

    def check(self, message, signature):
        holds = verify_ed25519(self.public, message, signature)
        need(holds, SIGNATURE, f"the signature by {self.name} does not hold")


class Note:
    """A signed note: its text and its lines (key name, key id, signature)."""

    def __init__(self, data):
        need(len(data) <= NOTE_MAX, MALFORMED, "a note of more than 64 KiB")
        text = decode(data)
        need(not any(c < " " and c != "\n" for c in text), MALFORMED, "this is no note")
        split = text.rfind("\n\n")
        need(split >= 0 and text.endswith("\n"), MALFORMED, "this is no note")
        self.text = text[: split + 1]
        lines = text[split + 2 :]
        need(lines.endswith("\n"), MALFORMED, "this is no note")
        self.lines = [self.parse_line(line) for line in lines[:-1].split("\n")]
        need(len(self.lines) <= 64, MALFORMED, "a note with too many signatures")
        keys = {line[:2] for line in self.lines}
        need(len(keys) == len(self.lines), MALFORMED, "a note that one key signed twice")

    @staticmethod
    def parse_line(line):
        parts = line.split(" ", 2)
        need(len(parts) == 3 and parts[0] == "\u2014", MALFORMED, "this is no signature line")
        check_key_name(parts[1])
        data = parse_base64(parts[2])
        need(len(data) >= 4, MALFORMED, "this is no signature line")
        return (parts[1], data[:4], data[4:])

    def check_order(self):
        first = self.text.split("\n")[0]
        order = [(name != first, name.encode(), key_id) for name, key_id, _ in self.lines]
        need(order == sorted(order), MALFORMED, "the signature lines are not in order")


def decode(data):
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(MALFORMED, "this is not UTF-8") from None


def parse_checkpoint(text):
    lines = text.split("\n")
    need(len(lines) == 4 and lines[3] == "" and lines[0], MALFORMED, "this is no checkpoint")
    return lines[0], (parse_decimal(lines[1]), parse_base64(lines[2], 32))


def log_of_origin(origin):
    need(origin.startswith("logs.") and "/" in origin, MALFORMED, "this is no origin of a log")
    host, log_id = origin[5:].split("/", 1)
    check_key_name(host)
    log_id = parse_uuid(log_id)
    need(log_id is not None, MALFORMED, "this is no origin of a log")
    return log_id


# --- Policies ---------------------------------------------------------------------------


class Policy:
    def __init__(self, data):
        need(len(data) <= POLICY_MAX, MALFORMED, "a policy of more than 256 KiB")
        is_plain = all(b in (9, 10) or 0x20 <= b <= 0x7E or b >= 0x80 for b in data)
        need(is_plain, MALFORMED, "a policy with a control character")
        self.logs, self.witnesses, self.groups = [], [], []
        self.names, self.members, self.quorum = set(), set(), False
        for line in data.split(b"\n"):
            words = line.replace(b"\t", b" ").split(b" ")
            words = [word for word in words if word]
            if words and not words[0].startswith(b"#"):
                self.add(words)
        need(self.quorum is not False, MALFORMED, "a policy without a quorum")

    def add(self, words):
        if words[0] == b"log" and len(words) in (2, 3):
            self.logs.append(self.key(words[1], 1, self.logs))
            need(len(self.logs) <= 1024, MALFORMED, "a policy with too many lines")
        elif words[0] == b"witness" and len(words) in (3, 4):
            key = self.key(words[2], 4, [key for _, key in self.witnesses])
            self.define(words[1])
            self.witnesses.append((words[1], key))
        elif words[0] == b"group" and len(words) >= 3:
            members = words[3:]
            if words[2] == b"all":
                threshold = len(members)
            elif words[2] == b"any":
                threshold = 1
            else:
                threshold = parse_decimal(words[2].decode("utf-8", "replace"))
            need(1 <= threshold <= len(members), MALFORMED, "a group that cannot be reached")
            for member in members:
                need(member not in self.members, MALFORMED, "a member twice")
                need(member in self.names, MALFORMED, "an unknown member")
                self.members.add(member)
            self.define(words[1])
            self.groups.append((words[1], threshold, members))
        elif words[0] == b"quorum" and len(words) == 2:
            need(self.quorum is False, MALFORMED, "two quorums")
            is_known = words[1] == b"none" or words[1] in self.names
            need(is_known, MALFORMED, "an unknown quorum")
            self.quorum = None if words[1] == b"none" else words[1]
        else:
            raise Refused(MALFORMED, "this is no line of a policy")

    def define(self, name):
        is_new = name != b"none" and name not in self.names
        need(is_new and len(self.names) < 1024, MALFORMED, "a name twice")
        self.names.add(name)

    @staticmethod
    def key(word, type_byte, others):
        key = Vkey(decode(word))
        need(key.type == type_byte, MALFORMED, "a key for another use")
        is_new = all(key.public != other.public for other in others)
        need(is_new, MALFORMED, "a key twice")
        return key

    def check_logs(self, note, origin):
        """The keys of the log that signed the note."""
        signed = []
        for line in note.lines:
            for key in self.logs:
                if key.is_named_by(line):
                    key.check(note.text.encode(), line[2])
                    if key.name == origin:
                        signed.append(key)
        need(signed, SIGNATURE, "no known key of the log signed it")
        return signed

    def open(self, note):
        """The checkpoint in a note: its origin and its head."""
        origin, head = parse_checkpoint(note.text)
        note.check_order()
        self.check_logs(note, origin)
        seen = set()
        for line in note.lines:
            for name, key in self.witnesses:
                if key.is_named_by(line):
                    time = int.from_bytes(line[2][:8], "big")
                    is_time = len(line[2]) >= 8 and time < 2**63
                    need(is_time, SIGNATURE, "a cosignature without a time")
                    message = f"cosignature/v1\ntime {time}\n{note.text}"
                    key.check(message.encode(), line[2][8:])
                    seen.add(name)
        for name, threshold, members in self.groups:
            if sum(member in seen for member in members) >= threshold:
                seen.add(name)
        is_reached = self.quorum is None or self.quorum in seen
        need(is_reached, SIGNATURE, "too few witnesses cosigned the checkpoint")
        return origin, head


# --- Payloads and bodies ----------------------------------------------------------------

RESERVED = ("seq", "received_at", "history", "proof", "erased")


def parse_ranges(text):
    runs = []
    for run in json_array(text):
        ends = json_array(run)
        need(len(ends) == 2, MALFORMED, "a run has two ends")
        runs.append((parse_decimal(ends[0]), parse_decimal(ends[1])))
    do_rise = all(one[1] < two[0] for one, two in zip(runs, runs[1:]))
    are_runs = all(first <= last for first, last in runs)
    need(runs and do_rise and are_runs, MALFORMED, "these are no rising runs")
    return runs


class Payload:
    def __init__(self, text):
        members = {name: value for name, value, _ in json_object(text)}
        need(not any(name in members for name in RESERVED), MALFORMED, "a reserved member")

        def raw(name):
            need(name in members, MALFORMED, f"a payload without {name}")
            return members[name]

        def string(name):
            return json_string(raw(name))

        self.text = text
        self.kind = string("kind") if "kind" in members else "event"
        self.removes, self.last, self.rotation = None, None, None
        if self.kind == "amendment":
            self.amends = (string("amends"), parse_decimal(raw("amends_seq")))
            self.last = self.amends[1]
        elif self.kind in ("erasure", "retirement"):
            self.removes = parse_ranges(raw("erases" if self.kind == "erasure" else "retires"))
            self.last = self.removes[-1][1]
        elif self.kind == "key_rotation":
            keys = [Vkey(string("old_key")), Vkey(string("new_key"))]
            names = ("old_signature", "new_signature")
            self.rotation = keys, [parse_base64(string(name), 64) for name in names]
        else:
            need("kind" not in members, MALFORMED, "an unknown kind of payload")
        self.id = string("id")

    def check_rotation(self, origin):
        if self.rotation is None:
            return
        log_id = uuid_text(log_of_origin(origin))
        keys, signatures = self.rotation
        message = f"ll/rotation/1\n{log_id}\n{keys[0].text}\n{keys[1].text}\n".encode()
        for key, signature in zip(keys, signatures):
            is_of_log = key.type == 1 and key.name == origin
            need(is_of_log, SIGNATURE, "a rotation of another log's key")
            key.check(message, signature)


def place(entry):
    return f'"seq":{entry.seq},"received_at":"{format_time(entry.received_ns)}"'


class Shown:
    """How inclusion is shown: the members of a proof from `entry` on, by the form of the body."""

    def __init__(self, members, form):
        need(members and members[0][0] == "entry", MALFORMED, "a proof without an entry")
        self.entry = Entry(parse_base64(json_string(members[0][1])))
        self.text = f'"entry":"{to_base64(self.entry.data)}"'
        names = [name for name, _, _ in members[1:]]
        expected = {"answer": ["tlog_proof"], "filter": ["path"], "range": []}[form]
        need(names == expected, MALFORMED, "a proof with other members")
        if form == "answer":
            self.proof = json_string(members[1][1])
            self.text += f',"tlog_proof":{quote(self.proof)}'
        elif form == "filter":
            items = json_array(members[1][1])
            need(len(items) <= 64, MALFORMED, "a path that is too long")
            self.path = [parse_base64(json_string(item), 32) for item in items]
            path = ",".join(f'"{to_base64(sibling)}"' for sibling in self.path)
            self.text += f',"path":[{path}]'


class Body:
    def __init__(self, text, form):
        members = json_object(text)
        names = [name for name, _, _ in members]
        need("seq" in names, MALFORMED, "a body without a place")
        begin = names.index("seq")
        tail = names[begin:]
        has_history = form == "answer" and tail == ["seq", "received_at", "history", "proof"]
        is_known = has_history or tail == ["seq", "received_at", "proof"]
        need(is_known, MALFORMED, "a body with other members")
        before = text[1 : members[begin][2]]
        payload = "{" + (before[:-1] if before.endswith(",") else "") + "}"
        proof = json_object(members[-1][1])
        need(proof and proof[0][0] == "salt", MALFORMED, "a proof without a salt")
        salt = parse_base64(json_string(proof[0][1]), 32)
        self.shown = Shown(proof[1:], form)
        self.entry = self.shown.entry
        items = json_array(members[begin + 2][1]) if has_history else []
        self.history = [Body(item, form) for item in items]
        self.payload = Payload(payload)
        self.check_payload(salt)
        self.check_history()
        parts = [payload[:-1], place(self.entry)]
        if self.history:
            parts.append(f'"history":[{",".join(body.text for body in self.history)}]')
        parts.append(f'"proof":{{"salt":"{to_base64(salt)}",{self.shown.text}}}}}')
        self.text = ",".join(parts)
        need(self.text == text, NOT_INCLUDED, "the body is written otherwise")

    def check_payload(self, salt):
        payload, entry = self.payload, self.entry
        need(payload.kind == entry.kind, NOT_INCLUDED, "another kind than its entry")
        data = payload.text.encode()
        blob = sha256(b"ll/blob/1", salt, len(data).to_bytes(8, "big"), data)
        commit = sha256(b"ll/payload/1", blob, b"\0\0")
        need(commit == entry.commit, NOT_INCLUDED, "another payload than its entry's")
        event_id = parse_uuid(payload.id)
        if event_id is None:
            event_id = sha256(b"ll/id/1", salt, payload.id.encode())[:16]
        need(event_id == entry.event_id, NOT_INCLUDED, "another id than its entry's")
        is_earlier = payload.last is None or payload.last < entry.seq
        need(is_earlier, NOT_INCLUDED, "it speaks of later entries")

    def check_history(self):
        need(not self.history or self.entry.kind == "event", MALFORMED, "a history of no event")
        last = self.entry.seq
        for body in self.history:
            need(not body.history, MALFORMED, "a history in a history")
            need(body.payload.kind == "amendment", NOT_INCLUDED, "a history of others")
            is_of_this = body.payload.amends == (self.payload.id, self.entry.seq)
            is_of_log = body.entry.log_id == self.entry.log_id
            need(is_of_this and is_of_log, NOT_INCLUDED, "a history of another event")
            need(body.entry.seq > last, NOT_INCLUDED, "a history out of order")
            last = body.entry.seq


class Erased:
    def __init__(self, text, form):
        members = json_object(text)
        names = [name for name, _, _ in members]
        expected = ["id", "seq", "received_at", "proof"]
        if form == "answer":
            expected.append("erasure")
        need(names == expected, MALFORMED, "an erased event with other members")
        self.shown = Shown(json_object(members[3][1]), form)
        self.entry = self.shown.entry
        self.erasure = None
        event_id = uuid_text(self.entry.event_id)
        expected = f'{{"id":"{event_id}",{place(self.entry)},"proof":{{{self.shown.text}}}'
        if form == "answer":
            self.erasure = Body(members[4][1], form)
            runs = self.erasure.payload.removes or []
            names_this = any(first <= self.entry.seq <= last for first, last in runs)
            is_of_log = self.erasure.entry.log_id == self.entry.log_id
            need(names_this and is_of_log, NOT_INCLUDED, "an erasure of others")
            expected += f',"erasure":{self.erasure.text}'
        need(expected + "}" == text, NOT_INCLUDED, "it is written otherwise")


# --- The commands -----------------------------------------------------------------------


class Seen:
    """The heads that the checkpoints of one body have."""

    def __init__(self, policy):
        self.policy = policy
        self.heads = {}

    def check(self, shown):
        entry, header = shown.entry, "c2sp.org/tlog-proof@v1\n"
        need(shown.proof.startswith(header), MALFORMED, "this is no proof")
        lines, split, note = shown.proof[len(header) :].partition("\n\n")
        lines = lines.split("\n")
        is_proof = split and lines[0].startswith("index ")
        need(is_proof, MALFORMED, "this is no proof")
        index = parse_decimal(lines[0][6:])
        path = [parse_base64(line, 32) for line in lines[1:]]
        need(len(path) <= 64, MALFORMED, "this is no proof")
        note = Note(note.encode())
        note.check_order()
        origin, head = self.policy.open(note)
        log_id = log_of_origin(origin)
        need(log_id == entry.log_id, NOT_INCLUDED, "an entry of another log")
        need(index == entry.seq, NOT_INCLUDED, "a proof of another place")
        root = root_of_inclusion(entry.leaf(), index, head[0], path)
        need(root == head[1], NOT_INCLUDED, "the proof does not lead to the root")
        root = self.heads.setdefault((origin, head[0]), head[1])
        need(root == head[1], INCONSISTENT, "two trees of one size")
        return origin


def event(data, policy):
    need(len(data) <= BODY_MAX, MALFORMED, "a body of more than 16 MiB")
    text = decode(data)
    if text.endswith("\n"):
        text = text[:-1]
    seen = Seen(policy)
    for name, value, _ in json_object(text):
        if name == "erased":
            erased = Erased(value, "answer")
            seen.check(erased.shown)
            seen.check(erased.erasure.shown)
            verb = "ERASED" if erased.erasure.entry.kind == "erasure" else "RETIRED"
            return ERASED, f"INCLUDED, {verb} BY seq {erased.erasure.entry.seq}"
    body = Body(text, "answer")
    body.payload.check_rotation(seen.check(body.shown))
    for amendment in body.history:
        seen.check(amendment.shown)
    return 0, f"INCLUDED\nseq {body.entry.seq}"


MEMBERS = ("manifest", "checkpoint", "events.ndjson", "erasures.ndjson", "range.proof")


def tar_header(name, size):
    fields = (
        (0, name.encode()),
        (100, b"0000644\0" + b"0000000\0" * 2),
        (124, b"%011o\0" % size + b"00000000000\0"),
        (148, b"        0"),
        (257, b"ustar\x0000"),
        (329, b"0000000\0" * 2),
    )
    header = bytearray(512)
    for at, field in fields:
        header[at : at + len(field)] = field
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


class Archive:
    def __init__(self, file):
        self.file = file
        self.members = []
        length = file.seek(0, os.SEEK_END)
        at = 0
        while length - at > 1024:
            need(len(self.members) < len(MEMBERS), MALFORMED, "too many members")
            header = self.read(at, 512)
            digits = header[124:135]
            is_size = re.fullmatch(b"[0-7]{11}", digits) is not None
            need(is_size, MALFORMED, "a member without a size")
            size = int(digits, 8)
            expected = tar_header(MEMBERS[len(self.members)], size)
            need(header == expected, MALFORMED, "another header")
            at += 512
            self.members.append((at, size))
            at += size
            padding = -size % 512
            need(at + padding + 1024 <= length, MALFORMED, "the bundle is cut short")
            need(not any(self.read(at, padding)), MALFORMED, "something between members")
            at += padding
        is_end = length - at == 1024 and not any(self.read(at, 1024))
        need(is_end, MALFORMED, "the bundle ends otherwise")
        need(len(self.members) >= 4, MALFORMED, "too few members")

    def read(self, at, size):
        self.file.seek(at)
        data = self.file.read(size)
        need(len(data) == size, MALFORMED, "the bundle is cut short")
        return data

    def member(self, number, size_max):
        at, size = self.members[number]
        need(size <= size_max, MALFORMED, "a member that is too large")
        return self.read(at, size)

    def lines(self, number, take):
        at, size = self.members[number]
        digest = hashlib.sha256()
        end = at + size
        while at < end:
            self.file.seek(at)
            line = self.file.readline(min(end - at, BODY_MAX + 2))
            digest.update(line)
            is_line = line.endswith(b"\n") and len(line) <= BODY_MAX + 1
            need(is_line, MALFORMED, "a line that does not end")
            take(decode(line[:-1]))
            at += len(line)
        return digest.digest()


class Manifest:
    def __init__(self, text):
        need(text.endswith("\n"), MALFORMED, "this is no manifest")
        members = json_object(text[:-1])
        names = "format log_id dataset kind filter first_seq last_seq count erased created_at"
        expected = [*names.split(), "sha256"]
        need([name for name, _, _ in members] == expected, MALFORMED, "other members")
        value = {name: value for name, value, _ in members}
        self.kind = value["kind"].strip('"')
        digests = json_object(value["sha256"])
        expected = list(MEMBERS[1:] if self.kind == "range" else MEMBERS[1:4])
        need([name for name, _, _ in digests] == expected, MALFORMED, "other digests")
        self.digests = {}
        for name, digest, _ in digests:
            is_digest = re.fullmatch('"[0-9a-f]{64}"', digest, re.ASCII) is not None
            need(is_digest, MALFORMED, "this is no digest")
            self.digests[name] = bytes.fromhex(digest[1:-1])
        ends = value["first_seq"], value["last_seq"]
        self.bounds = None
        if ends != ("null", "null"):
            self.bounds = tuple(parse_decimal(end) for end in ends)
        is_bounded = self.kind == "filter" or self.bounds is not None
        need(is_bounded, MALFORMED, "a range without ends")
        json_object(value["filter"])
        log_id = json_string(value["log_id"])
        self.log_id = parse_uuid(log_id)
        need(self.log_id is not None, MALFORMED, "this is no id of a log")
        dataset = json_string(value["dataset"])
        check_dataset(dataset)
        self.count = parse_decimal(value["count"])
        self.erased = parse_decimal(value["erased"])
        created_at = json_string(value["created_at"])
        parse_time(created_at)
        written = {
            "format": '"ledgerline-bundle/1"',
            "log_id": f'"{log_id}"',
            "dataset": quote(dataset),
            "kind": '"range"' if self.kind == "range" else '"filter"',
            "created_at": f'"{created_at}"',
        }
        is_so = all(value[name] == text for name, text in written.items())
        # Names and digests have one spelling as well.
        raw = ",".join(f"{quote(name)}:{text}" for name, text, _ in members)
        raw_digests = ",".join(f"{quote(name)}:{text}" for name, text, _ in digests)
        is_so = is_so and text == f"{{{raw}}}\n" and value["sha256"] == f"{{{raw_digests}}}"
        need(is_so, MALFORMED, "a manifest that is written otherwise")


def parse_range_proof(data):
    lines = decode(data).split("\n")
    need(lines.pop() == "", MALFORMED, "this is no range proof")
    sides = []
    for name in ("left ", "right "):
        need(lines and lines[0].startswith(name), MALFORMED, "this is no range proof")
        count = parse_decimal(lines[0][len(name) :])
        sides.append([parse_base64(line, 32) for line in lines[1 : count + 1]])
        need(len(sides[-1]) == count, MALFORMED, "this is no range proof")
        lines = lines[count + 1 :]
    need(not lines, MALFORMED, "this is no range proof")
    return sides


class Removed:
    """Runs of places, joined: at most a million."""

    def __init__(self):
        self.runs = []

    def add(self, runs):
        need(len(self.runs) + len(runs) <= 10**6, MALFORMED, "too many runs")
        self.runs.extend(runs)

    def join(self):
        joined = []
        for first, last in sorted(self.runs):
            if joined and first <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
            else:
                joined.append((first, last))
        self.runs = joined

    def contains(self, seq):
        at = bisect.bisect_right(self.runs, (seq, U64_MAX)) - 1
        return at >= 0 and seq <= self.runs[at][1]


class Export:
    def __init__(self, file, policy):
        self.archive = Archive(file)
        checkpoint = self.archive.member(1, NOTE_MAX)
        self.origin, (self.size, self.root) = policy.open(Note(checkpoint))
        self.log_id = log_of_origin(self.origin)
        note = Note(self.archive.member(0, NOTE_MAX))
        note.check_order()
        policy.check_logs(note, self.origin)
        self.manifest = Manifest(note.text)
        need(self.manifest.log_id == self.log_id, NOT_INCLUDED, "a manifest of another log")
        self.check_digest("checkpoint", sha256(checkpoint))
        has_range_proof = len(self.archive.members) == len(MEMBERS)
        is_range = self.manifest.kind == "range"
        need(has_range_proof == is_range, MALFORMED, "a range proof for a range only")
        self.edge = None
        if is_range:
            self.begin_range()
        self.removed, self.last_erasure = Removed(), -1
        self.check_digest("erasures.ndjson", self.archive.lines(3, self.take_erasure))
        self.removed.join()
        self.count, self.erased, self.first, self.last = 0, 0, None, None
        digest = self.archive.lines(2, self.take)
        self.finish(digest)

    def check_digest(self, name, digest):
        is_it = self.manifest.digests[name] == digest
        need(is_it, NOT_INCLUDED, f"{name} is not the manifest's")

    def check_log(self, entry):
        need(entry.log_id == self.log_id, NOT_INCLUDED, "an entry of another log")

    def check_path(self, shown):
        entry = shown.entry
        root = root_of_inclusion(entry.leaf(), entry.seq, self.size, shown.path)
        need(root == self.root, NOT_INCLUDED, "the path does not lead to the root")

    def begin_range(self):
        data = self.archive.member(4, 8192)
        self.check_digest("range.proof", sha256(data))
        left, self.right = parse_range_proof(data)
        first, last = self.manifest.bounds
        need(first <= last < self.size, NOT_INCLUDED, "no range within the tree")
        fits = len(left) == len(subtrees(0, first))
        fits = fits and len(self.right) == len(subtrees(last + 1, self.size))
        need(fits, NOT_INCLUDED, "a range proof of another range")
        self.edge = Edge(first, left)

    def take_erasure(self, line):
        body = Body(line, "filter")
        self.check_log(body.entry)
        need(body.entry.seq > self.last_erasure, NOT_INCLUDED, "erasures out of order")
        self.last_erasure = body.entry.seq
        self.check_path(body.shown)
        need(body.payload.removes is not None, NOT_INCLUDED, "this is no erasure")
        self.removed.add(body.payload.removes)

    def take(self, line):
        form = "filter" if self.edge is None else "range"
        proofs = [value for name, value, _ in json_object(line) if name == "proof"]
        need(proofs, MALFORMED, "a line without a proof")
        has_salt = any(name == "salt" for name, _, _ in json_object(proofs[0]))
        item = Body(line, form) if has_salt else Erased(line, form)
        entry = item.entry
        self.check_log(entry)
        if self.edge is not None:
            need(entry.seq >= self.edge.size, NOT_INCLUDED, "a line out of order")
            need(entry.seq == self.edge.size, INCOMPLETE, "entries are missing")
            is_within = entry.seq <= self.manifest.bounds[1]
            need(is_within, NOT_INCLUDED, "more lines than the range has")
            self.edge.append(1, entry.leaf())
        else:
            is_next = self.last is None or entry.seq > self.last
            need(is_next, NOT_INCLUDED, "a line out of order")
            self.check_path(item.shown)
        if has_salt:
            item.payload.check_rotation(self.origin)
        else:
            is_explained = self.removed.contains(entry.seq)
            need(is_explained, NOT_INCLUDED, "no erasure says why the payload is missing")
            self.erased += 1
        self.count += 1
        self.first = entry.seq if self.first is None else self.first
        self.last = entry.seq

    def finish(self, digest):
        if self.edge is not None:
            end = self.manifest.bounds[1] + 1
            need(self.edge.size == end, INCOMPLETE, "entries are missing at the end")
            for size, root in zip(subtrees(end, self.size), self.right):
                self.edge.append(size, root)
            leads = self.edge.root() == self.root
            need(leads, NOT_INCLUDED, "the range does not lead to the root")
        self.check_digest("events.ndjson", digest)
        bounds = None if self.first is None else (self.first, self.last)
        manifest = self.manifest
        counts = (manifest.count, manifest.erased, manifest.bounds)
        is_so = (self.count, self.erased, bounds) == counts
        need(is_so, NOT_INCLUDED, "the manifest counts other events")


def export(path, policy):
    try:
        file = open(path, "rb")
    except OSError as error:
        raise Refused(MALFORMED, str(error)) from None
    with file:
        bundle = Export(file, policy)
    if bundle.edge is not None:
        return 0, f"COMPLETE\n{bundle.count} entries; that none is missing is proven"
    return 0, f"INCLUDED\n{bundle.count} entries; that none is missing is not proven"


def consistency(paths, policy):
    old_note, new_note = (Note(read(path, POLICY_MAX)) for path in paths[:2])
    proof = decode(read(paths[2], POLICY_MAX))
    lines = proof.split("\n")
    need(lines.pop() == "" and len(lines) <= 64, MALFORMED, "a hash in each line")
    hashes = [parse_base64(line, 32) for line in lines]
    (old_origin, old), (new_origin, new) = policy.open(old_note), policy.open(new_note)
    need(old_origin == new_origin, MALFORMED, "checkpoints of two logs")
    need(old[0] <= new[0], MALFORMED, "the first checkpoint is the larger one")
    try:
        check_consistency(old, new, hashes)
    except Refused as refused:
        evidence = f"{refused}\nthe evidence:\n\n{old_note.text}\n{new_note.text}"
        raise Refused(INCONSISTENT, evidence) from None
    return 0, "CONSISTENT"


# --- A ledger in a folder ---------------------------------------------------------------


def tile_index(number):
    groups = [f"{number % 1000:03}"]
    while number >= 1000:
        number //= 1000
        groups.insert(0, f"x{number % 1000:03}")
    return "/".join(groups)


class Ledger:
    def __init__(self, folder, policy):
        self.folder = folder
        note = Note(self.read("checkpoint", NOTE_MAX))
        origin, (self.size, root) = policy.open(note)
        self.log_id = log_of_origin(origin)
        self.edge = Edge()
        self.levels = []
        for number in range(-(-self.size // 256)):
            self.take(number)
        for level, hashes in enumerate(self.levels):
            count = self.size >> 8 * level
            if hashes:
                self.check_tile(level, count // 256, hashes)
        need(self.edge.root() == root, INCONSISTENT, "another root than the checkpoint's")
        for path in self.walk("tile"):
            need(self.belongs(path), NOT_INCLUDED, f"{path} does not belong to this ledger")

    def read(self, path, size_max=FILE_MAX):
        path = os.path.join(self.folder, path)
        need(os.path.lexists(path), INCOMPLETE, f"{path} is missing")
        return read(path, size_max)

    def take(self, number):
        count = min(256, self.size - 256 * number)
        path = f"tile/entries/{tile_index(number)}"
        data = self.read(path if count == 256 else f"{path}.p/{count}")
        entries, ends, at = [], [], 0
        while at < len(data):
            need(at + 2 <= len(data), MALFORMED, "a bundle that is cut short")
            end = at + 2 + int.from_bytes(data[at : at + 2], "big")
            need(end <= len(data), MALFORMED, "a bundle that is cut short")
            entries.append(data[at + 2 : end])
            ends.append(end)
            at = end
        need(len(entries) == count, NOT_INCLUDED, "another number of entries")
        full = []
        for entry in map(Entry, entries):
            is_next = (entry.seq, entry.log_id) == (self.edge.size, self.log_id)
            need(is_next, NOT_INCLUDED, "an entry of another place or log")
            self.edge.append(1, entry.leaf())
            full.extend(self.grow(0, entry.leaf()))
        for level, tile, hashes in full:
            self.check_tile(level, tile, hashes)
        self.check_earlier(path, count, lambda width: data[: ends[width - 1]])

    def grow(self, level, root):
        """Adds a hash to a level; answers the tiles that are full now."""
        if len(self.levels) == level:
            self.levels.append([])
        hashes = self.levels[level]
        hashes.append(root)
        if len(hashes) < 256:
            return []
        self.levels[level] = []
        edge = Edge()
        for child in hashes:
            edge.append(1, child)
        tile = (self.edge.size >> 8 * (level + 1)) - 1
        return [(level, tile, hashes), *self.grow(level + 1, edge.root())]

    def check_tile(self, level, number, hashes):
        path = f"tile/{level}/{tile_index(number)}"
        data = self.read(path if len(hashes) == 256 else f"{path}.p/{len(hashes)}")
        need(data == b"".join(hashes), NOT_INCLUDED, f"other hashes in {path}")
        self.check_earlier(path, len(hashes), lambda width: data[: 32 * width])

    def check_earlier(self, path, count, beginning):
        for found in self.walk(f"{path}.p"):
            width = found.rsplit("/", 1)[1]
            if re.fullmatch("[1-9][0-9]{0,2}", width, re.ASCII) and int(width) < count:
                is_beginning = self.read(found) == beginning(int(width))
                need(is_beginning, NOT_INCLUDED, f"{found} is no beginning")

    def walk(self, path):
        found = []
        for base, _, names in os.walk(os.path.join(self.folder, path)):
            relative = os.path.relpath(base, self.folder)
            found.extend(f"{relative}/{name}" for name in names)
        return found

    def belongs(self, path):
        form = r"tile/(entries|0|[1-9]\d?)/((?:x\d{3}/)*\d{3})(?:\.p/([1-9]\d{0,2}))?"
        match = re.fullmatch(form, path, re.ASCII)
        if match is None:
            return False
        level, groups, width = match.groups()
        level = 0 if level == "entries" else int(level)
        number = int(groups.replace("x", "").replace("/", ""))
        width = 256 if width is None else int(width)
        is_partial = match.group(3) is not None
        is_fit = level < 64 and tile_index(number) == groups and width <= 256 - is_partial
        return is_fit and 256 * number + width <= self.size >> 8 * level


def read(path, size_max):
    try:
        with open(path, "rb") as file:
            data = file.read(size_max + 1)
    except OSError as error:
        raise Refused(MALFORMED, str(error)) from None
    need(len(data) <= size_max, MALFORMED, f"{path} is too large")
    return data


def ledger(folder, policy):
    checked = Ledger(folder, policy)
    return 0, f"COMPLETE\nall {checked.size} entries and every tile over them"


# --- The command line -------------------------------------------------------------------

VERDICTS = {
    SIGNATURE: "NOT TRUSTED",
    NOT_INCLUDED: "NOT INCLUDED",
    INCONSISTENT: "INCONSISTENT",
    INCOMPLETE: "INCOMPLETE",
    MALFORMED: "UNUSABLE INPUT",
}


def judge(check, *arguments):
    try:
        return check(*arguments)
    except Refused as refused:
        return refused.code, f"{VERDICTS[refused.code]}\n{refused}"


def perform(command, paths, policy_path):
    policy = Policy(read(policy_path, POLICY_MAX))
    if command == "event":
        return event(read(paths[0], BODY_MAX), policy)
    if command == "export":
        return export(paths[0], policy)
    if command == "consistency":
        return consistency(paths, policy)
    return ledger(paths[0], policy)


def batch(path):
    codes = []
    for line in decode(read(path, BODY_MAX)).rstrip("\n").split("\n"):
        words, policy = parse_arguments(line.split("\t"))
        codes.append(judge(perform, words[0], words[1:], policy)[0] if words else MALFORMED)
    return 0, "\n".join(map(str, codes))


COUNTS = {"event": 1, "export": 1, "consistency": 3, "ledger": 1}


def parse_arguments(arguments):
    """The command with its files, and the policy; nothing when it is used otherwise."""
    words, policy = [], []
    rest = iter(arguments)
    for argument in rest:
        if argument == "--policy":
            policy.extend([next(rest, None)])
        else:
            words.append(argument)
    is_right = words and COUNTS.get(words[0]) == len(words) - 1
    if not is_right or len(policy) != 1 or policy[0] is None:
        return [], None
    return words, policy[0]


def main(arguments):
    if "--help" in arguments or "-h" in arguments:
        print(__doc__)
        return 0
    if arguments[:1] == ["batch"] and len(arguments) == 2:
        code, text = judge(batch, arguments[1])
    else:
        words, policy = parse_arguments(arguments)
        if not words:
            print(__doc__)
            return MALFORMED
        code, text = judge(perform, words[0], words[1:], policy)
    print(text)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
