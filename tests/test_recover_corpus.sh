#!/bin/bash
# Recovery of real and made-up dirty hives, byte for byte against an independent implementation.
# Needs CLUSNAP_SHARED: a folder with tools/ (the judge, the maker of disks) and corpus/.
set -u
if [ -z "${CLUSNAP_SHARED-}" ]; then
	echo "1..0 # SKIP CLUSNAP_SHARED is not set"
	exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
labs=$(tests/labs) || exit 1
python3 - "${BUILD:-build}/tests/tools/recover" "$CLUSNAP_SHARED" "$work" "$labs" <<'PYTHON'
import glob, hashlib, json, os, pathlib, shutil, struct, subprocess, sys

tool, shared, work, labs = sys.argv[1:]
sys.path.insert(0, shared + "/tools")
from regf_read import Hive
from regf_oracle import tree_hash
from regf_replay import replay

count, failed = 0, 0


def report(good, what):
    global count, failed
    count += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", count, what), flush=True)


def recover(*args):
    out = pathlib.Path(work, "out")
    out.unlink(missing_ok=True)
    done = subprocess.run([*os.environ.get("WRAPPER", "").split(), tool, *args, str(out)],
                          capture_output=True, text=True)
    return done, out.read_bytes() if out.exists() else None


def read(path):
    return pathlib.Path(path).read_bytes()


def logs_of(path):
    return [(name, read(path + name)) for name in (".LOG", ".LOG1", ".LOG2")
            if os.path.exists(path + name)]


def expected_of(seed):
    return json.loads(read("%s/%d/expected.json" % (labs, seed)))["nodes"]


def states_of(path):
    """All states on the way, as (sequence, consistent, bytes); the first has no entry."""
    folder = pathlib.Path(work, "states")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    done, image = recover("-s", str(folder), path)
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("state ")]
    return image, [(int(line[3]), line[5] == "1", read(folder / (line[1] + ".hive")))
                   for line in lines]


# Every set of the corpus, as the judge has it.
for path in sorted(glob.glob(shared + "/corpus/dirty/*/*")):
    if "LOG" in os.path.basename(path) or "Recovered" in path:
        continue
    for options in ([], ["-r"]):
        want = replay(read(path), logs_of(path), bool(options))
        done, image = recover(*options, path)
        report(image == want and done.returncode == (1 if want is None else 0),
               " ".join([os.path.basename(path), *options]))

# What Windows itself made of them. When it had loaded them it wrote numbers, times, the file's
# name and the longest name of a value of one key.
def essence(image, end):
    image = bytearray(image[:end])
    for start, stop in ((4, 20), (48, 112), (508, 512), (4116, 4124), (0x6bdc8, 0x6bdcc)):
        image[start:stop] = bytes(stop - start)
    return image


dirty = shared + "/corpus/dirty/"
for path, judge in (("new-format-1/NewDirtyHive", "new-format-1/RecoveredHive_Windows10"),
                    ("old-format/OldDirtyHive", "old-format/RecoveredHive_Windows7")):
    image = recover(dirty + path)[1]
    end = 4096 + struct.unpack_from("<I", image, 40)[0]
    report(essence(image, end) == essence(read(dirty + judge), end), judge)
image = recover(dirty + "system-24-entries/SYSTEM_B")[1]
one, two, bins = *struct.unpack_from("<II", image, 4), struct.unpack_from("<I", image, 40)[0]
report((one, two, bins) == (2130, 2130, 12591104) and
       hashlib.sha256(image[4096:4096 + bins]).hexdigest().startswith("b6e09117"), "SYSTEM_B")
report(recover(dirty + "clean-with-log/NTUSER.DAT")[1] ==
       read(dirty + "clean-with-log/NTUSER.DAT"), "a clean hive is left alone")

# Damage, as the judge has it: each log of a set cut at every 512 bytes.
path = dirty + "new-format-1/NewDirtyHive"
primary, logs = read(path), logs_of(path)
base = pathlib.Path(work, "cut")
base.write_bytes(primary)
good = True
for which in range(len(logs)):
    for size in range(0, len(logs[which][1]) + 1, 512):
        cut = [(name, data[:size] if i == which else data) for i, (name, data) in enumerate(logs)]
        for name, data in cut:
            pathlib.Path(work, "cut" + name).write_bytes(data)
        good &= recover(str(base))[1] == replay(primary, cut)
report(good, "logs cut at every 512 bytes")

# Made-up disks: dirty hives of both formats, and each state on the way.
for seed in range(1, 21):
    for node, expected in sorted(expected_of(seed).items()):
        wanted = expected.get("dirty_states", ())
        for hive in expected.get("dirty_hives", ()):
            path = "%s/%d/%s/%s" % (labs, seed, node, hive)
            image, states = states_of(path)
            primary, logs = read(path), logs_of(path)
            report(image == replay(primary, logs) and states[-1][2] == image and
                   states[-1][1] and not states[0][1], "seed %d, %s, %s" % (seed, node, hive))
            if not (wanted and wanted[0]["log"].startswith(hive)):
                continue
            good = len(states) == len(wanted) + 1
            for i, (state, want) in enumerate(zip(states[1:], wanted)):
                good &= state[:2] == (want["sequence"], True)
                good &= state[2] == replay(primary, logs, upto=i + 1)
                good &= seed > 3 or tree_hash(Hive(state[2])) == want["hash"]
            report(good, "seed %d, %s, %d states" % (seed, node, len(wanted)))
print("1..%d" % count)
sys.exit(1 if failed else 0)
PYTHON
