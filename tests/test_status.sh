#!/bin/bash
# What is said of a node, its database and its checkpoints: each problem of the contract on a disk
# that has it, the names in the documents, and what is newest.
. tests/backup.sh
node=$work/node
codes() { jq -r '[.systems[].problems[].code] | unique | join(" ")' <<<"$out"; }
has() { # CODE ARGUMENT...: is the code among the problems, and in the text too?
	local code=$1
	shift
	run status --json "$@"
	[[ " $(codes) " == *" $code "* ]] || wrong "$*: no $code, but $(codes)"
	run status "$@"
	[[ $out == *"$code: "* ]] || wrong "$*: $code is not said in words"
}
disk() { # VARIANT: makes $work/VARIANT
	mkdir "$work/$1"
	"$build/tests/tools/make_small_node" "$work/$1" "$1"
}
for variant in older other namesake nameless many twisted wrong forced stranger umlaut evicted gap; do
	disk $variant
done
cluster=Windows/Cluster config=Windows/System32/config

# --- each code ---

run status --json "$node"
[ -z "$(codes)" ] || wrong "a sound disk: $(codes)"
cp -r "$node" "$work/missing"
rm "$work/missing/$cluster/CLUSDB"
has clusdb-missing "$work/missing"
cp -r "$node" "$work/torn"
truncate -s 6000 "$work/torn/$cluster/CLUSDB"
has clusdb-damaged "$work/torn"
cp -r "$work/gap" "$work/dirty"
rm "$work/dirty/$cluster"/CLUSDB.LOG?
has clusdb-dirty "$work/dirty"
cp -r "$work/gap" "$work/one-log"
rm "$work/one-log/$cluster/CLUSDB.LOG1"
has log-missing "$work/one-log"
has clusdb-dirty "$work/one-log"
[ "$(run status --json "$work/one-log"; jq -r '.systems[0].clusdb | "\(.condition) \(.log_entries_applied)"' <<<"$out")" = \
	"recovered 1" ] || wrong "one log: not recovered"
cp -r "$node" "$work/transactions"
: >"$work/transactions/$cluster/CLUSDB.blf"
has kernel-transactions-pending "$work/transactions"
has dangling-reference "$work/many"
has crypto-container-missing "$work/many"
has checkpoint-key-missing "$work/twisted"
has checkpoint-path-prefixed "$work/wrong"
has checkpoint-volatile "$work/wrong"
has checkpoint-overlap "$work/wrong"
has forcequorum-left-behind "$work/forced"
has service-disabled "$work/evicted"
cp -r "$node" "$work/asleep"
printf 'hibr%4092s' '' >"$work/asleep/hiberfil.sys"
has hibernated "$work/asleep"
has identity-mismatch "$node" "$work/namesake"
has not-a-member "$work/stranger"
has stale "$node" "$work/older"
result "every problem of the contract is found on a disk that has it, and none on a sound one"

# --- not too much and not too little ---

run status --json "$node" "$work/namesake"
[ "$(jq '[.systems[] | select(any(.problems[]; .code == "identity-mismatch"))] | length' <<<"$out")" = 2 ] ||
	wrong "namesakes: both should be told: $out"
run status --json "$node" "$work/other"
[ "$(jq -c '[.newest, (.newest_by_cluster | length)]' <<<"$out")" = '[null,2]' ] || wrong "two clusters: $out"
[[ $(codes) == *identity-mismatch* ]] || wrong "one computer in two clusters: $(codes)"
run status --json "$node" "$work/older"
[[ $(codes) != *identity-mismatch* ]] || wrong "one cluster: $(codes)"
run status --json "$work/umlaut"
[ -z "$(codes)" ] || wrong "letter case beyond ASCII: $(codes)"
run status "$work/many"
[[ $out == *'... and 10 more of dangling-reference'* ]] || wrong "thirty dangling references: $out"
run checkpoint list "$work/many"
[[ $out == *'... and 10 more of crypto-container-missing'* ]] || wrong "thirty containers: $out"
run backup "$work/many" "$work/snapshot-of-many"
[ "$(grep -c 'crypto-checkpoint-not-included: ' <<<"$err")" = 30 ] ||
	wrong "not every crypto checkpoint that is missing is named: $err"
run checkpoint list --json "$work/twisted"
[ "$(jq '[.checkpoints[].problems[] | select(.code == "checkpoint-overlap")] | length' <<<"$out")" = 0 ] ||
	wrong "paths that lead nowhere overlap: $out"
run status --json "$work/wrong/$cluster/CLUSDB"
[ "$(codes)" = "checkpoint-overlap checkpoint-path-prefixed checkpoint-volatile resource-ungrouped" ] ||
	wrong "what a database alone says of its checkpoints: $(codes)"
run status --json "$node/$cluster/CLUSDB"
[ -z "$(codes)" ] || wrong "a sound database: $(codes)"
result "no false alarm; what is not listed is counted"

# --- without a name ---

expect 0 'without a name' status "$work/nameless"
expect 0 'without a name' status "$work/nameless" "$node" "$work/nameless"
run status --json "$work/nameless" "$work/nameless"
[ "$status" = 0 ] && [ "$(jq .newest <<<"$out")" = null ] || wrong "two of no name: $status $out"
expect 0 '' backup "$work/nameless" "$work/snapshot-of-nameless"
is_whole "$work/snapshot-of-nameless" || wrong "the snapshot is not whole"
expect 3 '5893' backup "$work/nameless" "$node" "$work/both"
result "a database without name and id"

# --- what is printed is what is registered ---

for command in "checkpoint list $work/twisted" "verify $work/snapshot"; do
	"$clusnap" backup --quiet "$work/twisted" "$work/snapshot" >/dev/null 2>&1
	# shellcheck disable=SC2086
	run $command
	[[ $out == *'App\xylophone'* ]] || wrong "$command: $out"
done
run checkpoint list "$work/twisted/$cluster/CLUSDB"
[[ $out == *' unknown '* && $out != *' missing '* && $out != *' present '* ]] ||
	wrong "of a database alone nobody knows what is on the disk: $out"
run backup "$work/many/$cluster/CLUSDB" "$work/snapshot-of-file"
[[ $err == *'no system disk was given'* && $err != *'is not on the node'* ]] || wrong "backup of a file: $err"
run status "$node" "$node/"
[[ $out == *'has none that is newer: version 3:3:100 is the same as 3:3:100'* ]] || wrong "two equal ones: $out"
result "paths as they are registered; what is not known is not said"

# --- exit status and documents ---

names='["cluster","cluster_instance_id","clusdb","generation","node","path","problems","state","state_name","version"]'
run status --json "$node" "$work/nowhere"
[ "$status" = 4 ] && jq -e --argjson names "$names" '.schema == 1 and all(.systems[]; $names - keys == [])' \
	<<<"$out" >/dev/null || wrong "a SYSTEM that is not there: $status $out"
cp -r "$node" "$work/no-software"
head -c 5000 /dev/urandom >"$work/no-software/$config/SOFTWARE"
expect 1 'hive-damaged' status "$work/no-software"
expect 4 'ERROR_FILE_NOT_FOUND (2)' backup "$work/missing" "$work/s"
expect 4 'ERROR_REGISTRY_CORRUPT (1015)' backup "$work/torn" "$work/s"
expect 4 'ERROR_NOT_REGISTRY_FILE (1017)' save tests/test_status.sh '' "$work/s"
result "exit statuses and names for what cannot be read"

# --- disks that have nothing to give ---

mkdir "$work/plain"
"$build/tests/tools/make_small_node" "$work/plain" plain
rm -r "${work:?}/plain/$cluster"
expect 0 'plain: is not a cluster node (NotInstalled); nothing of it is in the snapshot' \
	backup --quiet "$work/plain" "$node" "$work/s"
expect 0 'clusdb-missing: ' backup --quiet "$work/missing" "$node" "$work/s"
expect 0 'not included' backup "$work/plain" "$node/$cluster/CLUSDB" "$work/s"
[ -z "$(echo "$work"/s/*/*.CPT)" ] || wrong "a checkpoint was taken from a computer that is no node"
expect 0 'taken from another' backup "$work/missing" "$node/$cluster/CLUSDB" "$work/s"
result "what a disk does not give is said"

# --- a quorum disk that is not as it should be ---

quorum() { # makes $work/quorum anew
	rm -rf "$work/quorum"
	cp -r "$testdata/quorum-2003" "$work/quorum"
}
from_quorum() { # STATUS TEXT: of a backup with --quiet: what matters is said all the same
	expect "$1" "$2" backup --quiet --quorum "$work/quorum" "$testdata/node-2003" "$work/with-quorum"
	is_whole "$work/with-quorum" || wrong "$2: no snapshot"
}
quorum
: >"$work/quorum/MSCS/chkFFF.tmp"
from_quorum 0 'chkFFF.tmp: is empty and is passed over'
quorum
ln -s /etc/passwd "$work/quorum/MSCS/chkFFE.tmp"
from_quorum 0 'chkFFE.tmp: is no regular file and is passed over'
quorum
for i in {101..117}; do
	cp "$testdata"/quorum-2003/MSCS/chk*.tmp "$work/quorum/MSCS/chk$i.tmp"
done
from_quorum 0 'is one of too many'
quorum
for folder in "$work"/quorum/MSCS/*/; do # one of them has a checkpoint 4 that no disk has
	head -c 5000 /dev/urandom >"$folder/00000004.CPT"
done
from_quorum 1 'ERROR_NOT_REGISTRY_FILE'
result "a quorum disk with files that cannot be used: each is said"

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	cp -r "$node" "$work/closed"
	chmod 755 "$work" && chmod -R a+rX "$work/closed" && chmod 0 "$work/closed/$cluster/CLUSDB"
	out=$(setpriv --reuid=65534 --regid=65534 --clear-groups "$clusnap" status "$work/closed" 2>&1)
	[ $? = 4 ] && [[ $out == *'clusnap: '*'ERROR_ACCESS_DENIED (5)'* ]] || wrong "$out"
	result "a database that may not be read is no damaged one: 4"
else
	skip "a database that may not be read" "only root can become somebody else"
fi
echo "1..$number"
