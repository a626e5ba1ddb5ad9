# shellcheck shell=bash
# Functions to cut the power of NTFS volumes while a command writes to them. To be sourced:
#
#	. tests/sweep.sh
#	sweep_missing			# prints what is missing here, or nothing
#	sweep_begin			# $sweep_dir: a folder in memory
#	sweep_volume NAME SIZE DIR...	# $sweep_dir/NAME.img: a volume that holds what is in the DIRs
#	sweep_stick NAME SIZE		# likewise an ext4 with the folder of --undo-on, or 1
#	sweep NAME OPTION...		# one test: tests/sweep.py, which says what it does and wants
#	sweep_end			# to be called at exit
#
# A command is a string for bash, in which $VOLUME, $undos and $undo are what tests/sweep.py says. The
# volumes are found by their names: --volume node is $sweep_dir/node.img, --volume node=IMAGE another.
#
#	POWERCUT_CUTS=500	cuts of each case instead of what the test thinks is enough
#	POWERCUT_SEED=2		others
#	POWERCUT_AGAIN=10,4	every tenth end is cut itself, four times
#	POWERCUT_ONLY=REGEX	only the cases with such a name
#	SWEEP_KEEP=1		the folder stays, with the record and the images of what went wrong:
#				powercut.py BEFORE FOLDER/CASE/log cut SEED OUT POINT makes them, too
#	SWEEP_NTFS_OPTIONS=...	other options for ntfs-3g
#
# noatime is among the options since otherwise to look at a file is to write to it: records of
# directories up to the root's, outside of any plan, and a torn record of the root cannot be mounted.

sweep_here=$(realpath "${BASH_SOURCE[0]%/*}")
sweep_dir='' sweep_number=0
export SWEEP_NTFS_OPTIONS=${SWEEP_NTFS_OPTIONS-rw,nodev,nosuid,noexec,windows_names,noatime}

sweep_missing()
{
	local tool
	[ -c /dev/fuse ] && [ "$(id -u)" -eq 0 ] || echo "no /dev/fuse, or not root"
	for tool in mkntfs ntfs-3g python3; do
		command -v $tool >/dev/null || echo "no $tool"
	done
}

sweep_begin()
{
	sweep_dir=$(mktemp -d -p /dev/shm sweep.XXXXXX 2>/dev/null || mktemp -d)
}

sweep_end()
{
	local at
	[ -n "$sweep_dir" ] || return 0
	# The innermost ones come last in the list.
	while read -r at; do
		umount -l "$at"
	done < <(awk -v dir="$sweep_dir/" 'index($5, dir) == 1 { print $5 }' /proc/self/mountinfo | tac)
	[ -n "${SWEEP_KEEP-}" ] || rm -rf "$sweep_dir"
	sweep_dir=
}

sweep_volume() # NAME SIZE DIR...
{
	local image=$sweep_dir/$1.img at=$sweep_dir/at.$1 driver dir
	rm -f "$image"
	truncate -s "$2" "$image"
	mkntfs -F -q "$image" >/dev/null 2>&1 || return 1
	mkdir -p "$at"
	ntfs-3g -o "$SWEEP_NTFS_OPTIONS,no_detach" "$image" "$at" >/dev/null 2>&1 &
	driver=$!
	until mountpoint -q "$at"; do
		kill -0 $driver 2>/dev/null || return 1
		sleep 0.005
	done
	for dir in "${@:3}"; do
		cp -r "$dir/." "$at" || { umount "$at"; return 1; }
	done
	umount "$at" && wait $driver
}

sweep_stick() # NAME SIZE
{
	local image=$sweep_dir/$1.img at=$sweep_dir/at.$1
	mkdir -p "$at" "$sweep_dir/empty/undo"
	rm -f "$image"
	truncate -s "$2" "$image"
	mkfs.ext4 -q -F -d "$sweep_dir/empty" "$image" >/dev/null 2>&1 &&
		mount -o loop,ro "$image" "$at" 2>/dev/null && umount "$at"
}

sweep() # NAME OPTION...
{
	local name=$1 option options=() before='' said
	shift
	[[ $name =~ ${POWERCUT_ONLY-} ]] || return 0
	for option; do
		[ "$before" != --volume ] || [[ $option == *=* ]] || option=$option=$sweep_dir/$option.img
		options+=("$option")
		before=$option
	done
	[ -z "${POWERCUT_CUTS-}" ] || options+=(--cuts "$POWERCUT_CUTS")
	[ -z "${POWERCUT_AGAIN-}" ] || options+=(--again "$POWERCUT_AGAIN")
	sweep_number=$((sweep_number + 1))
	mkdir -p "$sweep_dir/$sweep_number"
	if said=$(python3 "$sweep_here/sweep.py" "$name" --dir "$sweep_dir/$sweep_number" \
		--seed "${POWERCUT_SEED:-1}" "${options[@]}" 2>&1); then
		echo "ok $sweep_number - power cuts: $name"
	else
		echo "not ok $sweep_number - power cuts: $name"
	fi
	head -c 6000 <<<"$said" | cut -c1-700 | sed 's/^/# /'
	[ -n "${SWEEP_KEEP-}" ] || rm -rf "${sweep_dir:?}/$sweep_number"
}
