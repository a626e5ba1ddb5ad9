#!/bin/bash
# restore and undo on unmounted volumes, made-up disks of mklab.py: CLUSDB zeroed, cut, noise, of another
# letter case; what needs the driver is ended on the mounted volume. The oracle judges the new database,
# and undo gives back every byte of the whole volume, where it was never mounted.
# Needs CLUSNAP_SHARED. RESTORE_SEEDS="1 2 3": other seeds than the one that is enough every time.
. tests/backup.sh
. tests/restore.sh
if [ -z "${CLUSNAP_SHARED-}" ] || ! have_ntfs || ! "$clusnap" --version | grep -q '^libfsntfs'; then
	echo "1..0 # SKIP no CLUSNAP_SHARED, no NTFS, or built without libfsntfs"
	exit 0
fi
rm -rf "$work"
work=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
mount=$work/mount
mkdir "$mount"
image=$work/node.img
oracle() { python3 "$CLUSNAP_SHARED/tools/regf_oracle.py" hash "$1"; }
mounted() { ntfs-3g -o rw,noatime,nodev,nosuid,noexec,windows_names "$image" "$mount"; }
cluster() { echo "$mount"/[Ww][Ii][Nn]*/[Cc][Ll][Uu][Ss][Tt][Ee][Rr]; }

damage() { # HOW, of the CLUSDB on the mounted volume
	local hive
	hive=$(find "$(cluster)" -maxdepth 1 -iname clusdb)
	case $1 in
	zeroed) dd if=/dev/zero of="$hive" bs=4096 count=$(($(stat -c %s "$hive") / 4096)) conv=notrunc status=none ;;
	cut) truncate -s 9000 "$hive" && head -c 200000 /dev/zero >>"$hive" ;;
	noise) head -c 60000 /dev/urandom | dd of="$hive" conv=notrunc status=none ;;
	case) mv "$hive" "$(cluster)/cLuSdB" ;;
	esac
}

one() { # DISK SNAPSHOT HOW
	local way='' undo hive
	rm -rf "$work/undo" "$image"
	truncate -s 32M "$image"
	mkntfs -F -q "$image" >/dev/null 2>&1 && mounted && cp -r "$1"/* "$mount" && damage "$3" || wrong "$3: cannot make the disk"
	hive=$(find "$(cluster)" -maxdepth 1 -iname clusdb)
	hive=${hive#"$mount/"}
	unmount
	until cp --sparse=always "$image" "$work/before.img"; do sleep 0.1; done
	run restore --undo "$work/undo" --force undo-not-durable --data-first "$2" "$image"
	[ "$status" -eq 0 ] || [ "$status" -eq 6 ] || wrong "$3: $status: $err"
	undo=$(echo "$work"/undo/*)
	if [ "$status" -eq 6 ]; then
		way=' by way of a mount'
		cmp -s "$image" "$work/before.img" && wrong "$3: nothing was written"
		expect 6 restore-unfinished status "$image"
		cp --sparse=always "$image" "$work/data.img"
		expect 0 undone restore --rollback "$undo" --data-first "$image"
		cmp -s "$image" "$work/before.img" || wrong "$3: --rollback has not given back every byte"
		mv "$work/data.img" "$image"
		mounted || wrong "$3: it does not mount"
		expect 0 restored restore --resume "$undo" "$mount"
		unmount
		sleep 0.1
	fi
	python3 tests/ntfs.py extract "$image" "$hive" >"$work/hive" || wrong "$3$way: cannot be extracted"
	[ "$(oracle "$work/hive")" = "$wanted" ] || wrong "$3$way: the oracle sees another tree"
	[ -n "$way" ] && return
	expect 0 undone undo "$undo" "$image"
	cmp -s "$image" "$work/before.img" || wrong "$3: undo has not given back every byte"
}

for seed in ${RESTORE_SEEDS:-3}; do
	lab=$work/lab
	rm -rf "$lab" "$work"/*.snapshot
	python3 "$CLUSNAP_SHARED/tools/mklab.py" --seed "$seed" --pad "$lab" >/dev/null || wrong "no lab"
	run backup --quiet "$lab/node-2019-a" "$work/second.snapshot"
	run backup --quiet --quorum "$lab/quorum-2003" "$lab/node-2003-a" "$work/first.snapshot"
	for how in zeroed cut noise case; do
		wanted=$(oracle "$work/second.snapshot/chk0001.tmp")
		one "$lab/node-2019-b" "$work/second.snapshot" $how
		wanted=$(oracle "$work"/first.snapshot/chk0001.tmp)
		one "$lab/node-2003-b" "$work/first.snapshot" $how
	done
	result "seed $seed: unmounted volumes of both generations, CLUSDB damaged in four ways"
done
echo "1..$number"
