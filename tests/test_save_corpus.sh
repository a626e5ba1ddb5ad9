#!/bin/bash
# Real hives, whole and in parts: what save writes has the oracle's hash of what it was made
# from, is a faultless image to it, and is no larger than what Windows wrote, plus 2 %.
# Needs CLUSNAP_SHARED (tools/regf_oracle.py and corpus/).
set -u
cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build}

if [ ! -d "${CLUSNAP_SHARED-}/corpus" ]; then
	echo "1..0 # SKIP no CLUSNAP_SHARED: no real hives and no oracle"
	exit 0
fi
exec python3 - "$PWD/$build/clusnap" "$CLUSNAP_SHARED" <<'PYTHON'
import os, pathlib, subprocess, sys, tempfile

clusnap, shared = sys.argv[1], pathlib.Path(sys.argv[2])
sys.path.insert(0, str(shared / "tools"))
from regf_image import ImageCheck
from regf_read import Hive, tree_hash

tests = 0


def ok(good, name, why=""):
    global tests
    tests += 1
    print("%sok %d - %s%s" % ("" if good else "not ", tests, name, "" if good else "\n# " + str(why)))
    sys.stdout.flush()


def subtrees(hive, most=3):
    """A few keys that have subkeys, spread over the hive; names that can be typed."""
    found = [path for path, key in hive.walk(hive.key(hive.base.root))
             if path != "." and key.nsub and "%" not in path]
    return found[::max(1, len(found) // most)][:most]


def save(source, key, out):
    return subprocess.run([clusnap, "save", "--quiet", source, key, out], capture_output=True,
                          text=True, timeout=300)


with tempfile.TemporaryDirectory() as folder:
    out = os.path.join(folder, "out")
    parts = 0
    for group in ("clean", "unusual", "saved-by-windows"):
        for source in sorted((shared / "corpus" / group).iterdir()):
            hive = Hive(source.read_bytes())
            layered = hive.base.flags & 2 and hive.base.minor == 6
            for key in [""] + ([] if layered else subtrees(hive)):
                name = "%s/%s%s" % (group, source.name, " " + key if key else "")
                done = save(source, key, out)
                if layered:
                    ok(done.returncode == 3 and "layered" in done.stderr, name + " is refused",
                       done.stderr)
                    continue
                if done.returncode:
                    ok(False, name, done.stderr)
                    continue
                image = Hive(pathlib.Path(out).read_bytes())
                check = ImageCheck(image)
                check.run()
                same = tree_hash(hive, key) == tree_hash(image)
                size, most = os.path.getsize(out), source.stat().st_size
                small = bool(key) or group != "saved-by-windows" or size <= most * 1.02
                ok(same and small and not check.violations, name,
                   "hash %s, %d of %d bytes, %s" % (same, size, most, check.violations[:3]))
                parts += bool(key)
                os.unlink(out)
    ok(parts >= 12, "a dozen subtrees or more", parts)
print("1..%d" % tests)
PYTHON
