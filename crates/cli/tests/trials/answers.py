"""Answers the thirteen queries from the raw events, one by one, and by nothing of the platform's.

Reads NDJSON from standard input and writes one JSON object: for `alpha`, who has every line, and for
`beta`, who has every second one.
"""

import collections
import datetime
import json
import sys

MESSAGE_KEYS = ["message", "msg", "Message", "log", "body", "MESSAGE", "_message", "text"]
LATEST = 100
NEEDLE = "fddc55f3-b938-5f8f-4c00-000000000400"
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def is_word(character):
    return character.isalnum() or character == "_"


def has_words(folded, needle):
    """Whether the needle stands in the text as whole words."""
    at = folded.find(needle)
    while at >= 0:
        end = at + len(needle)
        cut_before = at > 0 and is_word(folded[at - 1]) and is_word(needle[0])
        cut_after = end < len(folded) and is_word(folded[end]) and is_word(needle[-1])
        if not cut_before and not cut_after:
            return True
        at = folded.find(needle, at + 1)
    return False


def texts(value):
    """Every text in a value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def flat(event, prefix=""):
    """The event's fields under dotted keys; arrays and empty objects stay what they are."""
    fields = {}
    for key, value in event.items():
        if isinstance(value, dict) and value:
            fields.update(flat(value, prefix + key + "."))
        else:
            fields[prefix + key] = value
    return fields


def field(event, name):
    """A field by its name, which nobody in these events writes with dots."""
    return event.get(name)


def is_number(value, number):
    """Whether a value is this number, or the text of it."""
    if isinstance(value, bool):
        return False
    if isinstance(value, (int, float)):
        return value == number
    try:
        return isinstance(value, str) and float(value) == number
    except ValueError:
        return False


def nanoseconds(text):
    """The time of a text of RFC 3339 in UTC."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    moment = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc)
    return (moment - EPOCH) // datetime.timedelta(seconds=1) * 10**9 + int(fraction.ljust(9, "0") or 0)


class Tenant:
    """What one tenant's events answer."""

    def __init__(self):
        self.lines = 0
        self.counts = collections.Counter()
        self.groups = {name: collections.Counter() for name in
                       ["by-channel", "by-event", "top-high", "by-day", "word-by-day"]}
        self.images = set()
        self.newest = {"latest": Newest(), "latest-where": Newest()}

    def take(self, event, line, time, day, message, searched):
        self.lines += 1
        self.counts["needle"] += any(has_words(text, NEEDLE) for text in searched)
        self.counts["absent"] += any(has_words(text, "zzqxabsent") for text in searched)
        self.counts["phrase"] += any(
            has_words(text, "network connection detected") for text in searched)
        self.counts["substring"] += message is not None and "mimikatz" in message
        channel, event_id = field(event, "Channel"), field(event, "EventID")
        is_security = isinstance(channel, str) and channel.lower() == "security"
        self.counts["equal"] += is_security and is_number(event_id, 4624)
        self.groups["by-channel"][json.dumps(channel)] += 1
        self.groups["by-event"][json.dumps(event_id)] += 1
        self.groups["top-high"][json.dumps(field(event, "ProcessGuid"))] += 1
        self.groups["by-day"][day] += 1
        if any(has_words(text, "powershell") for text in searched):
            self.groups["word-by-day"][json.dumps([day, field(event, "Hostname")])] += 1
        image = field(event, "Image")
        if image is not None:
            self.images.add(json.dumps(image))
        self.newest["latest"].take(time, line)
        if is_number(event_id, 4688):
            self.newest["latest-where"].take(time, line)

    def answer(self):
        return {
            "lines": self.lines,
            "counts": {**self.counts, "distinct": len(self.images)},
            "groups": {name: dict(group) for name, group in self.groups.items()},
            "newest": {name: newest.answer() for name, newest in self.newest.items()},
        }


class Newest:
    """The newest events, and all that are as old as the oldest of them."""

    def __init__(self):
        self.found = []
        self.least = None

    def take(self, time, line):
        if self.least is not None and time < self.least:
            return
        self.found.append((time, line))
        if len(self.found) > 50 * LATEST:
            self.trim()

    def trim(self):
        self.found.sort(key=lambda pair: pair[0], reverse=True)
        if len(self.found) > LATEST:
            self.least = self.found[LATEST - 1][0]
            self.found = [pair for pair in self.found if pair[0] >= self.least]

    def answer(self):
        """Those that must be among the newest, and those of which some must be."""
        self.trim()
        length = min(LATEST, len(self.found))
        least = self.found[length - 1][0] if self.found else 0
        of = lambda pairs: [flat(json.loads(line)) for _, line in pairs]
        return {
            "length": length,
            "certain": of(pair for pair in self.found if pair[0] > least),
            "last": of(pair for pair in self.found if pair[0] == least),
        }


def main():
    alpha, beta = Tenant(), Tenant()
    for number, line in enumerate(sys.stdin.buffer):
        event = json.loads(line)
        text = event["@timestamp"]
        time = nanoseconds(text)
        message = next((event[key] for key in MESSAGE_KEYS if isinstance(event.get(key), str)), None)
        searched = texts(event) if message is None else [message]
        searched = [text.lower() for text in searched]
        message = None if message is None else message.lower()
        for tenant in [alpha, beta] if number % 2 else [alpha]:
            tenant.take(event, line, time, text[:10], message, searched)
    json.dump({"alpha": alpha.answer(), "beta": beta.answer()}, sys.stdout)


main()
