#!/bin/bash
# The log of a dirty ClusDb, and of three copies of one: each state is put before the oracle.
# LABS is how many disks are taken (1); 20 is the whole round.
set -u
export LC_ALL=C.UTF-8
if [ -z "${CLUSNAP_SHARED-}" ]; then
	echo "1..0 # SKIP CLUSNAP_SHARED is not set"
	exit 0
fi
labs=$(tests/labs "${LABS:-1}") || exit 1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
clusnap=("${BUILD:-build}/clusnap")
oracle=$CLUSNAP_SHARED/tools/regf_oracle.py
plan=0 failed=0

result() # STATUS NAME
{
	plan=$((plan + 1))
	[ "$1" -eq 0 ] && echo "ok $plan - $2" || { echo "not ok $plan - $2"; failed=1; }
}

# hashes SNAPSHOT: of every state it holds, in order, each once
hashes()
{
	local seq last
	last=$("${clusnap[@]}" verify --json "$1" | python3 -c 'import json, sys
print(json.load(sys.stdin)["sequence"])')
	for seq in $(seq "$last"); do
		"${clusnap[@]}" extract --quiet --to "$seq" "$1" "$dir/state" || echo failed
		"$oracle" hash "$dir/state"
	done | uniq
}

for seed in $(seq "${LABS:-1}"); do
	lab=$labs/$seed
	python3 - "$lab" >"$dir/expected" <<-'END'
		import json, sys
		states = json.load(open(sys.argv[1] + "/expected.json"))["nodes"]["node-2019-b"]["dirty_states"]
		print("\n".join(state["hash"] for state in states))
	END
	"${clusnap[@]}" backup --quiet "$lab/node-2019-b" "$dir/b" 2>"$dir/err" ||
		sed 's/^/# /' "$dir/err"
	hashes "$dir/b" >"$dir/found"
	cmp "$dir/expected" "$dir/found"
	result $? "$seed: each entry of the logs is a state, in order"
	[ "$("${clusnap[@]}" log "$dir/b" | grep -c 'transaction .*CLUSDB.LOG[12] entry')" -eq \
		$(($(wc -l <"$dir/expected") - 1)) ]
	result $? "$seed: each step between them is a transaction, and says its log"

	"${clusnap[@]}" backup --quiet "$lab"/node-2019-{c,b,a} "$dir/cba" 2>"$dir/err" ||
		sed 's/^/# /' "$dir/err"
	"${clusnap[@]}" backup --quiet "$lab"/node-2019-{a,c,b} "$dir/acb" 2>/dev/null
	diff -r "$dir/cba" "$dir/acb"
	result $? "$seed: the order of the arguments does not matter"
	hashes "$dir/cba" >"$dir/found"
	[ "$(head -n 1 "$dir/found")" = "$("$oracle" hash "$lab/node-2019-c/Windows/Cluster/CLUSDB")" ]
	result $? "$seed: of three copies, the oldest by its tag comes first"
	[ "$(tail -n 1 "$dir/found")" = "$("$oracle" hash "$lab/node-2019-a/Windows/Cluster/CLUSDB")" ]
	result $? "$seed: the newest comes last"

	# What is in the log, read and carried out by another implementation of docs/quolog.md.
	"${clusnap[@]}" log --json "$dir/cba" >"$dir/json"
	python3 tests/quolog.py same "$dir/cba/quolog.log" "$dir/json" >"$dir/same"
	result $? "$seed: a second implementation reads the same changes"
	python3 tests/quolog.py states "$dir/cba" | awk '{ print $2 }' | uniq | cmp - "$dir/found"
	result $? "$seed: carried out by it they lead to the same states"
	[ "$(python3 tests/quolog.py between "$dir/cba")" -ge 2 ]
	result $? "$seed: the states between the copies are those that the times of keys say"

	# A witness disk's hive is a copy like any other.
	"${clusnap[@]}" backup --quiet "$lab"/node-2019-{b,c} "$lab/witness-2019/Cluster/0.hive" "$dir/witness" 2>"$dir/err" ||
		sed 's/^/# /' "$dir/err"
	hashes "$dir/witness" >"$dir/states"
	[ "$(tail -n 1 "$dir/states")" = "$(python3 -c 'import json, sys
print(json.load(open(sys.argv[1]))["witness-2019"]["hash"])' "$lab/expected.json")" ] &&
		[ "$(grep -Fxf "$dir/expected" "$dir/states")" = "$(cat "$dir/expected")" ] &&
		"${clusnap[@]}" log "$dir/witness" | grep -q 'from 0.hive (order inferred'
	result $? "$seed: a witness disk has the newest copy"

	# An old log, of dirty pages, brings a copy to its state.
	"${clusnap[@]}" backup --quiet "$lab"/node-2003-{a,b} "$dir/dirt" 2>/dev/null
	hashes "$dir/dirt" >"$dir/states"
	python3 - "$lab" "$dir/states" <<-'END'
		import json, sys
		nodes = json.load(open(sys.argv[1] + "/expected.json"))["nodes"]
		states = open(sys.argv[2]).read().split()
		assert nodes["node-2003-b"]["clusdb_condition"] == "dirty"
		assert states[0] == nodes["node-2003-b"]["clusdb_hash"], "first"
		assert states[-1] == nodes["node-2003-a"]["clusdb_hash"], "last"
	END
	result $? "$seed: a log of dirty pages is applied, the copies are in order"
	[ "$(python3 tests/quolog.py between "$dir/dirt")" -ge 1 ]
	result $? "$seed: so are the states between them"

	# Two chk files on a quorum disk: both are copies, the older one is where the log begins.
	read -r clusdb first last < <(python3 - "$lab" <<-'END'
		import json, sys
		nodes = json.load(open(sys.argv[1] + "/expected.json"))["nodes"]
		print(nodes["node-2003-b"]["clusdb"], nodes["node-2003-b"]["clusdb_hash"],
		      nodes["node-2003-a"]["clusdb_hash"])
	END
	)
	cp -r "$lab/quorum-2003" "$dir/quorum"
	"${clusnap[@]}" recover --quiet "$lab/node-2003-b/$clusdb" "$dir/old" 2>/dev/null
	cp "$dir/old" "$dir/quorum/MSCS/chk000.tmp"
	"${clusnap[@]}" backup --quiet --quorum "$dir/quorum" "$lab/node-2003-a" "$dir/two" 2>"$dir/err" ||
		sed 's/^/# /' "$dir/err"
	hashes "$dir/two" >"$dir/chks"
	[ "$(head -n 1 "$dir/chks")" = "$first" ] && [ "$(tail -n 1 "$dir/chks")" = "$last" ]
	result $? "$seed: two chk files of a quorum disk are two copies"
	rm -rf "$dir/quorum" "$dir/two"
	[ "$(grep -Fxf "$dir/expected" "$dir/found")" = "$(cat "$dir/expected")" ]
	result $? "promise 7, $seed: between them is every state of the logs, in order"
	"${clusnap[@]}" log --json "$dir/cba" | python3 -c 'import json, sys
records = json.load(sys.stdin)["records"]
assert [r["sequence"] for r in records] == list(range(1, len(records) + 1))
assert records[0]["type"] == records[-1]["type"] == "checkpoint"
steps = records[1:-1]
assert all(r["type"] == "transaction" and r["changes"] for r in steps)
assert all(r["order"] == ("known" if " entry " in r["origin"] else "inferred") for r in steps)
assert [r["time"] for r in records] == sorted(r["time"] for r in records)'
	result $? "$seed: the log in JSON"
	"${clusnap[@]}" backup --quiet --max-log 9000 "$lab"/node-2019-{c,b,a} "$dir/small" 2>/dev/null &&
		"${clusnap[@]}" verify --quiet "$dir/small" &&
		[ "$(hashes "$dir/small" 2>/dev/null | tail -n 1)" = "$(tail -n 1 "$dir/found")" ] &&
		[ "$("${clusnap[@]}" log "$dir/small" | head -n 1 | awk '{print $1}')" -gt 1 ]
	result $? "$seed: a log that outgrows its limit begins anew, its numbers go on"

	"${clusnap[@]}" backup --quiet --append "$lab/node-2019-c" "$dir/more" 2>/dev/null
	cp -a "$dir/more" "$dir/first"
	"${clusnap[@]}" backup --quiet --append "$lab/node-2019-b" "$dir/more" 2>/dev/null &&
		"${clusnap[@]}" backup --quiet --append "$lab/node-2019-a" "$dir/more" 2>/dev/null
	result $? "$seed: backup --append, twice"
	size=$(stat -c %s "$dir/first/quolog.log")
	cmp -n "$size" "$dir/first/quolog.log" "$dir/more/quolog.log" &&
		cmp "$dir/first/chk0001.tmp" "$dir/more/chk0001.tmp" && [ -e "$dir/more/chk0003.tmp" ]
	result $? "$seed: what was there is still there, byte for byte"
	hashes "$dir/more" >"$dir/appended"
	diff "$dir/found" "$dir/appended"
	result $? "promise 7, $seed: it has the same states as a backup of all"
	cp -a "$dir/more" "$dir/kept"
	for row in node-2019-a 'node-2019-c node-2019-b node-2019-a'; do
		read -ra disks <<<"$row"
		[ "$("${clusnap[@]}" backup --json --append "${disks[@]/#/$lab/}" "$dir/more" 2>/dev/null | jq .changed)" = false ] &&
			diff -r "$dir/kept" "$dir/more"
		result $? "$seed: backup --append of what is there (${row// /, }) changes nothing"
	done
	[ "$("${clusnap[@]}" backup --json --append "$lab/node-2019-b" "$dir/b" 2>/dev/null | jq .changed)" = false ]
	result $? "$seed: nor does that of a dirty ClusDb, whose logs are replayed once more"
	rm -rf "$dir/kept"
	cp -a "$dir/more" "$dir/kept"
	for row in 'node-2019-b newer' 'node-other-cluster 5893'; do
		status=0
		"${clusnap[@]}" backup --append "$lab/${row% *}" "$dir/more" >/dev/null 2>"$dir/err" || status=$?
		[ $status -eq 3 ] && grep -q "${row#* }" "$dir/err" && diff -r "$dir/kept" "$dir/more"
		result $? "$seed: backup --append of ${row% *}: 3, nothing is changed"
	done
	"${clusnap[@]}" backup --quiet --append --max-log 100 "$lab/node-2019-a" "$dir/first" 2>/dev/null &&
		"${clusnap[@]}" verify --quiet "$dir/first" && [ ! -e "$dir/first/chk0002.tmp" ] &&
		[ "$("${clusnap[@]}" log "$dir/first" | awk '{print $1}')" -gt 1 ]
	result $? "$seed: a log that goes on and outgrows its limit begins anew"
	rm -rf "${dir:?}"/*
done
echo "1..$plan"
exit $failed
