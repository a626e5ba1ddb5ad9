#!/bin/bash
# Promises 8 and 9: restore, edit and undo can always be finished or undone, under any order and
# tearing of the writes since the last flush. Commands on mounted volumes and on unmounted images are
# cut at many points; tests/sweep.py says what must be true each time.
#
# The disks are mklab.py's, so this needs CLUSNAP_SHARED. node-2019-b is dirty, with two logs beside
# CLUSDB and two beside SOFTWARE, both with entries that count: a hive with only one of them is one that
# Windows loads and that never was. node-2003-b is dirty, with a log of the old format. Hives are longer
# than their bins, as Windows makes them, so that what is restored fits into the old file.
#
# POWERCUT_CUTS=500 POWERCUT_AGAIN=10,4 for all there is; tests/sweep.sh has more.
set -u
export LC_ALL=C.UTF-8
. tests/sweep.sh
clusnap=$(realpath "${BUILD:-build}")/clusnap
export clusnap

skip_all()
{
	echo "1..0 # SKIP POWER CUTS ARE NOT TESTED: ${1//$'\n'/; }"
	exit 0
}

missing=$(sweep_missing)
[ -z "$missing" ] || skip_all "$missing"
[ -n "${CLUSNAP_SHARED-}" ] || skip_all "CLUSNAP_SHARED is not set"
"$clusnap" restore --help | grep -q -- --undo || skip_all "restore has no --undo yet"

trap 'cd /; sweep_end' EXIT
sweep_begin

# --- disks and snapshots ---

lab=$sweep_dir/lab
python3 "$CLUSNAP_SHARED/tools/mklab.py" --seed 3 --pad "$lab" >/dev/null || exit 1
export second=$sweep_dir/second.snapshot first=$sweep_dir/first.snapshot reg=$sweep_dir/edit.reg
"$clusnap" backup --quiet "$lab"/node-2019-{c,b,a} "$second" 2>/dev/null || [ $? -eq 1 ] || exit 1
"$clusnap" backup --quiet --quorum "$lab/quorum-2003" "$lab"/node-2003-{b,a} "$first" 2>/dev/null ||
	[ $? -eq 1 ] || exit 1
printf '%s\r\n' 'Windows Registry Editor Version 5.00' '' '[HKEY_LOCAL_MACHINE\SOFTWARE\Edited]' \
	'"By"="clusnap"' '' '[HKEY_LOCAL_MACHINE\Cluster\Edited]' '"By"="clusnap"' >"$reg"

# A dirty node without CLFS files, whose restore needs no mount; both disks of the first generation
# in one volume.
cp -r "$lab/node-2019-b" "$lab/plain"
rm "$lab"/plain/Windows/Cluster/CLUSDB.{blf,1.container,2.container}
mkdir "$lab/both"
cp -r "$lab/node-2003-b" "$lab/both/s"
cp -r "$lab/quorum-2003" "$lab/both/q"
for volume in clfs:node-2019-b plain:plain old:node-2003-b quorum:quorum-2003 both:both; do
	sweep_volume "${volume%:*}" 8M "$lab/${volume#*:}" || exit 1
done

# --- the commands ---

# The folder is in memory, which is refused where a power cut would empty it.
export safe=
[ "$(stat -f -c %T "$sweep_dir")" != tmpfs ] || safe='--force undo-not-durable'

clusdb2=node:Windows/Cluster/CLUSDB clusdb1=node:WINNT/Cluster/CLUSDB
software2=node:Windows/System32/config/SOFTWARE system2=node:Windows/System32/config/SYSTEM
chk=$(cd "$lab/quorum-2003" && echo MSCS/chk*.tmp)

# ends WAY SYSTEM [OPTION]: what ends an interrupted command
ends()
{
	end=(--resume "$1:\"\$clusnap\" restore --quiet --resume \"\$undo\" $2 ${3-}"
		--rollback "$1:\"\$clusnap\" restore --quiet --rollback \"\$undo\" $2 ${3-} || { [ \$? -eq 1 ] && \"\$clusnap\" undo --quiet \"\$undo\" $2 ${3-}; }"
		--status "\"\$clusnap\" status $2")
}

# A case, and the undo of what it has done.
# both_ways NAME WAY SYSTEM OPTION OPTION-OF-SWEEP...: OPTION is one of every command
both_ways()
{
	local name=$1 way=$2 system=$3 option=$4 of_undo=() one before=''
	local again=()
	shift 4
	ends "$way" "$system" "$option"
	[ "$way" = mounted ] || again=(--again '5,1')
	sweep "$name" --cuts 12 "${again[@]}" --save "$sweep_dir/done" "${end[@]}" "$@"
	[ -d "$sweep_dir/done" ] || return
	for one; do
		case $before in
		--volume) of_undo+=(--volume "${one%%=*}=$sweep_dir/done/${one%%=*}.img") ;;
		--hive | --file) of_undo+=("$before" "$one") ;;
		esac
		before=$one
	done
	sweep "undo of $name" --cuts 6 --backward --undo "$sweep_dir/done/undo" "${of_undo[@]}" "${end[@]}" \
		--run "$way:\"\$clusnap\" undo --quiet \"\$undo\" $system $option"
	rm -rf "$sweep_dir/done"
}

# shellcheck disable=SC2016 # what is in the strings is for the bash of a case
cases()
{
	local restore='"$clusnap" restore --quiet --undo "$undos" $safe'
	local edit='"$clusnap" edit --quiet --undo "$undos" $safe'

	for way in raw mounted; do
		both_ways "a node, $way" $way '"$node"' '' --volume node="$sweep_dir/plain.img" \
			--hive $clusdb2 --last $clusdb2 --run "$way:$restore \"\$second\" \"\$node\""
		both_ways "checkpoints, $way" $way '"$node"' '' --volume node="$sweep_dir/plain.img" \
			--hive $software2 --hive $system2 --run "$way:$restore --checkpoints \"\$second\" \"\$node\""
		both_ways "edit, $way" $way '"$node"' '' --volume node="$sweep_dir/plain.img" \
			--hive $clusdb2 --hive $software2 --run "$way:$edit \"\$node\" \"\$reg\""
	done

	# The directory for UNDO on a disk that loses its power, too.
	if sweep_stick stick 8M; then
		ends raw '"$node"'
		sweep "a node, raw, UNDO on a stick" --cuts 18 --volume node="$sweep_dir/plain.img" --volume stick \
			--undo-on stick --hive $clusdb2 --last $clusdb2 "${end[@]}" \
			--run 'raw:"$clusnap" restore --quiet --undo "$undos" "$second" "$node"'
	else
		echo "# no ext4: UNDO on a stick is not tested"
	fi

	both_ways "a node with CLFS files, mounted" mounted '"$node"' '' --volume node="$sweep_dir/clfs.img" \
		--hive $clusdb2 --last $clusdb2 --run "mounted:$restore \"\$second\" \"\$node\""
	both_ways "a node with CLFS files, its data first" mounted '"$node"' '' \
		--volume node="$sweep_dir/clfs.img" --hive $clusdb2 --last $clusdb2 \
		--run "raw:$restore --data-first \"\$second\" \"\$node\" || [ \$? -eq 6 ]" \
		--run 'mounted:"$clusnap" restore --quiet --resume "$undo" "$node"'

	both_ways "authoritative, two volumes, mounted" mounted '"$node"' '--quorum "$quorum"' \
		--volume node="$sweep_dir/old.img" --volume quorum="$sweep_dir/quorum.img" \
		--hive $clusdb1 --hive "quorum:$chk" --last $clusdb1 \
		--run "mounted:$restore --authoritative --quorum \"\$quorum\" \"\$first\" \"\$node\""
	both_ways "authoritative, two volumes, the data first" mounted '"$node"' '--quorum "$quorum"' \
		--volume node="$sweep_dir/old.img" --volume quorum="$sweep_dir/quorum.img" \
		--hive $clusdb1 --hive "quorum:$chk" --file 'quorum:MSCS/*' --last $clusdb1 \
		--run "raw:$restore --data-first --authoritative --quorum \"\$quorum\" \"\$first\" \"\$node\" || [ \$? -eq 6 ]" \
		--run 'mounted:"$clusnap" restore --quiet --resume "$undo" "$node" --quorum "$quorum"'
	both_ways "authoritative, both on one volume" mounted '"$both/s"' '--quorum "$both/q"' \
		--volume both="$sweep_dir/both.img" --hive "both:s/WINNT/Cluster/CLUSDB" --hive "both:q/$chk" \
		--last both:s/WINNT/Cluster/CLUSDB \
		--run "mounted:$restore --authoritative --quorum \"\$both/q\" \"\$first\" \"\$both/s\""
}

cases
echo "1..$sweep_number"
