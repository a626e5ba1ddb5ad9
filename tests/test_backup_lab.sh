#!/bin/bash
# The commands on made-up disks of mklab.py: all that expected.json says must be found, and every
# image of a snapshot is put before judges that share no code with the program.
# Needs CLUSNAP_SHARED: a folder with tools/ (the judge and the maker of disks).
set -u
export LC_ALL=C.UTF-8
if [ -z "${CLUSNAP_SHARED-}" ]; then
	echo "1..0 # SKIP CLUSNAP_SHARED is not set"
	exit 0
fi
labs=$(tests/labs) || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 - "$(realpath "${BUILD:-build}")/clusnap" "$labs" "$work" <<'PYTHON'
import concurrent.futures, filecmp, hashlib, io, json, os, pathlib, shutil, subprocess, sys

sys.path.insert(0, os.environ["CLUSNAP_SHARED"] + "/tools")
sys.dont_write_bytecode = True
from regf_image import ImageCheck
from regf_read import Hive, tree_hash

clusnap, labs, work = sys.argv[1:]
SLOW_JUDGES = (3, 8)  # seeds for which every image is given to hivexml, regfinfo and reglookup
CONDITION = {"clean": "clean", "dirty": "recovered", "missing": "missing",
             "empty": "damaged", "torn": "damaged"}
seen = {}


def judge(path):
    """The hash of a tree, and what is wrong with the image."""
    data = pathlib.Path(path).read_bytes()
    key = hashlib.sha256(data).digest()
    if key not in seen:
        hive = Hive(data)
        digest = tree_hash(hive)
        check = ImageCheck(Hive(data))
        seen[key] = digest, list(hive.problems) + violations(check)
    return seen[key]


def violations(check):
    check.run()
    return list(check.violations)


def run(*args, judge=False):
    return subprocess.run([str(a) for a in args], capture_output=True, text=True, timeout=300)


class Seed:
    def __init__(self, seed):
        self.seed, self.bad = seed, []
        self.lab = pathlib.Path(labs, str(seed))
        self.expected = json.loads((self.lab / "expected.json").read_text())
        self.work = pathlib.Path(work, str(seed))
        self.work.mkdir()

    def check(self, good, *what):
        if not good:
            self.bad.append(" ".join(str(w) for w in what))
        return good

    def equal(self, found, wanted, *what):
        return self.check(found == wanted, *what, "found %r, put there %r" % (found, wanted))

    def json(self, *args):
        done = run(clusnap, *args)
        return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr

    def status(self, name, node):
        code, found, err = self.json("status", "--json", self.lab / name)
        found = found["systems"][0]
        good = node["clusdb_condition"] in ("clean", "dirty")
        self.equal(code, 0 if good and node["cluster_state"] == 3 else 1, name, "exit", err)
        self.equal(found["state"], node["cluster_state"], name, "state")
        self.equal(found["state_name"], node["cluster_state_name"], name, "state_name")
        self.equal(found["generation"], node["generation"], name, "generation")
        self.equal(found["node"], node["node_name"], name, "node")
        self.equal(found["hibernated"], node["hibernated"], name, "hibernated")
        self.equal(found["clusdb"]["path"], node["clusdb"], name, "path of ClusDb")
        self.equal(found["clusdb"]["condition"], CONDITION[node["clusdb_condition"]], name)
        codes = {p["code"] for p in found["problems"]}
        self.equal("hibernated" in codes, node["hibernated"], name, codes)
        if good:
            self.equal(found["cluster"], node["cluster_name"], name, "cluster")
            self.equal(found["cluster_instance_id"], node["cluster_instance_id"], name)
            self.equal(found["version"], node["version_tag"], name, "version")
            self.equal("dangling-reference" in codes, bool(node["dangling"]), name, codes)
            text = " ".join(p["text"] for p in found["problems"])
            for dangling in node["dangling"]:
                self.check(dangling["guid"] in text, name, "does not name", dangling)
            self.equal("checkpoint-overlap" in codes, bool(node.get("overlaps")), name, codes)
        return good

    def images(self, name, snapshot, wanted):
        for file, digest in wanted.items():
            found, wrong = judge(snapshot / file)
            self.equal(found, digest, name, file)
            self.check(not wrong, name, file, wrong[:3])
            for tool in ("hivexml", "regfinfo", "reglookup") if self.seed in SLOW_JUDGES else ():
                done = run(tool, snapshot / file)
                # reglookup warns of every name that is not ASCII, whoever wrote the hive
                said = [line for line in done.stderr.splitlines()
                        if not (tool == "reglookup" and line.startswith("WARN"))]
                self.check(done.returncode == 0 and not said, name, file, tool, said[:1])

    def backup(self, name, node):
        one, two = self.work / (name + "-1"), self.work / (name + "-2")
        code, found, err = self.json("backup", "--json", "--copy-to", two, self.lab / name, one)
        if not self.check(code == 0, name, "backup:", code, err):
            return
        self.check(found["complete"] and not found["damage"], name, "not complete")
        self.equal(found["cluster"], node["cluster_name"], name, "cluster of the snapshot")
        wanted = {"%s/%s.CPT" % (c["resource"], c["id"]): c["hash"]
                  for c in node["checkpoints"] if c["present"]}
        self.equal({f["path"] for f in found["files"] if f["kind"] == "cpt"}, set(wanted), name)
        states = sorted(f["path"] for f in found["files"] if f["kind"] == "chk")
        self.images(name, one, {**wanted, states[-1]: node["clusdb_hash"]})
        if len(states) > 1:  # the first is what the log of a dirty ClusDb starts from
            known = [s["hash"] for s in node.get("dirty_states", [])]
            self.equal((states[0], known.count(judge(one / states[0])[0])), ("chk0001.tmp", 1), name)
        self.equal(found["id"], hashlib.sha256((one / "quolog.log").read_bytes()).hexdigest(),
                   name, "id")
        for file in found["files"]:
            data = (one / file["path"]).read_bytes()
            self.equal(file["sha256"], hashlib.sha256(data).hexdigest(), name, file["path"])
            self.check((two / file["path"]).read_bytes() == data, name, file["path"], "copy")
        self.equal(self.json("verify", "--json", "--expect", found["id"], two)[0], 0, name)
        shutil.rmtree(two)
        self.equal(self.json("backup", "--json", self.lab / name, two)[1]["id"], found["id"],
                   name, "id of a second backup")
        found = self.json("backup", "--json", "--append", self.lab / name, one)[1]
        self.equal(found["changed"], False, name, "changed, appended to itself")
        done = run("diff", "-r", one, two)
        self.check(done.returncode == 0, name, "second backup, and an append:", done.stdout[:200])

    def checkpoints(self, name, node):
        code, found, err = self.json("checkpoint", "list", "--json", self.lab / name)
        found = {(c["type"], c["resource"], c["id"]): c for c in found["checkpoints"]}
        for point in node["checkpoints"]:
            entry = found.pop(("registry", point["resource"], point["id"]))
            self.equal(entry["resource_name"], point["resource_name"], name)
            self.equal(entry["path"], point["stored"], name)
            self.equal(entry["present"], point["present"], name, point["stored"])
            if point["hive"]:
                self.equal(entry["hive"], point["hive"], name)
                self.equal(entry["key"].lower(), point["key"].lower(), name)
            codes = {p["code"] for p in entry["problems"]}
            self.equal("checkpoint-key-missing" in codes, point["problem"] == "missing", codes)
            self.equal("checkpoint-path-prefixed" in codes, point["problem"] == "prefix", codes)
        for point in node["crypto_checkpoints"]:
            entry = found.pop(("crypto", point["resource"], point["id"]))
            self.equal(entry["present"], point["present"], name, point["stored"])
            if point["present"]:
                self.equal(entry["file"], point["file"], name)
        self.check(not found, name, "made up:", list(found))

    def newest(self):
        for cluster, about in self.expected["clusters"].items():
            nodes = [self.lab / n for n in about["oldest_first"]]
            for order in (nodes, nodes[::-1]):
                found = self.json("status", "--json", *order)[1]
                self.equal(found["newest"], str(self.lab / about["newest"]), cluster, "newest")
                self.check(len(order) == 1 or found["newest_by_cluster"][0]["why"], "no reason")
        first = [n["newest"] for n in self.expected["clusters"].values()][:2]
        code, found, err = self.json("backup", *(self.lab / n for n in first), self.work / "mix")
        self.check(code == 3 and "5893" in err, "different clusters:", code, err)
        self.check(not (self.work / "mix").exists(), "different clusters: something was written")

    def quorum(self):
        disk, snapshot = self.lab / "quorum-2003", self.work / "quorum"
        code, found, err = self.json("backup", "--json", self.lab / "node-2003-a", "--quorum",
                                     disk, snapshot)
        self.equal(code, 0, "backup with quorum disk:", err)
        points = self.expected["nodes"]["node-2003-a"]["crypto_checkpoints"]
        self.equal({f["path"] for f in found["files"] if f["kind"] == "cpr"},
                   {"%s/%s.CPR" % (p["resource"], p["id"]) for p in points}, ".CPR files")
        for file in found["files"]:
            if file["kind"] == "cpr":
                self.check(filecmp.cmp(snapshot / file["path"], disk / "MSCS" / file["path"],
                                       False), file["path"], "differs")

    def run(self):
        for name, node in self.expected["nodes"].items():
            if self.status(name, node):
                self.backup(name, node)
                self.checkpoints(name, node)
                continue
            code, found, err = self.json("backup", self.lab / name, self.work / "none")
            self.check(code == (4 if CONDITION[node["clusdb_condition"]] == "damaged" or
                                node["cluster_state"] == 3 else 1) and err, name, code, err)
            self.check(not (self.work / "none").exists(), name, "something was written")
        self.newest()
        self.quorum()
        shutil.rmtree(self.work)
        return self.seed, self.bad


failed = 0
with concurrent.futures.ProcessPoolExecutor(2) as pool:
    jobs = [pool.submit(Seed.run, Seed(seed)) for seed in range(1, 21)]
    for number, job in enumerate(jobs, 1):
        seed, bad = job.result()
        failed += bool(bad)
        print("%sok %d - seed %d" % ("not " if bad else "", number, seed), flush=True)
        for line in bad[:20]:
            print("#   " + line)
print("1..%d" % len(jobs))
sys.exit(failed > 0)
PYTHON
