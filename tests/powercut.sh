# Functions to cut the power of an NTFS volume at every write. To be sourced:
#
#	. tests/powercut.sh
#	powercut_missing		# prints what is missing here, or nothing
#	powercut_begin DIR SIZE		# DIR/m: an empty NTFS volume is mounted there
#	...				# what is on it before
#	powercut_record COMMAND...	# each write that reaches the disk meanwhile is recorded
#	powercut_mount N		# the first N of $powercut_writes are on it; 1: the mount is refused
#	powercut_cut SEED		# what a power cut leaves that SEED chooses (powercut.py, "cut")
#	powercut_again			# the same once more
#	powercut_end			# unmounts; to be called at exit, too
#
# ntfs-3g writes through qemu's blklogwrites; tests/powercut.py puts the first N of the writes
# onto the disk as it was before. fsync in the mounted volume is a flush in the log. (So is each
# close of the exported file by another program than ntfs-3g, which real disks do not do: what
# writes to an unmounted disk is tested with tests/sweep.sh.)

powercut_here=$(realpath "${BASH_SOURCE[0]%/*}")
powercut_options=rw,nodev,nosuid,noexec,windows_names
powercut_dir='' powercut_daemon='' powercut_driver='' powercut_writes=0

powercut_missing()
{
	local tool
	[ -c /dev/fuse ] && [ "$(id -u)" -eq 0 ] || echo "no /dev/fuse, or not root"
	for tool in mkntfs ntfs-3g qemu-storage-daemon python3; do
		command -v $tool >/dev/null || echo "no $tool"
	done
}

# ntfs-3g stays in the foreground: only when it has ended is all on the disk.
powercut_start() # DISK
{
	ntfs-3g -o $powercut_options,no_detach "$1" "$powercut_dir/m" \
		>/dev/null 2>"$powercut_dir/said" &
	powercut_driver=$!
	until mountpoint -q "$powercut_dir/m"; do
		if ! kill -0 $powercut_driver 2>/dev/null; then
			powercut_driver=
			return 1
		fi
		sleep 0.005
	done
}

powercut_unmount()
{
	while mountpoint -q "$powercut_dir/m"; do
		umount "$powercut_dir/m" 2>/dev/null || sleep 0.02
	done
	[ -z "$powercut_driver" ] || wait "$powercut_driver"
	powercut_driver=
}

powercut_end()
{
	[ -n "$powercut_dir" ] || return 0
	powercut_unmount
	[ -z "$powercut_daemon" ] || { kill "$powercut_daemon" && wait "$powercut_daemon"; } 2>/dev/null
	powercut_daemon=
}

powercut_begin() # DIR SIZE
{
	powercut_dir=$1
	powercut_unmount
	mkdir -p "$1/m"
	rm -f "$1/disk"
	truncate -s "$2" "$1/disk"
	mkntfs -F -q "$1/disk" >/dev/null 2>&1
	powercut_start "$1/disk"
}

powercut_serve()
{
	: >"$powercut_dir/export"
	: >"$powercut_dir/log"
	qemu-storage-daemon \
		--blockdev driver=file,node-name=disk,filename="$powercut_dir/disk" \
		--blockdev driver=file,node-name=log,filename="$powercut_dir/log" \
		--blockdev driver=blklogwrites,node-name=both,file=disk,log=log \
		--export type=fuse,id=e,node-name=both,mountpoint="$powercut_dir/export",writable=on \
		>"$powercut_dir/daemon" 2>&1 &
	powercut_daemon=$!
	for _ in {1..200}; do
		[ "$(stat -c %s "$powercut_dir/export")" -gt 0 ] && return
		sleep 0.05
	done
}

powercut_record() # COMMAND...: its status
{
	local status=0
	powercut_unmount
	cp --sparse=always "$powercut_dir/disk" "$powercut_dir/before"
	powercut_serve
	powercut_start "$powercut_dir/export" && "$@" || status=$?
	powercut_end
	powercut_writes=$(python3 "$powercut_here/powercut.py" "$powercut_dir/before" \
		"$powercut_dir/log" count)
	return $status
}

powercut_mount() # N
{
	powercut_unmount
	python3 "$powercut_here/powercut.py" "$powercut_dir/before" "$powercut_dir/log" "$@" \
		"$powercut_dir/disk"
	cp "$powercut_dir/disk" "$powercut_dir/cut"
	powercut_start "$powercut_dir/disk"
}

powercut_cut() { powercut_mount cut "$1"; } # SEED

# The disk of the last powercut_mount once more, as it was then.
powercut_again()
{
	powercut_unmount
	cp "$powercut_dir/cut" "$powercut_dir/disk"
	powercut_start "$powercut_dir/disk"
}
