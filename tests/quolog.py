#!/usr/bin/env python3
"""quolog.log read a second time, from docs/quolog.md alone: records, batches, companions, and what
they do to a tree. It uses nothing of clusnap.

    quolog.py log LOG                 its records as JSON, as `clusnap log --json` has them
    quolog.py same LOG JSON           is it what `clusnap log --json` says? prints the number of
                                      records, and of values that are hidden there as secrets
    quolog.py states SNAPSHOT         of each sequence number a line: the number, and the state's
                                      hash in regf_oracle.py's words
    quolog.py between SNAPSHOT        are the states between copies as "Where transactions come
                                      from" says? prints how many it looked at
    quolog.py mangle LOG FOLDER       the log with one record removed, twice, swapped with another,
                                      altered: files KIND-N; in KIND-N.number the record to name
    quolog.py forge LOG FOLDER        the same, with numbers and checksums put right afterwards

states and between read chk files with the tools in CLUSNAP_SHARED, and check the digest of every
checkpoint (docs/regf.md, Tree digest). Exit status 1, and why, for a log that is not valid.
"""
import hashlib
import itertools
import json
import os
import struct
import sys
import zlib

HEADER, MANIFEST, CHECKPOINT, TRANSACTION = 1, 2, 3, 4


class Invalid(Exception):
    pass


def need(condition, why):
    if not condition:
        raise Invalid(why)


def padded(size):
    return (size + 7) // 8 * 8


# --- records ----------------------------------------------------------------------------

class Record:
    """One record; (R1) to (R9)."""

    def __init__(self, log, at, number, crc, sequence):
        need(len(log) - at >= 56, f"record {number}: too short")
        (signature, self.length, self.type, self.flags, self.number, self.sequence, self.time,
         origin, stored, size, zero) = struct.unpack_from("<4sIHHIQQIIII", log, at)
        end = at + self.length
        self.raw = log[at:end]
        need(signature == b"clql" and zero == 0 and origin <= 1024 and stored <= 128 << 20 and
             self.length == 48 + padded(origin) + padded(stored) + 8 and end <= len(log),
             f"record {number}: no head")
        need(self.number == number, f"record {number}: has number {self.number}")
        need(log[end - 8:end - 4] == b"qEnd", f"record {number}: end mark")
        self.crc = zlib.crc32(log[at:end - 4], crc)
        need(self.crc == struct.unpack_from("<I", log, end - 4)[0], f"record {number}: checksum")
        allowed = {HEADER: 0, MANIFEST: 1, CHECKPOINT: 1, TRANSACTION: 3}
        need(self.type in allowed and not self.flags & ~allowed[self.type], "type or flags")
        need((self.type == HEADER) == (number == 0), "header")
        if number:
            need(self.sequence == sequence + (self.type in (CHECKPOINT, TRANSACTION)), "sequence")
        self.origin = log[at + 48:at + 48 + origin]
        need(not any(byte < 0x20 or byte == 0x7f for byte in self.origin), "origin")
        body = at + 48 + padded(origin)
        payload = log[body:body + stored]
        need(not any(log[at + 48 + origin:body]) and not any(log[body + stored:end - 8]), "padding")
        need(size <= 128 << 20 and size <= 64 * stored, "size")
        if self.flags & 1:
            inflater = zlib.decompressobj()
            payload = inflater.decompress(payload, size + 1)
            need(inflater.eof and not inflater.unused_data, "zlib")
        need(len(payload) == size, "payload")
        self.payload = payload


def records(log):
    found, at, crc, sequence = [], 0, 0, 0
    while at < len(log):
        record = Record(log, at, len(found), crc, sequence)
        found.append(record)
        at, crc, sequence = at + record.length, record.crc, record.sequence
    need(found and found[-1].type == MANIFEST, "no manifest at the end")
    need(found[1].type == CHECKPOINT, "no checkpoint at the start")
    return found


def checkpoint(record):
    """Digest and file name."""
    digest, size, zero = struct.unpack_from("<32sII", record.payload)
    need(zero == 0 and 40 + size == len(record.payload), "checkpoint")
    return digest, record.payload[40:].decode()


def manifest(record):
    """Path: (kind, size, SHA-256)."""
    count, zero = struct.unpack_from("<II", record.payload)
    files, at = {}, 8
    need(zero == 0, "manifest")
    for _ in range(count):
        length, kind, size, digest, path, hive, key, zero = struct.unpack_from(
            "<IIQ32sIIII", record.payload, at)
        need(zero == 0 and length == padded(64 + path + hive + key), "manifest entry")
        name = record.payload[at + 64:at + 64 + path].decode()
        need(not files or name > max(files), "manifest order")
        files[name] = (kind, size, digest)
        at += length
    need(at == len(record.payload), "manifest end")
    return files


# --- batch and companion ----------------------------------------------------------------

OPS = {2: "set-security", 3: "set-class", 4: "set-link", 5: "order-values", 6: "set-time"}


def units(data):
    return data.decode("utf-16-le", "surrogatepass")


def commands(batch):
    """(command, type, name, data) of an [MS-CMRP] 2.2.3.17 CLUSTER_REG_BATCH_UPDATE."""
    need(struct.unpack_from("<I", batch)[0] == 1, "batch version")
    found, at = [], 4
    while at < len(batch):
        command, kind, size = struct.unpack_from("<III", batch, at)
        name = batch[at + 12:at + 12 + size]
        need(size >= 2 and size % 2 == 0 and name[-2:] == b"\0\0", "name")
        at += 12 + size
        size, = struct.unpack_from("<I", batch, at)
        data = batch[at + 4:at + 4 + size]
        need(len(data) == size, "data")
        at += 4 + size
        if size & 1:
            need(batch[at:at + 1] == b"\0", "padding")
            at += 1
        need(command in (1, 2, 3, 4) and (command == 1 or (kind == 0 and not data)), "command")
        found.append((command, kind, units(name[:-2]), data))
    need(found, "no command")
    return found


def entries(companion):
    """(after, kind, path or None, data)"""
    if not companion:
        return
    need(struct.unpack_from("<I", companion)[0] == 1, "companion version")
    at, last = 4, 0
    while at < len(companion):
        length, after, kind, elsewhere, path, size = struct.unpack_from("<IIHHII", companion, at)
        used = 20 + path + size
        need(length == (used + 3) // 4 * 4 and at + length <= len(companion), "entry")
        need(not any(companion[at + used:at + length]), "entry's padding")
        need(1 <= kind <= 6 and elsewhere <= 1 and after >= last and path % 2 == 0, "entry's kind")
        need(elsewhere or not path, "entry's path")
        name = companion[at + 20:at + 20 + path]
        yield (after, kind, units(name) if elsewhere else None,
               companion[at + 20 + path:at + used])
        at, last = at + length, after


def changes(record):
    """The changes of a transaction: (op, key, name or None, type, data)"""
    first, second = struct.unpack_from("<II", record.payload)
    need(8 + first + second == len(record.payload), "transaction")
    batch = commands(record.payload[8:8 + first])
    companion = list(entries(record.payload[8 + first:]))
    key = ""
    for done in range(len(batch) + 1):
        here = [entry for entry in companion if entry[0] == done]
        if done:
            command, kind, name, data = batch[done - 1]
            if command == 2:
                key = name
                if here and here[0][1] == 1:
                    yield "create-key", key, None, 0, b""
                    here.pop(0)
            elif command == 3:
                key = None
                yield "delete-key", name, None, 0, b""
            else:
                need(key is not None, "a value of no key")
                yield "set-value" if command == 1 else "delete-value", key, name, kind, data
        for _, kind, path, data in here:
            need(kind in OPS and (path is not None or key is not None), "entry")
            yield OPS[kind], key if path is None else path, None, 0, data
    need(all(entry[0] <= len(batch) for entry in companion), "an entry behind the batch")


def filetime(time):
    seconds, rest = divmod(time - 116444736000000000, 10000000)
    import datetime
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest:07d}Z"


def as_json(log):
    out = []
    for record in records(log):
        if record.type == MANIFEST:
            manifest(record)
        if record.type not in (CHECKPOINT, TRANSACTION):
            continue
        entry = {"sequence": record.sequence, "time": filetime(record.time), "changes": [],
                 "origin": record.origin.decode(),
                 "type": "checkpoint" if record.type == CHECKPOINT else "transaction"}
        if record.type == CHECKPOINT:
            entry["file"] = checkpoint(record)[1]
        else:
            entry["order"] = "inferred" if record.flags & 2 else "known"
            for op, key, name, kind, data in changes(record):
                change = {"op": op, "key": key}
                if name is not None:
                    change["name"] = name
                if op == "set-value":
                    change["type"] = kind
                if op not in ("create-key", "delete-key", "delete-value"):
                    change["data"] = data.hex()
                entry["changes"].append(change)
        out.append(entry)
    return out


def same(log, path):
    mine, theirs = as_json(log), json.load(open(path))
    need(theirs["schema"] == 1 and len(mine) == len(theirs["records"]), "other records")
    secrets = 0
    for one, other in zip(mine, theirs["records"]):
        for full, shown in zip(one["changes"], other["changes"]):
            if "secret" in shown:
                secrets += 1
                need(len(full.pop("data")) == 2 * shown.pop("secret"), f"a secret: {shown}")
        need(one == other, f"{one} is {other}")
    print(len(mine), secrets)


# --- trees ------------------------------------------------------------------------------

def shared():
    sys.path.insert(0, os.environ["CLUSNAP_SHARED"] + "/tools")
    import regf_read
    return regf_read


class Key:
    def __init__(self, name, parent=None):
        self.name, self.time, self.link, self.cls = name, 0, False, b""
        self.security = parent.security if parent else b""
        self.values, self.subkeys = {}, {}  # by name in upper case; values in their order

    def copy(self):
        other = Key(self.name)
        other.time, other.link, other.cls = self.time, self.link, self.cls
        other.security, other.values = self.security, dict(self.values)
        other.subkeys = {name: key.copy() for name, key in self.subkeys.items()}
        return other


def load(path):
    regf = shared()
    hive = regf.Hive(open(path, "rb").read())

    def one(found):
        key = Key(found.name)
        key.time, key.link = found.time, bool(found.flags & regf.SYM_LINK)
        key.cls = hive.bytes_at(found.cls, found.class_len) if found.class_len else b""
        key.security = hive.security(found.sk)
        for offset in hive.words(found.vals, found.nval) if found.nval else ():
            value = hive.value(offset)
            key.values[regf.upcase(value.name)] = (value.name, value.type, hive.contents(value))
        key.subkeys = {regf.upcase(child.name): one(child) for child in hive.subkeys(found)}
        return key
    return one(hive.key(hive.base.root))


def apart(text):
    """Units: surrogates are not joined."""
    raw = text.encode("utf-16-le", "surrogatepass")
    return "".join(map(chr, struct.unpack(f"<{len(raw) // 2}H", raw)))


def find(top, path):
    upcase, key = shared().upcase, top
    for name in filter(None, apart(path).split("\\")):
        key = key.subkeys[upcase(name)]
    return key


def apply(top, change):
    upcase = shared().upcase
    op, path, name, kind, data = change
    above, _, last = path.rpartition("\\")
    last = apart(last)
    if op == "create-key":
        parent = find(top, above)
        need(upcase(last) not in parent.subkeys, f"{path} is there already")
        parent.subkeys[upcase(last)] = Key(last, parent)
    elif op == "delete-key":
        del find(top, above).subkeys[upcase(last)]
    elif op == "set-value":
        name = apart(name)
        values = find(top, path).values
        values[upcase(name)] = (values.get(upcase(name), (name,))[0], kind, data)
    elif op == "delete-value":
        del find(top, path).values[upcase(apart(name))]
    elif op == "set-security":
        find(top, path).security = data
    elif op == "set-class":
        find(top, path).cls = data
    elif op == "set-link":
        find(top, path).link = data == b"\1"
    elif op == "set-time":
        find(top, path).time, = struct.unpack("<Q", data)
    else:
        key = find(top, path)
        old = list(key.values.items())
        key.values = dict(old[place] for place in struct.unpack(f"<{len(data) // 4}I", data))


def walk(key, path=""):
    yield path, key
    for _, child in sorted(key.subkeys.items(), key=lambda item: (item[0], item[1].name)):
        name = child.name
        yield from walk(child, path + "\\" + name if path else name)


def oracle_hash(top):
    """As regf_oracle.py hash computes it."""
    escape, total = shared().escape, hashlib.sha256()
    for path, key in walk(top):
        lines = ["K\t%s\t%016x\t%s\t%s\t%s\n" % (
            "\\".join(map(escape, path.split("\\"))) or ".", key.time, "L" if key.link else "-",
            key.cls.hex() or "-", hashlib.sha256(key.security).hexdigest())]
        for name, kind, data in key.values.values():
            shown = data.hex() if len(data) <= 32 else "sha256:" + hashlib.sha256(data).hexdigest()
            shown_name = escape(name) if name != "@" else "%0040"
            lines.append("V\t%s\t%x\t%x\t%s\n" % (shown_name or "@", kind, len(data), shown or "-"))
        total.update("".join(lines).encode("ascii"))
    return total.hexdigest()


def tree_digest(top):
    """docs/regf.md, Tree digest."""
    total = hashlib.sha256()

    def text(name):
        return struct.pack("<I", len(name)) + struct.pack(f"<{len(name)}H", *map(ord, name))

    def add(key, name):
        total.update(b"K" + struct.pack("<QB", key.time, key.link) + text(name) +
                     struct.pack("<I", len(key.cls)) + key.cls +
                     struct.pack("<I", len(key.security)) + key.security)
        for value, kind, data in key.values.values():
            total.update(b"V" + text(value) + struct.pack("<II", kind, len(data)) + data)
        for _, child in sorted(key.subkeys.items()):
            add(child, child.name)
        total.update(b"E")
    add(top, "")
    return total.digest()


def states(snapshot):
    """(record, tree) of every sequence number. The trees are changed later: copy what is kept."""
    log = records(open(snapshot + "/quolog.log", "rb").read())
    files, top = manifest(log[-1]), None
    for record in log:
        if record.type == CHECKPOINT:
            digest, name = checkpoint(record)
            chk = open(f"{snapshot}/{name}", "rb").read()
            need(files[name] == (1, len(chk), hashlib.sha256(chk).digest()), f"{name}: SHA-256")
            need(top is None or tree_digest(top) == digest, f"not the tree of {name}")
            top = load(f"{snapshot}/{name}")
            need(tree_digest(top) == digest, f"the digest of {name}")
        elif record.type == TRANSACTION:
            for change in changes(record):
                apply(top, change)
        else:
            continue
        yield record, top


# --- between two copies -----------------------------------------------------------------

def birth(key, older):
    """When a new key comes: the earliest of its own time and those of the new keys below it."""
    times = [key.time or float("inf")]
    for name, child in key.subkeys.items():
        if older is None or name not in older.subkeys or older.subkeys[name].name != child.name:
            times.append(birth(child, None))
    return min(times)


def own_time(older, newer):
    """When what is of a key changes; never before the end if its time says nothing."""
    if newer.time and (older is None or older.time != newer.time):
        return newer.time
    return float("inf")


def expected(older, newer, now):
    """What a key is after the group of the time NOW."""
    if older is None:
        key = Key(newer.name)
        key.security, key.cls, key.link = newer.security, newer.cls, newer.link
        there = own_time(None, newer) <= now
        if there:
            key.time, key.values = newer.time, dict(newer.values)
    else:
        there = own_time(older, newer) <= now
        key = (newer if there else older).copy()
        key.subkeys = {}
    for name in older.subkeys.keys() | newer.subkeys.keys() if older else newer.subkeys:
        was = older.subkeys.get(name) if older else None
        will = newer.subkeys.get(name)
        if was and will and was.name != will.name:  # deleted for a new key in another letter case
            key.subkeys[name] = expected(None, will, now) if birth(will, None) <= now else was
        elif was and will:
            key.subkeys[name] = expected(was, will, now)
        elif was and not there:
            key.subkeys[name] = was
        elif will and birth(will, None) <= now:
            key.subkeys[name] = expected(None, will, now)
    return key


def check_run(run, older):
    """RUN: (record, tree) of transactions of one copy in a row; the last one is all of it."""
    newer = run[-1][1]
    for record, tree in run[:-1]:
        made = expected(older, newer, record.time)
        need(oracle_hash(made) == oracle_hash(tree),
             f"transaction {record.sequence} does not lead where times say")
    return len(run) - 1


def between(snapshot):
    looked, older, run = 0, None, []
    for record, tree in states(snapshot):
        inferred = record.type == TRANSACTION and record.flags & 2
        if run and (not inferred or run[-1][0].origin != record.origin):
            looked += check_run(run, older)
            older, run = run[-1][1], []
        if inferred:
            run.append((record, tree.copy()))
        else:
            older = tree.copy()
    return looked


# --- damage -----------------------------------------------------------------------------

def seal(raws):
    """The records with the numbers and checksums that their places ask for."""
    out, crc, sequence = b"", 0, None
    for number, raw in enumerate(raws):
        raw = bytearray(raw)
        kind, = struct.unpack_from("<H", raw, 8)
        if sequence is None:
            sequence, = struct.unpack_from("<Q", raw, 16)
        sequence += kind in (CHECKPOINT, TRANSACTION)
        struct.pack_into("<I", raw, 12, number)
        struct.pack_into("<Q", raw, 16, sequence)
        crc = zlib.crc32(raw[:-4], crc)
        struct.pack_into("<I", raw, len(raw) - 4, crc)
        out += raw
    return out


def altered(raw):
    """With one bit of the payload, or of what stands for it, turned."""
    raw = bytearray(raw)
    raw[len(raw) // 2] ^= 4
    return bytes(raw)


def damaged(raws, which):
    """(name, record to be named, records)"""
    for i in which:
        yield f"removed-{i}", i, raws[:i] + raws[i + 1:]
        yield f"twice-{i}", i + 1, raws[:i + 1] + raws[i:]
        yield f"altered-{i}", i, raws[:i] + [altered(raws[i])] + raws[i + 1:]
    for i, j in itertools.combinations(which, 2):
        other = list(raws)
        other[i], other[j] = raws[j], raws[i]
        yield f"swapped-{i}-{j}", i, other


def write_damaged(log, folder, forged):
    found = records(log)
    raws = [record.raw for record in found]
    which = [record.number for record in found if not forged or record.type == TRANSACTION]
    for name, number, mangled in damaged(raws, which):
        with open(f"{folder}/{name}", "wb") as out:
            out.write(seal(mangled) if forged else b"".join(mangled))
        with open(f"{folder}/{name}.number", "w") as out:
            out.write(f"{number}\n")


def main(command, path, folder=None):
    if command == "log":
        json.dump(as_json(open(path, "rb").read()), sys.stdout)
    elif command == "same":
        same(open(path, "rb").read(), folder)
    elif command == "states":
        for record, tree in states(path):
            print(record.sequence, oracle_hash(tree))
    elif command == "between":
        print(between(path))
    else:
        write_damaged(open(path, "rb").read(), folder, command == "forge")


try:
    main(*sys.argv[1:])
except Invalid as why:
    sys.exit(f"quolog.py: {why}")
