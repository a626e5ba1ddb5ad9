#!/bin/bash
# docs/recovery.md is true: its sessions are run, in order, on copies of the sample's disks, and
# their whole output is what stands there. With --write what comes out is put into the document
# instead, for when messages have changed; read the difference then.
#
# A comment "<!-- prepare" has commands that do the damage and are not shown. Besides bash they
# know: disk 2003|2019|quorum NAME (a fresh one), ostsee (all of that cluster, and a snapshot),
# and interrupt ARGUMENT... (clusnap, killed when it has just begun to change files).
set -u
export LC_ALL=C.UTF-8
document=docs/recovery.md
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mnt=$dir/mnt
mkdir "$mnt" "$dir/backup" "$dir/bin"
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
	rm -rf backup/ostsee
	clusnap backup --quiet --quorum mnt/quorum mnt/kiel mnt/luebeck backup/ostsee
}

interrupt() { # ARGUMENT...: the last ones are source and disk
	local disk=${!#} source=${*: -2:1} n
	cp -a "$disk" "$dir/before"
	for n in 1 2 3 4 5 6 7 8; do
		strace -f -qq -o "$dir/strace" -e trace=renameat2,renameat,rename \
			-e inject=renameat2,renameat,rename:signal=KILL:when="$n" clusnap "$@"
		clusnap restore --dry-run "$source" "$disk"
		[ $? -eq 6 ] && break
		rm -rf "$disk" && cp -a "$dir/before" "$disk"
	done >/dev/null 2>&1
	rm -rf "$dir/before"
}

# --- running the document ---

here() { sed 's|/mnt/|mnt/|g; s|/backup/|backup/|g'; }
# What has a time or an id of its own becomes what the document has.
there() {
	sed -E "s#$dir/##g"'; s#(^|[ (])(mnt|backup)/#\1/\2/#g; s/^id [0-9a-f]{64}$/id .../
		s/clusnap-[0-9]{8}T[0-9]{6}Z(-[0-9]+)?/clusnap-20260301T021500Z/g
		s/20(2[6-9]|[3-9][0-9])(-[0-9]{2}){2}T[0-9:.]+Z/2026-03-01T02:15:00.0000000Z/'
}

# Runs the block of the document in $dir/block.
prepare() {
	(cd "$dir" && set -e && eval "$(here <block)") </dev/null && return
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
[ "$number" -ge 15 ] || failed=1
echo "1..$number"
if [ "${1-}" = --write ]; then
	cat "$dir/new" >"$document"
	exit 0
fi
exit $failed
