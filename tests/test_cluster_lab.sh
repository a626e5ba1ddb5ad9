#!/bin/bash
# Clusters and checkpoints of made-up disks, seeds 1 to 20, against the plan that the disks were
# made by. Needs CLUSNAP_SHARED: a folder with tools/ (the maker of disks).
set -u
if [ -z "${CLUSNAP_SHARED-}" ]; then
	echo "1..0 # SKIP CLUSNAP_SHARED is not set"
	exit 0
fi
labs=$(tests/labs) || exit 1
python3 - "${BUILD:-build}/tests/tools/cluster" "$labs" <<'PYTHON'
import json, os, subprocess, sys

tool, labs = sys.argv[1:]
count, failed = 0, 0


def report(wrong, what):
    global count, failed
    count += 1
    failed += bool(wrong)
    print("%sok %d - %s" % ("not " if wrong else "", count, what))
    for line in wrong:
        print("# " + line)


def differ(wrong, what, found, wanted):
    if found != wanted:
        wrong.append("%s: found %r, wanted %r" % (what, found, wanted))


def key(point):
    return point["resource"], point["id"]


CODES = {None: [], "missing": ["checkpoint-key-missing"], "prefix": ["checkpoint-path-prefixed"]}


def check_registry(wrong, found, node):
    overlapping = {key(point) for pair in node["overlaps"] for point in pair}
    found = {key(point): point for point in found if point["type"] == "registry"}
    differ(wrong, "registry checkpoints", sorted(found), sorted(map(key, node["checkpoints"])))
    for want in node["checkpoints"]:
        point = found[key(want)]
        for name in ("resource_name", "hive", "present"):
            differ(wrong, "%s of %s" % (name, key(want)), point[name], want[name])
        differ(wrong, "path", point["path"], want["stored"])
        differ(wrong, "key", (point["key"] or "").lower(), (want["key"] or "").lower())
        differ(wrong, "file", point["file"], "%s/%s.CPT" % key(want))
        codes = CODES[want["problem"]] + ["checkpoint-overlap"] * (key(want) in overlapping)
        differ(wrong, "problems of %s" % (key(want),),
               sorted(problem["code"] for problem in point["problems"]), codes)
        if want["problem"] == "prefix":
            meant = want["stored"].partition("\\")[2]
            there = "is" if want["without_prefix"]["present"] else "is not"
            sentence = "%s, which is probably meant, %s on this disk" % (meant, there)
            differ(wrong, "what is meant", point["problems"][0]["text"].endswith(sentence), True)


def check_crypto(wrong, found, node):
    found = {key(point): point for point in found if point["type"] == "crypto"}
    differ(wrong, "crypto checkpoints", sorted(found), sorted(map(key, node["crypto_checkpoints"])))
    for want in node["crypto_checkpoints"]:
        point = found[key(want)]
        for name in ("resource_name", "container", "provider", "present"):
            differ(wrong, "%s of %s" % (name, key(want)), point[name], want[name])
        differ(wrong, "provider type", point["provider_type"], want["type"])
        differ(wrong, "path", point["path"], want["stored"])
        differ(wrong, "key file", point["key_file"], want["file"] if want["present"] else None)
        codes = [] if want["present"] else ["crypto-container-missing"]
        differ(wrong, "problems", [problem["code"] for problem in point["problems"]], codes)
        if not want["present"]:     # the file that was looked for is named
            differ(wrong, "text", os.path.basename(want["file"]) in point["problems"][0]["text"],
                   True)


def check_node(found, node):
    wrong = []
    if "error" in found:
        return [found["error"]]
    for name, want in (("cluster", "cluster_name"), ("cluster_instance_id", "cluster_instance_id"),
                       ("version", "version_tag"), ("generation", "generation")):
        differ(wrong, name, found[name], node[want])
    differ(wrong, "this node", node["node_name"] in found["nodes"], True)
    differ(wrong, "written", found["written"] >= int(node["root_key_time"], 16), True)
    differ(wrong, "problems", [(problem["code"], problem["text"]) for problem in found["problems"]],
           [("dangling-reference", "%s names the resource %s, which does not exist" %
             (want["in"], want["guid"])) for want in node["dangling"]])
    check_registry(wrong, found["checkpoints"], node)
    check_crypto(wrong, found["checkpoints"], node)
    pairs = lambda overlaps: sorted(sorted(map(key, pair)) for pair in overlaps)
    differ(wrong, "overlaps", pairs(found["overlaps"]), pairs(node["overlaps"]))
    return wrong


for seed in range(1, 21):
    lab = "%s/%d" % (labs, seed)
    with open(lab + "/expected.json") as file:
        expected = json.load(file)
    nodes = expected["nodes"]
    members = [name for cluster in expected["clusters"].values() for name in cluster["oldest_first"]]
    unreadable = sorted(set(nodes) - set(members))
    paths = ["%s/%s" % (lab, name) for name in sorted(members) + unreadable]
    witness = lab + "/witness-2019/" + expected["witness-2019"]["hive"]
    done = subprocess.run([*os.environ.get("WRAPPER", "").split(), tool, *paths, witness],
                          capture_output=True, text=True)
    report([done.stderr] if done.returncode else [], "seed %d" % seed)
    if done.returncode:
        continue
    answer = json.loads(done.stdout)
    systems = {os.path.relpath(system["path"], lab): system for system in answer["systems"]}
    for name in sorted(members):
        report(check_node(systems[name], nodes[name]), "seed %d, %s" % (seed, name))
    report([name for name in unreadable if "error" not in systems[name]],
           "seed %d, nodes without a readable database" % seed)
    found = systems[os.path.relpath(witness, lab)]
    report([] if found.get("version") == expected["witness-2019"]["version_tag"] else [str(found)],
           "seed %d, witness" % seed)
    order = [os.path.relpath(path, lab) for path in answer["oldest_first"]]
    for name, cluster in sorted(expected["clusters"].items()):
        mine = [node for node in order if node in cluster["oldest_first"]]
        report([] if mine == cluster["oldest_first"] else [repr(mine)],
               "seed %d, order of the copies of %s" % (seed, name))
print("1..%d" % count)
sys.exit(1 if failed else 0)
PYTHON
