#!/bin/bash
# clusnap checkpoint list --quorum and --with: whether the key on the node's disk, the snapshot's
# image and the quorum disk's are equal, on copies of the sample with all that can be wrong
# planted; and, with CLUSNAP_SHARED, on the disks of mklab.py, where the judge knows it.
. tests/cli.sh

list() # STATUS ARGUMENT...
{
	local wanted=$1
	shift
	run "$wanted" checkpoint list "$@"
}

# The column COPIES of each checkpoint, in the order of the list.
copies() {
	perl -CSD -ne 'if ($. == 1) { ($from, $to) = (index($_, "COPIES"), index($_, "PATH")); next }
		last if /^(checkpoint|crypto)-/;
		$_ = substr($_, $from, $to - $from); s/ *$//; print "$_\n"' "$dir/out"
}
same() # TEXT: the column is this
{
	copies | diff <(echo "$1") - >>"$dir/why"
}
# What JSON says of one checkpoint: NAME ID TYPE FILTER
about() { jq -r ".checkpoints[] | select(.resource_name == \"$1\" and .id == \"$2\" and .type == \"$3\") | $4" "$dir/out"; }
says() # TEXT... of the problem CODE of a checkpoint
{
	about "$1" "$2" "$3" ".problems[] | select(.code == \"$4\") | .text" >"$dir/said"
	echo "$5" | diff - "$dir/said" >>"$dir/why"
}

cp -r testdata "$dir/disks"
node=$dir/disks/node-2003 quorum=$dir/disks/quorum-2003 snapshot=$dir/snapshot
software=$(find "$node" -ipath '*/config/software')
sql=2e9ca17f-636b-4143-aaf5-92757f06c6ac agent=ca7d4543-8bf9-4c9e-a2c1-7e9fe90b70b9
"$clusnap" backup --quiet --quorum "$quorum" "$node" "$snapshot" 2>"$dir/err"
ok "a snapshot to compare with"

# --- nothing is asked for ---

list 0 "$node" && ! grep -q COPIES "$dir/out"
ok "without an option there is nothing to compare"
list 0 --json "$node" && [ "$(jq -c '[.checkpoints[] | .snapshot, .quorum, .equal] | unique' "$dir/out")" = '[null]' ] &&
	[ "$(jq '[.checkpoints[] | (.live != null) == (.present and .type == "registry")] | all' "$dir/out")" = true ]
ok "JSON has the digests of the one place that is there"

# --- all is equal ---

list 0 --quorum "$quorum" --with "$snapshot" "$node" && same "equal
equal
equal
- (none: live, snapshot, quorum)
equal
equal
- (none: live, snapshot, quorum)
equal
equal
equal"
ok "three places, all equal: exit 0"
list 0 --json --quorum "$quorum" --with "$snapshot" "$node" &&
	[ "$(about 'SQL Server' 00000001 registry '.equal, (.live == .quorum), (.live == .snapshot), (.live | length)' | xargs)" = 'true true true 64' ] &&
	[ "$(about 'SQL Server' 00000001 crypto '.equal, .live, (.snapshot == .quorum)' | xargs)" = 'true null true' ] &&
	[ "$(about 'SQL Server' 00000001 crypto .quorum)" = "$(sha256sum <"$quorum/MSCS/$sql/00000001.CPR" | cut -c1-64)" ] &&
	[ "$(about 'SQL Server' 00000004 registry '.equal, .live, .snapshot, .quorum' | xargs)" = 'null null null null' ]
ok "the same in JSON; a .CPR by the SHA-256 of its bytes"
cp "$dir/out" "$dir/from-node"
list 0 --json --quorum "$quorum" --with "$node" "$snapshot" &&
	jq -c '[.checkpoints[] | .live, .snapshot, .quorum, .equal]' "$dir/out" >"$dir/a" &&
	jq -c '[.checkpoints[] | .live, .snapshot, .quorum, .equal]' "$dir/from-node" | diff "$dir/a" - >"$dir/why"
ok "asked of the snapshot, with the node's disk: the same"

# --- something is not ---

online="when the resource next goes online, Windows overwrites the node's key with the quorum disk's .CPT"
"$clusnap" save --quiet "$software" 'Microsoft\Microsoft SQL Server\MSSQL.1' "$dir/other" &&
	cp "$dir/other" "$quorum/MSCS/$sql/00000002.CPT" &&
	truncate -s 5000 "$quorum/MSCS/$sql/00000003.CPT" &&
	rm "$quorum/MSCS/$agent/00000001.CPT" &&
	printf x >>"$quorum/MSCS/$sql/00000001.CPR"
ok "another image, a damaged one, a missing one, another .CPR"
list 1 --quorum "$quorum" --with "$snapshot" "$node" && same "equal
differs: quorum
equal (damaged: quorum)
- (none: live, snapshot, quorum)
differs: quorum
equal
- (none: live, snapshot, quorum)
equal
equal
equal (none: quorum)"
ok "each is said, none is fatal: exit 1"
grep -q "^checkpoint-differs: registry checkpoint 00000002 of SQL Server: the quorum disk's .CPT differs from the node's key and the snapshot's .CPT; $online\$" "$dir/out"
ok "which one differs, and what Windows will do"
grep -q "^checkpoint-differs: crypto checkpoint 00000001 of SQL Server: the quorum disk's .CPR differs from the snapshot's .CPR; when the resource next goes online, Windows puts the keys of the quorum disk's .CPR into the key container\$" "$dir/out"
ok "the same of a .CPR"
grep -q "^checkpoint-damaged: registry checkpoint 00000003 of SQL Server: the quorum disk's .CPT cannot be read: .*MSCS/$sql/00000003.CPT: " "$dir/out"
ok "a damaged image is named"
list 1 --json --quorum "$quorum" "$node" &&
	[ "$(about 'SQL Server' 00000002 registry '.equal, .differs[], .snapshot' | xargs)" = 'false quorum null' ] &&
	[ "$(about 'SQL Server' 00000003 registry '.equal, .quorum' | xargs)" = 'null null' ] &&
	says 'SQL Server' 00000002 registry checkpoint-differs "the quorum disk's .CPT differs from the node's key; $online"
ok "two places of three, in JSON"
list 1 --quorum "$quorum" "$snapshot" && [ "$(copies | grep -c differs)" = 2 ] && [ "$(copies | grep -c 'none: live')" = 0 ]
ok "a snapshot beside a quorum disk, without a node"

cp "$quorum/MSCS/$sql/00000001.CPT" "$quorum/MSCS/$sql/00000002.CPT"
mkfifo "$quorum/MSCS/$agent/00000001.CPT"
ln -sf /etc/passwd "$quorum/MSCS/$sql/00000001.CPT"
: >"$quorum/MSCS/$sql/00000003.CPT"
timeout 300 "$clusnap" checkpoint list --quorum "$quorum" "$node" >"$dir/out" 2>"$dir/err"
[ $? -eq 1 ] && [ "$(grep -c '^checkpoint-damaged:' "$dir/out")" -ge 3 ] && ! grep -q root: "$dir/out"
ok "a FIFO, a link out of the disk and an empty file are damaged, no more"

# --- the snapshot ---

rm -rf "$quorum" && cp -r testdata/quorum-2003 "$quorum"
cp -r "$snapshot" "$dir/broken" && chmod -R u+w "$dir/broken" &&
	printf x | dd of="$dir/broken/$sql/00000001.CPT" bs=1 seek=9000 conv=notrunc status=none &&
	rm "$dir/broken/$sql/00000001.CPR" && cp "$dir/other" "$dir/broken/$sql/00000002.CPT"
list 1 --quorum "$quorum" --with "$dir/broken" "$node" && same "equal (damaged: snapshot)
equal (damaged: snapshot)
equal
- (none: live, snapshot, quorum)
- (damaged: snapshot)
equal
- (none: live, snapshot, quorum)
equal
equal
equal"
ok "files of a snapshot that are not as its log says are no images"
list 2 --with "$dir" "$node" && grep -q 'are not one of each$' "$dir/err"
ok "a directory that is no snapshot: wrong usage"
mkdir "$dir/empty" && : >"$dir/empty/quolog.log"
list 1 --with "$dir/empty" "$node" && [ ! -s "$dir/out" ] && grep -q '^clusnap: .*/empty: quolog.log: ' "$dir/err"
ok "a snapshot without a manifest"
"$clusnap" backup --quiet "$dir/disks/node-2019" "$dir/second" 2>"$dir/err"
list 3 --with "$dir/second" "$node" && grep -q 'is of another cluster, NORDSEE' "$dir/err"
ok "another cluster's snapshot: refused"
list 3 --with "$dir/disks/node-2019" "$snapshot" && grep -q 'is of another cluster, NORDSEE' "$dir/err"
ok "another cluster's node: refused"
list 2 --with "$snapshot" "$snapshot" && list 2 --with "$node" "$node" &&
	run 2 --with "$snapshot" "$node/WINNT/Cluster/CLUSDB" && list 2 --with "$node/WINNT/Cluster/CLUSDB" "$snapshot"
ok "two of a kind: wrong usage"
mkdir "$dir/nothing" && list 4 --quorum "$dir/nothing" "$node" && grep -q 'it is no quorum disk' "$dir/err"
ok "no quorum disk"

# --- the node ---

cp -r "$node" "$dir/moved" && hive=$(find "$dir/moved" -ipath '*/config/software') && head -c 8000 "$software" >"$hive"
list 1 --quorum "$quorum" --with "$dir/moved" "$snapshot" && [ "$(copies | grep -c 'equal (damaged: live)')" = 5 ] &&
	grep -q "^checkpoint-damaged: registry checkpoint 00000001 of SQL Server: the node's key cannot be read: " "$dir/out"
ok "a node whose SOFTWARE is damaged, beside a snapshot"
second=$dir/disks/node-2019
list 0 --with "$dir/second" "$second" && [ "$(copies | grep -c '^equal$')" = 6 ]
ok "the second generation: equal"
"$clusnap" save --quiet "$software" 'Microsoft\Microsoft SQL Server\MSSQL.1\Cluster' "$dir/cpt" &&
	cp -r "$quorum" "$dir/old-quorum" && cd "$dir/old-quorum/MSCS/$sql" && cp "$dir/cpt" 00000001.CPT
cd - >/dev/null || exit 1
id=$(jq -r '[.checkpoints[] | select(.resource_name == "SQL Server")][0].resource' <<<"$("$clusnap" checkpoint list --json "$second")")
[ "$id" = "$sql" ] || mv "$dir/old-quorum/MSCS/$sql" "$dir/old-quorum/MSCS/$id"
list 1 --json --quorum "$dir/old-quorum" "$second" &&
	says 'SQL Server' 00000001 registry checkpoint-differs "the quorum disk's .CPT differs from the node's key; when the resource next goes online, Windows 2008 and later overwrites the node's key with the copy in its cluster database, whose form is not public and which is not compared here"
ok "the second generation: what Windows will do is another thing"

if [ -z "${CLUSNAP_SHARED-}" ]; then
	echo "ok $((plan + 1)) # SKIP CLUSNAP_SHARED is not set: no made-up disks"
	echo "1..$((plan + 1))"
	exit $failed
fi
python3 - "$clusnap" "$(tests/labs)" "$dir" >"$dir/why" <<'PYTHON'
import itertools, json, pathlib, subprocess, sys

clusnap, labs, work = sys.argv[1:]
count = {"equal": 0, "differs": 0, "unknown": 0}


def seed(number):
    lab = pathlib.Path(labs, str(number))
    expected = json.loads((lab / "expected.json").read_text())
    snapshot = pathlib.Path(work, "lab%d" % number)
    quorum = {(f["resource"], f["id"]): f["hash"]
              for f in expected["quorum-2003"]["checkpoint_files"]}
    for name, other in itertools.product(("node-2003-a", "node-2003-b"), repeat=2):
        subprocess.run([clusnap, "backup", "--quiet", lab / other, snapshot], check=True,
                       stderr=subprocess.DEVNULL)
        done = subprocess.run([clusnap, "checkpoint", "list", "--json", "--quorum",
                               lab / "quorum-2003", "--with", snapshot, lab / name],
                              capture_output=True, text=True)
        kept = {(p["resource"], p["id"]): p["hash"] for p in
                expected["nodes"][other]["checkpoints"] if p["present"]}
        found = {(p["resource"], p["id"]): p for p in json.loads(done.stdout)["checkpoints"]
                 if p["type"] == "registry"}
        bad = False
        for point in expected["nodes"][name]["checkpoints"]:
            key = point["resource"], point["id"]
            hashes = [point["hash"] if point["present"] else None, kept.get(key), quorum.get(key)]
            said = [found[key][place] for place in ("live", "snapshot", "quorum")]
            there = [h for h in hashes if h]
            equal = None if len(there) < 2 else len(set(there)) == 1
            bad |= equal is False
            # the same pattern of equal and different ones, and the verdict
            pattern = [[h and h == i for i in hashes] for h in hashes]
            if pattern != [[s and s == t for t in said] for s in said] or found[key]["equal"] != equal:
                yield "seed %d %s %s: %s, should be %s" % (number, name, key, said, hashes)
            count["unknown" if equal is None else "equal" if equal else "differs"] += 1
            codes = {p["code"] for p in found[key]["problems"]}
            if ("checkpoint-differs" in codes) != (equal is False):
                yield "seed %d %s %s: problems %s" % (number, name, key, codes)
        if done.returncode != bad:
            yield "seed %d %s: exit status %d" % (number, name, done.returncode)


wrong = [text for number in range(1, 7) for text in seed(number)]
print("\n".join(wrong), count)
sys.exit(bool(wrong) or min(count.values()) < 10)
PYTHON
ok "the judge's hashes have the same pattern on six labs"
finish
