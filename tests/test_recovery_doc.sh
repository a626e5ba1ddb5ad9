#!/bin/bash
# docs/recovery.md is true: its sessions are run, in order, on copies of the sample's disks, and
# their whole output is what stands there. With --write what comes out is put into the document
# instead, for when messages have changed; read the difference then.
#
# A comment "<!-- prepare" has commands that do the damage and are not shown. Besides bash they
# know: disk 2003|2019|quorum NAME (a fresh one), ostsee and nordsee (all of that cluster, and a
# snapshot), change NAME (another database than the snapshot's), legacy NAME (what clusnap 0.1
# left there), and interrupt ARGUMENT... (clusnap, killed while it writes to the disk).
#
# In the document /mnt has the disks, /backup and /media/stick are file systems of their own, and
# /root is in memory, as that of a live system. Here /mnt and /root are in /dev/shm.
set -u
export LC_ALL=C.UTF-8
document=docs/recovery.md
dir=$(mktemp -d) memory=$(mktemp -d -p /dev/shm) || exit 1
# An undo directory in memory would be refused.
[ "$(stat -f -c %T "$dir")" != tmpfs ] || { rmdir "$dir" && dir=$(mktemp -d -p "$(realpath "${BUILD:-build}")"); }
trap 'rm -rf "$dir" "$memory"' EXIT
mkdir "$memory/mnt" "$memory/root" "$dir/backup" "$dir/media" "$dir/media/stick" "$dir/bin"
ln -s "$memory/mnt" "$memory/root" "$dir"
mnt=$dir/mnt
ln -s "$(realpath "${BUILD:-build}/clusnap")" "$dir/bin/clusnap"
export PATH=$dir/bin:$PATH
cp -r testdata "$dir/testdata"
printf '%s\n' 'Windows Registry Editor Version 5.00' '' \
	'[HKEY_LOCAL_MACHINE\Cluster\Resources\67d25764-9d6b-46a3-aa69-2ae777f4628b\Parameters]' \
	'"Signature"=dword:5ea1b2c3' >"$dir/signature.reg"

# --- what preparing knows ---

disk() { # KIND NAME
	local from=$dir/testdata/node-$1
	[ "$1" != quorum ] || from=$dir/testdata/quorum-2003
	rm -rf "${mnt:?}/$2"
	cp -r "$from" "$mnt/$2"
}

rename() { # NAME HEX: of a node of the first generation
	printf '%s\n' 'Windows Registry Editor Version 5.00' '' \
		'[X\ControlSet002\Control\ComputerName\ComputerName]' "\"ComputerName\"=hex(1):$2" >"$dir/name.reg"
	hivexregedit --merge --prefix X "$mnt/$1/WINNT/system32/config/system" "$dir/name.reg"
}

# Two nodes of the first generation, their quorum disk, and last night's snapshot of them.
ostsee() {
	disk 2003 kiel
	disk 2003 luebeck
	disk quorum quorum
	rename luebeck 4c,00,dc,00,42,00,45,00,43,00,4b,00,00,00
	rm -rf backup/ostsee* media/stick/*
	clusnap backup --quiet --quorum mnt/quorum mnt/kiel mnt/luebeck backup/ostsee
}

# A node of the second generation, and last night's snapshot of it.
nordsee() {
	disk 2019 emden
	rm -rf backup/nordsee* media/stick/*
	clusnap backup --quiet mnt/emden backup/nordsee
}

change() { # NAME: what somebody has added since the last backup
	local hive
	hive=$(find "$mnt/$1/" -path '*/Cluster/CLUSDB')
	printf '%s\n' 'Windows Registry Editor Version 5.00' '' '[X\Groups]' '"Changed"="today"' >"$dir/change.reg"
	hivexregedit --merge --prefix X "$hive" "$dir/change.reg"
}

legacy() { # NAME, of the first generation: CLUSDB was replaced by clusnap 0.1
	local cluster=$mnt/$1/WINNT/Cluster aside=clusnap-20251231T020000Z
	mkdir "$cluster/$aside"
	cp "$cluster/CLUSDB" "$cluster/$aside/CLUSDB"
	printf '{"clusnap": "journal of a restore", "version": 1, "begun": "2025-12-31T02:00:00Z",
		"aside": {"system": "WINNT/Cluster/%s", "quorum": null},
		"steps": [{"op": "put", "disk": "system", "path": "WINNT/Cluster/CLUSDB", "aside": "CLUSDB",
		"old": {"size": %u, "sha256": "%s"}, "new": null}]}\n' "$aside" "$(stat -c %s "$cluster/CLUSDB")" \
		"$(sha256sum "$cluster/CLUSDB" | cut -d ' ' -f 1)" >"$cluster/$aside/list.json"
	change "$1"
}

interrupt() { # ARGUMENT...: the last one is the disk; undo directories are made on the stick
	local disk=${!#} n
	cp -a "$disk" "$dir/before"
	for n in {1..40}; do
		strace -f -qq -o "$dir/strace" -e trace=pwrite64 -e inject=pwrite64:signal=KILL:when="$n" \
			clusnap "$@"
		clusnap status "$disk"
		[ $? -eq 6 ] && break
		rm -rf "$disk" media/stick/* && cp -a "$dir/before" "$disk"
	done >/dev/null 2>&1
	rm -rf "$dir/before"
	[ "$n" -lt 40 ]
}

# --- running the document ---

# The undo directory that the document names is the one of that node that was made last.
here() {
	local text made
	text=$(sed -E 's#/(mnt|backup|media|root)/#\1/#g')
	while [[ $text =~ ([^[:space:]]*)/20260301T021500Z-([A-Z_]+) ]]; do
		made=$(cd "$dir" && ls -td "${BASH_REMATCH[1]}/"*"Z-${BASH_REMATCH[2]}"* | head -n 1)
		text=${text//"${BASH_REMATCH[0]}"/"$made"}
	done
	printf '%s\n' "$text"
}
# What has a time, an id or a host of its own becomes what the document has.
there() {
	sed -E "s#($dir|$memory)/##g"'; s#(^|[ (])(mnt|backup|media|root)/#\1/\2/#g; s/^id [0-9a-f]{64}$/id .../
		s/20[0-9]{6}T[0-9]{6}Z-([A-Z_]+)(-[0-9]+)?/20260301T021500Z-\1/g
		s/on the computer [^ ;]+; its id begins with [0-9a-f]+/on the computer rescue; its id begins with 04fb2310049fefc0/
		s/20(2[6-9]|[3-9][0-9])(-[0-9]{2}){2}T[0-9:]+Z/2026-03-01T02:15:00Z/g
		s/20(2[6-9]|[3-9][0-9])(-[0-9]{2}){2}T[0-9:]+\.[0-9]+Z/2026-03-01T02:15:00.0000000Z/g'
}

# Runs the block of the document in $dir/block.
prepare() {
	(cd "$dir" && set -e && eval "$(here <block)") </dev/null >/dev/null && return
	echo "# not prepared: $(head -n 1 "$dir/block")"
	failed=1
}
session() { # prints what is seen
	local line
	while IFS= read -r line; do
		[[ $line = '$ '* ]] || continue
		printf '%s\n' "$line"
		(cd "$dir" && eval "$(here <<<"${line#??}")") 2>&1 </dev/null | there
	done <"$dir/block"
}

mode=text number=0 failed=0
: >"$dir/new"
while IFS= read -r line; do
	case $mode:$line in
	'text:<!-- prepare') mode=prepare && : >"$dir/block" ;;
	'text:```console') mode=console && : >"$dir/block" ;;
	'prepare:-->') mode=text && prepare ;;
	'console:```')
		mode=text number=$((number + 1)) result=ok
		session >"$dir/played"
		cat "$dir/played" >>"$dir/new"
		diff "$dir/block" "$dir/played" >"$dir/why" || result='not ok' failed=1
		echo "$result $number - $(sed -n '1s/^\$ //p' "$dir/block" | cut -c 1-70)"
		sed 's/^/# /' "$dir/why"
		;;
	prepare:* | console:*) printf '%s\n' "$line" >>"$dir/block" ;;
	esac
	[ "$mode" = console ] && [ "$line" != '```console' ] || printf '%s\n' "$line" >>"$dir/new"
done <"$document"
[ "$number" -ge 30 ] || failed=1
echo "1..$number"
if [ "${1-}" = --write ]; then
	cat "$dir/new" >"$document"
	exit 0
fi
exit $failed
