#!/bin/bash
# Power cuts on NTFS, while a restore goes forward and while it goes back: each prefix of the writes
# that reached the disk is mounted. Every file must be the whole old or the whole new one, or both
# be whole beside it, and no old byte be lost; then the restore is resumed to the new state, and
# put back to the old one, on copies of the same disk.
#
# ntfs-3g has no recovery. What only chkdsk can mend (snapshot/replacement_ghost.c) is counted:
#
#	refused		the mount is refused ($MFTMirr)
#	chkdsk		resuming, or going back, says that chkdsk must come first, and changes nothing
#	junk		all is as it should be, but for names that nobody can remove
#
# The node's disk and the quorum disk are directories of one volume, so that the order of the
# writes to both is known. REPLACEMENT_STEP=1 tries each prefix.
set -u
export LC_ALL=C
replace=$(realpath "${BUILD:-build}")/tests/tools/replace
. "${0%/*}/replacing.sh"
. "${0%/*}/powercut.sh"
step=${REPLACEMENT_STEP:-37}
base=$([ -w /dev/shm ] && echo /dev/shm || echo /tmp)
work=$(mktemp -d "$base/replacement.XXXXXX")
trap 'powercut_end; rm -rf "$work"' EXIT

missing=$(powercut_missing)
if [ -n "$missing" ]; then
	echo "1..0 # SKIP ${missing%%$'\n'*}"
	exit 0
fi

do_begin() { PLANNING_TIME=${anew:+20260202T020202Z} "$replace" begin "$1/s" "$1/q"; }
anew=
quietly() { "$@" >/dev/null; }

reopen() { # DIR: as if the last call of a restore had not been made
	(cd "$1"/s/Windows/Cluster/clusnap-*/ && mv list.json journal.json)
}

# The lines of a list without those in our own directories, but for those that are WANTED.
proper() { # WANTED
	awk 'NR == FNR { wanted[$0]; next }
		$0 in wanted { if (!seen[$0]++) print; next }
		/clusnap-TIME/ || /sha256sum:/ { next }
		{ print }' <(echo "$1") -
}

other_list() { # FILE: is it a whole list, whose own name nobody can use?
	[[ $1 == */list.json.clusnap-other ]] && [ ! -e "${1%.clusnap-other}" ] &&
		[ "$(tail -c 2 "$1" 2>/dev/null)" = '}' ]
}

same() { # WANTED WHAT: is what is on the disk it, but for junk?
	local now file
	now=$(replacing_list "$mount")
	for file in "$mount"/s/Windows/Cluster/clusnap-*/list.json.clusnap-other; do
		! other_list "$file" ||
			now=$(sed -E '/list\.json special$/d; s|(/list\.json)\.clusnap-other .*|\1 |' <<<"$now")
	done
	[ "$now" = "$1" ] && return
	junk=true
	[ "$(proper "$1" <<<"$now")" = "$1" ] ||
		replacing_wrong "$2: $(diff <(echo "$1") <(proper "$1" <<<"$now") | tr '\n' ' ')"
	removable "$1" "$2"
}

alone() { # FILE: has it no other name beside it?
	local other
	for other in "${1%/*}"/*; do
		[ "$other" = "$1" ] || ! [ "$other" -ef "$1" ] || return 1
	done
}

# What is on the disk, and not wanted, must be what nobody can remove.
removable() { # WANTED WHAT
	local path relative
	while IFS= read -r path; do
		relative=${path#"$mount/"}
		[[ $relative == *clusnap-* ]] && ! other_list "$path" || continue
		# the name of an old file whose own name is a ghost of it
		[[ $relative != *.clusnap-other ]] || alone "$path" || continue
		relative=${relative/clusnap-[0-9]*Z/clusnap-TIME}
		grep -qE "^${relative//./\\.}(/| |$)" <<<"$1" && continue
		if rm -d "$path" 2>/dev/null && [ ! -e "$path" ]; then
			replacing_wrong "$2: left $relative"
		fi
	done < <(shopt -s globstar dotglob nullglob && printf '%s\n' "$mount"/** | sort -r)
}

# Runs one of the three; true if it is done, false if chkdsk must come first.
attempt() { # begin|resume|back
	status=0
	replacing_do "$1" "$mount" || status=$?
	[ $status -ne 0 ] || return 0
	case $status:$replacing_said in
	[45]:*chkdsk* | 4:*'cannot look at it: Input/output error'*) return 1 ;;
	1:*) [ "$1" != resume ] || return 0 ;;
	esac
	replacing_wrong "$1: status $status: $replacing_said"
	return 0
}

# 4: chkdsk must come first. Otherwise the new state has been reached.
forward() {
	attempt resume || return 4
	if [ $status -eq 1 ]; then
		attempt back || return 4
		same "$replacing_old" "put back to begin anew"
	elif [ "$replacing_said" != nothing ] || [ "$(replacing_list "$mount" | proper "$replacing_new")" = \
		"$replacing_new" ]; then
		same "$replacing_new" "resumed"
		return 0
	fi
	anew=1 attempt begin || return 4
	same "$replacing_new" "begun anew"
}

back() {
	local now
	attempt back || return 4
	if [ "$replacing_said" = nothing ]; then
		now=$(replacing_list "$mount")
		[ "$(proper "$replacing_new" <<<"$now")" != "$replacing_new" ] || return 0
		[ "$(replacing_without_leftovers <<<"$now")" != "$replacing_old" ] || return 0
	fi
	same "$replacing_old" "put back"
}

cut_after() { # N
	local now unsafe found
	if ! powercut_mount "$1"; then
		echo refused >>"$work/answers"
		return
	fi
	junk=false
	now=$(replacing_list "$mount")
	case $now in
	"$replacing_old") found=old ;;
	"$replacing_new") found=new ;;
	*) found=between ;;
	esac
	unsafe=$(replacing_safe "$now")
	[ -z "$unsafe" ] || replacing_wrong "$unsafe"
	forward || found+=', chkdsk to resume'
	unsafe=$(replacing_safe "$(replacing_list "$mount")")
	[ -z "$unsafe" ] || replacing_wrong "resumed, $unsafe"
	powercut_again
	back || found+=', chkdsk to go back'
	unsafe=$(replacing_safe "$(replacing_list "$mount")")
	[ -z "$unsafe" ] || replacing_wrong "put back, $unsafe"
	! $junk || found+=', junk'
	echo "$found" >>"$work/answers"
}

sweep() { # NAME LAST
	local n
	: >"$work/answers"
	[ "$powercut_writes" -gt 50 ] || replacing_wrong "only $powercut_writes writes were recorded"
	for ((n = 0; n < powercut_writes; n += step)); do
		replacing_at="$1, $n of $powercut_writes writes"
		cut_after "$n"
	done
	replacing_at="$1, all $powercut_writes writes"
	cut_after "$powercut_writes"
	[ "$(tail -n 1 "$work/answers")" = "$2" ] || replacing_wrong "the last is not $2"
	result "$1: $powercut_writes writes"
	sort "$work/answers" | uniq -c | sed 's/^/#/'
}

mount=$work/m
# shellcheck disable=SC2034 # of replacing.sh
replacing_at="without a cut"
replacing_disks "$work/disks"
replacing_reference "$work/disks"
replacing_keep "$work/disks" "$work/kept"
result "without a cut"

powercut_begin "$work" 8M
cp -r "$work"/disks/* "$mount"
powercut_record quietly do_begin "$mount" || replacing_wrong "the restore fails"
sweep forward new

powercut_begin "$work" 8M
cp -r "$work"/disks/* "$mount"
quietly do_begin "$mount"
reopen "$mount"
powercut_record quietly do_back "$mount" || replacing_wrong "going back fails"
sweep back old
echo "1..$number"
