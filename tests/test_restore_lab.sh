#!/bin/bash
# restore and undo on made-up disks of mklab.py, on an NTFS volume where that can be mounted: CLUSDB
# damaged in four ways, every state of a dirty node's history, checkpoints; judged by the oracle.
# Needs CLUSNAP_SHARED: a folder with tools/ (the judge and the maker of disks). RESTORE_SEEDS="1 2 3":
# other seeds than the two that are enough every time.
set -u
export LC_ALL=C.UTF-8
if [ -z "${CLUSNAP_SHARED-}" ]; then
	echo "1..0 # SKIP CLUSNAP_SHARED is not set"
	exit 0
fi
labs=$(tests/labs) || exit 1
work=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d) # memory: a disk waits for each fsync
disks=$work/disks
mkdir "$disks"
trap 'cd /; while mountpoint -q "$disks"; do umount "$disks" || sleep 0.1; done; rm -rf "$work"' EXIT
if [ -c /dev/fuse ] && [ "$(id -u)" -eq 0 ] && command -v mkntfs ntfs-3g >/dev/null; then
	truncate -s 64M "$work/ntfs.img"
	mkntfs -F -q "$work/ntfs.img" >/dev/null 2>&1
	ntfs-3g -o rw,nodev,nosuid,noexec,windows_names "$work/ntfs.img" "$disks" || exit 1
else
	echo "# no /dev/fuse, no ntfs-3g, or not root: on a plain directory instead of NTFS"
fi
python3 - "$(realpath "${BUILD:-build}")/clusnap" "$labs" "$work" <<'PYTHON'
import json, os, pathlib, re, shutil, subprocess, sys

sys.path.insert(0, os.environ["CLUSNAP_SHARED"] + "/tools")
sys.dont_write_bytecode = True
from regf_image import ImageCheck
from regf_read import Hive, dump, tree_hash, units_of
from regf_replay import replay

clusnap, labs, work = sys.argv[1:]
force = ["--force", "undo-not-durable"]  # the work is in memory
disks = pathlib.Path(work, "disks")
bad = []


def check(good, *what):
    if not good:
        bad.append(" ".join(str(w) for w in what))


def run(want, *args):
    done = subprocess.run([clusnap, *map(str, args)], capture_output=True, text=True, timeout=300)
    check(done.returncode == want, *args, ": exit", done.returncode, done.stderr)
    return done.stdout


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def fresh(lab, name):
    """A copy of a disk on the volume."""
    place = disks / name
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(lab / name, place)
    return place


def hash_of(path, key=""):
    return tree_hash(Hive(pathlib.Path(path).read_bytes()), key)


def is_image(path, what):
    """A sound hive; the file may be longer, with zeros behind the bins, for it keeps its size."""
    data = pathlib.Path(path).read_bytes()
    size = 4096 + int.from_bytes(data[40:44], "little")
    check(not any(data[size:]), what, "has something behind its bins")
    hive = Hive(data[:size])
    check_image = ImageCheck(hive)
    check_image.run()
    check(not check_image.violations and not hive.problems, what, check_image.violations[:3], hive.problems[:3])


def newest(snapshot):
    return max(snapshot.glob("chk*.tmp"), key=lambda path: int(path.stem[3:], 16))


def damage(path, how):
    data = path.read_bytes()
    if how == "deleted":
        path.unlink()
    else:
        path.write_bytes({"zeroed": bytes(len(data)), "truncated": data[:len(data) // 2],
                          "bytes": data[:5000] + bytes(64) + data[5064:]}[how])


def belongs(path, what):
    return re.fullmatch(r"CLUSDB(\.|\{.*)" + what, path.name, re.IGNORECASE)


def expected_files(before, clusdb):
    """What must be there after a restore, but for CLUSDB itself: logs without their first sector, no
    files of kernel transactions, all else as it was."""
    after = {}
    for path, data in before.items():
        path = pathlib.Path(path)
        if path.parent == clusdb.parent and belongs(path, r"(.*\.)?(blf|container|regtrans-ms)"):
            continue
        if path.parent == clusdb.parent and belongs(path, "LOG[12]?"):
            data = bytes(min(len(data), 512)) + data[512:]
        after[str(path)] = data
    after.pop(str(clusdb), None)
    return after


def restore(lab, name, path, snapshot, how):
    """A node restore after damage, and its undo; all that must hold afterwards. PATH: of CLUSDB."""
    node = fresh(lab, name)
    clusdb = node / path
    undos = pathlib.Path(work, "undo")
    shutil.rmtree(undos, ignore_errors=True)
    damage(clusdb, how)
    before = files(node)
    what = f"{name} {how}"
    told = json.loads(run(0, "restore", "--json", *force, "--undo", undos, snapshot, node))
    after = files(node)
    changed = {path for path in before | after if before.get(path) != after.get(path)}
    check(changed == {step["path"] for step in told["steps"]}, what, "changed", sorted(changed))
    # Where there was none, it has the usual spelling.
    clusdb = next((one for one in clusdb.parent.iterdir() if one.name.upper() == "CLUSDB"), clusdb)
    relative = clusdb.relative_to(node)
    check({path: data for path, data in after.items() if path != str(relative)} == expected_files(before, relative),
          what, "other files", sorted(changed))
    check(str(relative) in after, what, "no CLUSDB")
    check(len(after.get(str(relative), b"")) >= len(before.get(str(relative), b"")), what, "is shorter")
    undo = pathlib.Path(told["undo"])
    for number, step in enumerate(told["steps"], 1):
        if step["old"]:
            kept = undo / "old" / f"{number}-{pathlib.Path(step['path']).name}"
            check(kept.read_bytes() == before[step["path"]], what, kept, "is not the old file")
    check(hash_of(clusdb) == hash_of(newest(snapshot)), what, "has another tree")
    is_image(clusdb, what)
    run(0, "restore", *force, "--undo", undos, snapshot, node)
    check(files(node) == after, what, "a second restore changed something")
    run(0, "status", node)
    run(0, "undo", undo, node)
    check(files(node) == before, what, "undo", sorted(path for path in before | files(node)
                                                      if before.get(path) != files(node).get(path)))
    shutil.rmtree(node)


def subtree_free(data, keys):
    """The dump of a hive without some subtrees."""
    hive = Hive(data)
    kept, inside = [], False
    for line in dump(hive, hive.find("")):
        if line.startswith("K\t"):
            path = line.split("\t")[1].upper()
            inside = any(path == key.upper() or path.startswith(key.upper() + "\\") for key in keys)
        if not inside:
            kept.append(line)
    return kept


def recovered(hive_path):
    """What the oracle makes of a hive and the logs beside it."""
    logs = [path for path in hive_path.parent.iterdir()
            if path.name.upper().startswith(hive_path.name.upper() + ".LOG") and path.stat().st_size]
    data = hive_path.read_bytes()
    base = Hive(data).base
    if base.whole and base.seq1 == base.seq2:
        return data
    out = pathlib.Path(work, "recovered")
    subprocess.run([sys.executable, os.environ["CLUSNAP_SHARED"] + "/tools/regf_oracle.py", "replay", str(hive_path),
                    *map(str, logs), "-o", str(out)], check=True, capture_output=True)
    return out.read_bytes()


def checkpoints(lab, expected, name, snapshot):
    """--checkpoints of one node's snapshot into another node's disk."""
    node = fresh(lab, name)
    info = expected["nodes"][name]
    targets = {}
    for point in info["checkpoints"]:
        image = snapshot / point["resource"] / (point["id"] + ".CPT")
        if point["key"] and image.exists():
            targets.setdefault(point["hive"], {})[point["key"]] = image
    before = {hive: recovered(node / hive) for hive in targets}
    old = files(node)
    plan = json.loads(run(0, "restore", "--json", *force, "--checkpoints", snapshot, node))
    for hive, keys in targets.items():
        for key, image in keys.items():
            check(hash_of(node / hive, units(key)) == hash_of(image), name, hive, key, "is not its image")
        is_image(node / hive, f"{name} {hive}") if any(s["path"].upper().endswith(hive.split("/")[-1].upper())
                                                      for s in plan["steps"]) else None
        check(subtree_free(before[hive], keys) == subtree_free((node / hive).read_bytes(), keys),
              name, hive, "changed outside of the checkpoints")
    after = files(node)
    run(0, "restore", *force, "--checkpoints", snapshot, node)
    check(files(node) == after, name, "a second restore of checkpoints changed something")
    if plan["undo"]:
        run(0, "undo", plan["undo"], node)
        check(files(node) == old, name, "undo of checkpoints")
    shutil.rmtree(node)
    return len(plan["steps"])


def units(key):
    return units_of(key.encode("utf-16-le", "surrogatepass"), False)


def history(lab, expected):
    """Every state of a dirty node's history, restored into it."""
    node = fresh(lab, "node-2019-b")
    snapshot = pathlib.Path(work, "history")
    shutil.rmtree(snapshot, ignore_errors=True)
    run(0, "backup", "--quiet", lab / "node-2019-b", snapshot)
    records = json.loads(run(0, "log", "--json", snapshot))["records"]
    hashes = {state if isinstance(state, str) else state["hash"]
              for state in expected["nodes"]["node-2019-b"]["dirty_states"]}
    found = set()
    for sequence in range(records[0]["sequence"], records[-1]["sequence"] + 1):
        run(0, "restore", *force, "--to", sequence, snapshot, node)
        found.add(hash_of(node / "Windows/Cluster/CLUSDB"))
    check(hashes <= found, "states of node-2019-b that cannot be restored:", len(hashes - found), "of", len(hashes))
    shutil.rmtree(node)
    return len(found)


HOWS = ["zeroed", "truncated", "bytes", "deleted"]
number = 0
seeds = [int(seed) for seed in os.environ.get("RESTORE_SEEDS", "3 8").split()]
print(f"1..{len(seeds)}")
for seed in seeds:
    bad.clear()
    lab = pathlib.Path(labs, str(seed))
    expected = json.loads((lab / "expected.json").read_text())
    first, second = (pathlib.Path(work, f"{seed}-{g}") for g in (1, 2))
    run(0, "backup", "--quiet", "--quorum", lab / "quorum-2003", lab / "node-2003-b", lab / "node-2003-a", first)
    run(0, "backup", "--quiet", *(lab / f"node-2019-{n}" for n in "cba"), second)
    for i, (name, snapshot) in enumerate([("node-2003-a", first), ("node-2003-b", first), ("node-2019-a", second),
                                          ("node-2019-b", second), ("node-2019-c", second)]):
        restore(lab, name, expected["nodes"][name]["clusdb"], snapshot, HOWS[(i + seed) % 4])
    steps = [checkpoints(lab, expected, name, snapshot)
             for name, snapshot in (("node-2003-b", first), ("node-2019-b", second), ("node-2019-c", second))]
    states = history(lab, expected)
    number += 1
    print(("not ok" if bad else "ok"), number, f"- seed {seed}: 5 node restores, checkpoints in {steps} steps, "
          f"{states} states")
    for line in bad[:20]:
        print("# " + line.replace("\n", " | "))
PYTHON
