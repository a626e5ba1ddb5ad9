#!/bin/bash
# Grafts on made-up disks of mklab.py: the .CPT images of a quorum disk into every SOFTWARE and
# SYSTEM hive at the keys that its cluster has checkpoints of (some are not there), and at a key
# of which three parents are missing. The judge, which shares no code with the program, says
# whether the image is faultless, each subtree the .CPT's and all the rest as it was; hivex,
# libregf and reglookup read it. Needs CLUSNAP_SHARED; SEEDS (3) labs.
set -u
export LC_ALL=C.UTF-8
if [ -z "${CLUSNAP_SHARED-}" ]; then
	echo "1..0 # SKIP CLUSNAP_SHARED is not set"
	exit 0
fi
labs=$(tests/labs "${SEEDS:-20}") || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 - "$(realpath "${BUILD:-build}")/tests/tools/graft" "$labs" "$work" "${SEEDS:-3}" <<'PYTHON'
import json, os, pathlib, subprocess, sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.environ["CLUSNAP_SHARED"] + "/tools")
from regf_image import ImageCheck
from regf_read import Hive, dump, tree_hash, upcase

graft, labs, work, seeds = sys.argv[1:]
NEW = "Made\\For\\Nobody\\Key"


def inside(path, top):
    path, top = upcase(path), upcase(top)
    return path == top or path.startswith(top + "\\")


def outside(data, tops):
    """The dump without the subtrees TOPS."""
    hive = Hive(data)
    kept, keep = [], True
    for line in dump(hive, hive.find("")):
        if line.startswith("K\t"):
            keep = not any(inside(line.split("\t")[1], top) for top in tops)
        if keep:
            kept.append(line)
    return kept


def missing(data, keys):
    """Of the KEYS and all above them those that are not there, each once, in order."""
    hive, found = Hive(data), []
    present = {upcase(path) for path, _ in hive.walk(hive.find(""))}
    for key in keys:
        names = key.split("\\")
        above = ["\\".join(names[:i + 1]) for i in range(len(names))]
        found += [a for a in above if upcase(a) not in present and a not in found]
    return found


def targets(node, file):
    """Keys in that hive that have checkpoints, none inside of another."""
    keys = [p["key"] for p in node["checkpoints"] if p["hive"] == file]
    return [k for i, k in enumerate(keys)
            if not any(inside(k, o) or inside(o, k) for o in keys[:i])]


def judge(node, source, file, images):
    keys = targets(node, file) + [NEW]
    pairs = [(key, images[i % len(images)]) for i, key in enumerate(keys)]
    out = pathlib.Path(work, "out")
    done = subprocess.run([graft, source, out] + [str(x) for pair in pairs for x in pair],
                          capture_output=True, text=True)
    if done.returncode:
        return ["exit status %d: %s" % (done.returncode, done.stderr)]
    before, after = source.read_bytes(), out.read_bytes()
    gone = missing(before, keys)
    said = ["%s %s" % ("made" if key in gone else "replaced", key) for key in keys]
    wrong = [] if done.stdout.splitlines() == said else ["it says " + done.stdout]
    check = ImageCheck(Hive(after))
    check.run()
    wrong += check.violations[:3]
    for key, image in pairs:
        if tree_hash(Hive(after), key) != tree_hash(Hive(image.read_bytes())):
            wrong.append("%s is not %s" % (key, image))
    if outside(after, keys + gone) != outside(before, keys):
        wrong.append("the rest is not as it was")
    for tool in ("hivexml", "regfinfo", "reglookup"):
        done = subprocess.run([tool, out], capture_output=True, text=True)
        if done.returncode or [l for l in done.stderr.splitlines() if not l.startswith("WARN")]:
            wrong.append("%s: %s" % (tool, done.stderr[:200]))
    return wrong


number = hives = 0
for seed in range(1, int(seeds) + 1):
    lab, wrong = pathlib.Path(labs, str(seed)), []
    expected = json.loads((lab / "expected.json").read_text())
    images = [lab / "quorum-2003" / f["file"] for f in expected["quorum-2003"]["checkpoint_files"]]
    for name, node in expected["nodes"].items():
        for hive in ("SOFTWARE", "SYSTEM"):
            file = node["hives"].get(hive)
            if file and node.get("checkpoints") and file not in node["dirty_hives"]:
                hives += 1
                wrong += ["%s %s: %s" % (name, hive, text)
                          for text in judge(node, lab / name / file, file, images)]
    number += 1
    print("%sok %d - seed %d" % ("not " if wrong else "", number, seed))
    for text in wrong[:10]:
        print("# " + text)
print("%sok %d - %d hives" % ("" if hives > 4 * number else "not ", number + 1, hives))
print("1..%d" % (number + 1))
PYTHON
