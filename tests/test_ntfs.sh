#!/bin/bash
# A raw NTFS volume shows what the same volume shows mounted: in every answer of the program, and name
# by name and byte by byte with all that NTFS has. Reading changes neither bytes nor times.
. tests/backup.sh
. tests/ntfs.sh

if ! have_ntfs; then
	skip "raw NTFS volumes" "no /dev/fuse, no mkntfs, or not root"
	echo "1..$number"
	exit 0
fi

image=$work/node.img

# --- the program's answers ---

# sample NAME DIRECTORY...: a volume with these directories in it
sample() {
	local name=$1 one
	shift
	make_ntfs "$work/$name.img" 24M && mount_ntfs "$work/$name.img" || return 1
	for one; do
		cp -r "$one/." "$mount"
	done
	unmount
}

# answer FILE PATH COMMAND...: standard output without the path, and the exit status
answer() {
	local to=$1 path=$2
	shift 2
	"$clusnap" "$@" --json 2>"$to.err" | sed "s|$path|DISK|g" >"$to"
	echo "${PIPESTATUS[0]}" >>"$to"
	sed "s|$path|DISK|g" "$to.err" >>"$to"
}

same_answers() { # IMAGE
	local command
	for command in status show 'checkpoint list'; do
		# shellcheck disable=SC2086
		answer "$work/raw" "$1" $command "$1"
		mount_ntfs "$1" ro
		# shellcheck disable=SC2086
		answer "$work/mounted" "$mount" $command "$mount"
		unmount
		[ "$(wc -l <"$work/raw")" -gt 5 ] || wrong "$command: $(cat "$work/raw")"
		cmp -s "$work/raw" "$work/mounted" || wrong "$command of ${1##*/}:" \
			"$(diff "$work/raw" "$work/mounted" | head -n 5)"
	done
}

same_backup() { # IMAGE OPTION...
	local one=$1
	shift
	rm -rf "$work/snapshot-raw" "$work/snapshot-mounted"
	"$clusnap" backup "$one" "$work/snapshot-raw" "${@/QUORUM/$work/quorum.img}" \
		>"$work/out" 2>"$work/err"
	echo $? >>"$work/err"
	mount_ntfs "$one" ro
	mkdir -p "$work/quorum"
	ntfs-3g -o ro "$work/quorum.img" "$work/quorum"
	"$clusnap" backup "$mount" "$work/snapshot-mounted" "${@/QUORUM/$work/quorum}" \
		>"$work/out2" 2>"$work/err2"
	echo $? >>"$work/err2"
	umount "$work/quorum"
	unmount
	sed -i "s|$one|DISK|g; s|quorum\.img|quorum|g" "$work/err"
	sed -i "s|$mount|DISK|g" "$work/err2"
	cmp -s "$work/err" "$work/err2" || wrong "backup: $(diff "$work/err" "$work/err2")"
	diff -r "$work/snapshot-raw" "$work/snapshot-mounted" >"$work/diff" ||
		wrong "backup: $(head -n 3 "$work/diff")"
	is_whole "$work/snapshot-raw" || wrong "the snapshot is not whole"
}

sample node-2003 "$testdata/node-2003" && sample node-2019 "$testdata/node-2019" &&
	sample quorum "$testdata/quorum-2003" || wrong "cannot make the volumes"
touch -d '2001-01-01' "$work"/*.img
sha256sum "$work"/*.img >"$work/sums"
stat -c '%n %x %y %z' "$work"/*.img >"$work/times"
for node in node-2003 node-2019; do
	for command in status show 'checkpoint list'; do
		# shellcheck disable=SC2086
		"$clusnap" $command "$work/$node.img" >/dev/null 2>&1
	done
done
"$clusnap" backup "$work/node-2003.img" --quorum "$work/quorum.img" "$work/first" >/dev/null 2>&1
sha256sum -c --status "$work/sums" || wrong "the bytes of an image changed"
stat -c '%n %x %y %z' "$work"/*.img | cmp -s - "$work/times" || wrong "a time of an image changed"
result "reading a raw volume changes neither its bytes nor its times"

same_answers "$work/node-2003.img"
same_answers "$work/node-2019.img"
result "status, show and checkpoint list say of a raw volume what they say of it mounted"

same_backup "$work/node-2003.img" --quorum QUORUM
same_backup "$work/node-2019.img"
result "backups of a raw volume and of it mounted are equal, bit for bit"

chmod 755 "$work"
chmod 444 "$work/node-2003.img"
answer "$work/root" "$work/node-2003.img" status "$work/node-2003.img"
# (the program may lie where only root can go)
cp "$clusnap" "$work/clusnap" && chmod 755 "$work/clusnap"
setpriv --reuid=65534 --regid=65534 --clear-groups "$work/clusnap" status --json \
	"$work/node-2003.img" >"$work/nobody" 2>&1 || wrong "$(head -n 3 "$work/nobody")"
sed -i "s|$work/node-2003.img|DISK|g; \$a 0" "$work/nobody"
cmp -s "$work/root" "$work/nobody" || wrong "$(diff "$work/root" "$work/nobody" | head -n 5)"
result "an ordinary user can do it"

if [ -n "${CLUSNAP_SHARED-}" ]; then
	python3 "$CLUSNAP_SHARED/tools/mklab.py" --seed 7 "$work/lab" >/dev/null 2>&1 ||
		wrong "no lab"
	compared=0
	for node in "$work"/lab/node*/; do
		sample lab "$node" && same_answers "$work/lab.img" && compared=$((compared + 1))
	done
	[ $compared -gt 0 ] || wrong "the lab has no nodes: $(ls "$work/lab")"
	rm -rf "$work/lab" "$work/lab.img"
	result "the same goes for the nodes of a lab"
else
	skip "the same goes for the nodes of a lab" "no CLUSNAP_SHARED"
fi

# --- all that NTFS has ---

fill() { # on $mount
	cd "$mount" || return 1
	mkdir -p plain/Sub many twins odd compressed
	head -c 300000 /dev/urandom >plain/Random
	: >plain/empty
	printf 'small' >plain/resident
	head -c 4096 /dev/zero >plain/zeros
	ln plain/Random plain/Sub/hard
	ln plain/Random plain/second
	ln -s plain/Random link
	ln -s /etc/passwd plain/Sub/out
	mkfifo fifo 2>/dev/null
	mknod device c 1 3 2>/dev/null
	printf one >twins/Twin
	printf two >twins/tWIN
	printf one >$'twins/\u00c4\u00d6'
	printf two >$'twins/\u00e4\u00f6'
	printf x >'odd/with blank '
	printf x >'odd/.hidden'
	printf x >"odd/$(printf '\xe2\x82\xac euro \xf0\x9f\x98\x80')"
	printf x >"odd/$(printf 'n%.0s' {1..255})"
	printf x >'odd/back\slash'
	printf x >'odd/$MFT'
	printf x >'odd/A long name that has a short one.text'
	setfattr -n system.ntfs_dos_name -v 'ALONGN~1.TEX' 'odd/A long name that has a short one.text'
	truncate -s 3M plain/sparse && printf end >>plain/sparse
	python3 - <<'EOF'
import os
for i in range(5000):
    open('many/A file with number %d' % i, 'w').close()
# many extents: two files that grow in turns, of which one goes
a, b = open('plain/extents', 'wb', 0), open('plain/other', 'wb', 0)
for i in range(700):
    a.write(bytes([i % 251]) * 4096)
    b.write(b'b' * 4096)
a.close()
b.close()
os.unlink('plain/other')
EOF
	# a junction, and a reparse point that nobody knows
	mkdir junction unknown
	setfattr -n system.ntfs_reparse_data -v "0x$(python3 -c "
import struct
name = '\\\\??\\\\C:\\\\Windows'.encode('utf-16le')
data = struct.pack('<HHHH', 0, len(name), len(name) + 2, 0) + name + b'\\0\\0\\0\\0'
print((struct.pack('<IHH', 0xA0000003, len(data), 0) + data).hex())")" junction
	setfattr -n system.ntfs_reparse_data -v "0x$(python3 -c "
import struct
print((struct.pack('<IHH', 0x80000099, 8, 0) + bytes(8)).hex())")" unknown
	if [ "$1" -le 4096 ]; then # NTFS compresses with small clusters only
		setfattr -h -n system.ntfs_attrib -v 0x10080000 compressed
		yes 'the same again' | head -c 400000 >compressed/text
		head -c 200000 /dev/urandom >compressed/random
		{ yes x | head -c 100000; head -c 1000000 /dev/zero; echo end; } >compressed/hole
		[ "$(stat -c %b compressed/text)" -lt 700 ] || wrong "nothing was compressed"
	fi
	cd "$OLDPWD" || return 1
}

lookups=(plain/random PLAIN/SUB/HARD plain/nothing plain/random/below twins/twin $'twins/\u00c4\u00d6'
	twins/TWIN/x link/x junction/x ../x ./x plain//Random 'PLAIN\Sub\HARD' 'odd/back\slash'
	'odd/ALONGN~1.TEX' 'odd/with blank ' many '' '$MFT' '$Extend' 'plain/Sub/out/x')

for cluster in 512 4096 65536; do
	make_ntfs "$image" 32M -c $cluster && mount_ntfs "$image" rw,compression ||
		wrong "no volume of clusters of $cluster"
	fill $cluster
	unmount
	timeout 60 "$volume" "$image" >"$work/raw" 2>&1 || wrong "$(tail -n 1 "$work/raw")"
	timeout 60 "$volume" "$image" "${lookups[@]}" >>"$work/raw" 2>&1
	"$volume" --serial "$image" >>"$work/raw"
	mount_ntfs "$image" ro
	"$volume" "$mount" >"$work/mounted" 2>&1
	"$volume" "$mount" "${lookups[@]}" >>"$work/mounted" 2>&1
	"$volume" --serial "$mount" >>"$work/mounted"
	unmount
	[ "$(wc -l <"$work/raw")" -gt 5000 ] || wrong "$(tail -n 3 "$work/raw")"
	# a FIFO is a small system file; Windows sees a file, and so does what reads the volume raw
	sed -i '/^fifo: /d' "$work/raw" "$work/mounted"
	cmp -s "$work/raw" "$work/mounted" || wrong "$(diff "$work/raw" "$work/mounted" | head -n 20)"
	tail -n 1 "$work/raw" | grep -qxE '[0-9a-f]{16}' || wrong "no serial number"
	result "clusters of $cluster: every name, kind, byte and refusal is the same"
done
echo "1..$number"
