#!/bin/bash
# What checkpoint/ finds on made-up system disks, against the description that their maker gives.
# Needs CLUSNAP_SHARED: a folder with tools/ (the judge and the maker of disks).
set -u
if [ -z "${CLUSNAP_SHARED-}" ]; then
	echo "1..0 # SKIP CLUSNAP_SHARED is not set"
	exit 0
fi
labs=$(tests/labs) || exit 1
python3 - "${BUILD:-build}/tests/tools/system" "$labs" <<'PYTHON'
import json, os, pathlib, subprocess, sys

tool, labs = sys.argv[1:]
PRESENT, KEY_MISSING, PREFIXED = 0, 1, 5
count, failed = 0, 0


def report(differences, what):
    global count, failed
    count += 1
    failed += bool(differences)
    print("%sok %d - %s" % ("not " if differences else "", count, what), flush=True)
    for line in differences:
        print("#   " + line)


def stamps(disk):
    """Everything that reading could change."""
    return [(str(p), s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_atime_ns)
            for p in sorted(disk.rglob("*")) for s in [p.lstat()]]


def look(disk, paths):
    done = subprocess.run([*os.environ.get("WRAPPER", "").split(), tool, str(disk), *paths],
                          capture_output=True, text=True)
    if done.returncode:
        raise SystemExit("%s: exit %d: %s" % (disk, done.returncode, done.stderr))
    return json.loads(done.stdout)


def expected_problems(node):
    codes = set()
    if node["hibernated"]:
        codes.add("hibernated")
    if node["cluster_state"] == 1:
        codes.add("service-disabled")
    if node["cluster_state"] == 3 and node["clusdb"] is None:
        codes.add("clusdb-missing")
    return codes


def wanted_key(result, key, hive):
    return (result, hive, key.lower())


def found_key(path):
    return (path["result"], path["file"], (path["key"] or "").lower())


def compare(node, found):
    for name in ("windows", "hives", "clusdb", "generation", "cluster_state",
                 "cluster_state_name", "node_name", "hibernated"):
        if found[name] != node[name]:
            yield "%s: found %r, put there %r" % (name, found[name], node[name])
    if not found["state_known"]:
        yield "the state is said to be a guess"
    codes = {p["code"] for p in found["problems"]}
    if codes != expected_problems(node):
        yield "problems: %r" % sorted(codes)
    paths = {p["path"]: p for p in found["paths"]}
    for point in node.get("checkpoints", []):
        path = paths[point["stored"]]
        if point["problem"] == "prefix":
            meant = point["without_prefix"]
            if path["result"] != PREFIXED:
                yield "%s: %r" % (point["stored"], path)
            path, point = paths[path["meant"]], dict(meant, stored=path["meant"])
        result = PRESENT if point["present"] else KEY_MISSING
        if found_key(path) != wanted_key(result, point["key"], point["hive"]):
            yield "%s: %r" % (point["stored"], path)


def asked(node):
    for point in node.get("checkpoints", []):
        yield point["stored"]
        if point["problem"] == "prefix":
            yield point["stored"].split("\\", 1)[1]


for seed in range(1, 21):
    lab = pathlib.Path(labs, str(seed))
    nodes = json.loads((lab / "expected.json").read_text())["nodes"]
    differences = []
    for name, node in nodes.items():
        before = stamps(lab / name)
        found = look(lab / name, list(asked(node)))
        differences += ["%s: %s" % (name, line) for line in compare(node, found)]
        if stamps(lab / name) != before:
            differences.append("%s: something changed on the disk" % name)
    report(differences, "seed %d: all %d nodes are as they were made" % (seed, len(nodes)))
print("1..%d" % count)
sys.exit(failed > 0)
PYTHON
