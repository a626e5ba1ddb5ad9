"""What Windows would make of a hive that an interrupted restore left, with the logs beside it.

    recovered.py HIVE [LOG...] --old HIVE --new HIVE

The logs of --old and --new are found beside them; a directory instead of a file is one that holds
a hive and its logs. Prints one word, and why:

    old         the tree that the old hive has when it is recovered with its own logs
    new         likewise of the new one
    refused     Windows does not load it: no valid base block and no valid log, or dirty and no log
                that can be applied
    partial     the old (or new) hive with only the first of the entries that its logs have: a state
                that was there once, but neither the old nor the new one
    empty       Windows would make an empty hive of it
    MIX         anything else, which is what must never be

Exit status: 0 for old, new and refused, 1 for the others, 2 wrong use. A hive that is refused as it
was before the restore, or after it, is "old" ("new") if its bytes are the old (new) ones.

Recovery follows the rules of the shared notes on regf, 9.3, among them: a clean hive is loaded as
it is, whatever its logs hold; where the base block is invalid, it is taken from the log with the
highest sequence number, and no other log counts. The judge of CLUSNAP_SHARED carries them out;
without it, a dirty hive is "old" or "new" only when all bytes of hive and logs are the same.
"""
import hashlib
import os
import re
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.environ.get("CLUSNAP_SHARED", "") + "/tools")
try:
    from regf_image import ImageCheck
    from regf_read import Hive, HiveError, tree_hash
    from regf_replay import log_problem, replay
    JUDGE = True
except ImportError:
    JUDGE = False

OLD, NEW, REFUSED, PARTIAL, EMPTY, MIX = "old", "new", "refused", "partial", "empty", "MIX"
GOOD = (OLD, NEW, REFUSED)
MOST_ENTRIES = 200


def base_is_valid(data):
    """Signature and checksum of a base block, of a hive or of a log."""
    if len(data) < 512 or data[:4] != b"regf":
        return False
    total = 0
    for word in struct.unpack_from("<127I", data):
        total ^= word
    total = {0: 1, 0xFFFFFFFF: 0xFFFFFFFE}.get(total, total)
    return total == struct.unpack_from("<I", data, 508)[0]


def is_clean(data):
    return base_is_valid(data) and data[4:8] == data[8:12]


def has_log(logs):
    if JUDGE:
        return any(not log_problem(data) for _, data in logs)
    return any(base_is_valid(data) and data[4:8] == data[8:12] for _, data in logs)


def content(data):
    """What stands for a recovered hive: the digest of its tree, and what of it cannot be read."""
    try:
        hive = Hive(data)
        digest = tree_hash(hive)
        check = ImageCheck(hive)
        check.run()
        return digest, tuple(sorted(set(hive.problems))), tuple(sorted(check.violations))
    except (HiveError, KeyError, struct.error, RecursionError) as error:
        return "unreadable", str(error), hashlib.sha256(data).hexdigest()


class State:
    """A hive with its logs, [(name, bytes)]."""

    def __init__(self, hive, logs, upto=sys.maxsize):
        self.hive, self.logs = bytes(hive), [(name, bytes(log)) for name, log in logs]
        self.entries = []
        if is_clean(self.hive):
            self.image = self.hive
        elif not has_log(self.logs):
            self.image = None
        elif JUDGE:
            self.image = replay(self.hive, self.logs, say=self.entries.append, upto=upto)
        else:
            self.image = b"unknown " + repr(self.key()).encode()
        self.content = None

    def key(self):
        return hashlib.sha256(self.hive).digest(), frozenset(hashlib.sha256(log).digest() for _, log in self.logs)

    def tree(self):
        """None if the hive is not loaded."""
        if self.image is not None and self.content is None:
            self.content = content(self.image) if JUDGE else (hashlib.sha256(self.image).hexdigest(),)
        return self.content


class Judge:
    """Tells states of one hive apart. What was told once is remembered."""

    def __init__(self, old, new):
        self.old, self.new = State(*old), State(*new)
        self.known, self.steps = {}, None

    def of(self, hive, logs):
        """(a word, why)"""
        hive = bytes(hive)
        key = hive, tuple(bytes(log) for _, log in logs)
        if key not in self.known:
            self.known[key] = self.look(State(hive, logs))
        return self.known[key]

    def look(self, state):
        for word, other in ((NEW, self.new), (OLD, self.old)):
            if state.key() == other.key():
                return word, "all bytes are the same"
        if not state.hive:
            return EMPTY, "a file of 0 bytes"
        if state.image is None:
            return REFUSED, "; ".join(state.entries) or (
                "dirty" if base_is_valid(state.hive) else "no valid base block") + ", and no valid log"
        for word, other in ((NEW, self.new), (OLD, self.old)):
            if state.image == other.image or JUDGE and state.tree() == other.tree():
                return word, "the same tree"
        why = "; ".join(state.entries)
        if JUDGE and state.tree() in self.partial():
            return PARTIAL, why
        return MIX, why or "a clean hive, neither the old nor the new one"

    def partial(self):
        """Trees on the way from a dirty hive to what its logs make of it."""
        if self.steps is None:
            self.steps = []
            for whole in (self.old, self.new):
                entries = sum("applied entry" in line for line in whole.entries)
                for upto in range(1, min(entries, MOST_ENTRIES)):
                    self.steps.append(State(whole.hive, whole.logs, upto).tree())
        return self.steps


LOG = re.compile(r"\.LOG[12]?$", re.IGNORECASE)


def logs_of(name, names):
    """Those of NAMES that are the logs of the hive NAME."""
    return sorted(one for one in names if LOG.search(one) and one[:LOG.search(one).start()].upper() == name.upper())


def read(path):
    with open(path, "rb") as file:
        return file.read()


def on_disk(path):
    """(hive, logs) of a hive file, or of the one in a directory."""
    folder, name = os.path.split(path)
    if os.path.isdir(path):
        names = os.listdir(path)
        hives = [one for one in names if not LOG.search(one) and logs_of(one, names)] or names
        if len(hives) != 1:
            raise OSError("%s: which of %d files is the hive?" % (path, len(hives)))
        folder, name = path, hives[0]
    folder = folder or "."
    logs = [(one, read(os.path.join(folder, one))) for one in logs_of(name, os.listdir(folder))]
    return read(os.path.join(folder, name)), logs


def main(*arguments):
    paths, others, it = [], {}, iter(arguments)
    for one in it:
        if one in ("--old", "--new"):
            others[one] = next(it, "")
        else:
            paths.append(one)
    if not paths or len(others) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    logs = [(os.path.basename(path), read(path)) for path in paths[1:]]
    word, why = Judge(on_disk(others["--old"]), on_disk(others["--new"])).of(read(paths[0]), logs)
    print("%s: %s" % (word, why))
    return 0 if word in GOOD else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
