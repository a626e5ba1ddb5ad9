#!/bin/bash
# Promise 2: the disk is untrusted. Links, FIFOs, devices and directories in place of what should
# be there; files that cannot be read; hives made to hurt. Never a crash or a hang, always an
# exit status of contract.md with a word, and no snapshot that verify accepts with silent loss.
. tests/backup.sh
disk=$work/disk outside=$work/outside
cluster=Windows/Cluster config=Windows/System32/config
cp -r "$work/node" "$outside"

fresh() {
	rm -rf "$disk" "$work/snap"
	cp -r "$work/node" "$disk"
}

# All commands that read a disk; STATUS of backup and of status. Nothing may be written.
refused() { # NAME STATUS-OF-BACKUP STATUS-OF-STATUS
	local name=$1 command
	run backup "$disk" "$work/snap"
	[ $status -eq "$2" ] && [[ $err == "clusnap: "* ]] || wrong "$name: backup: exit $status, not $2: $err"
	[ ! -e "$work/snap" ] || wrong "$name: a snapshot was written"
	run status "$disk"
	# shellcheck disable=SC2053
	[[ $status == $3 ]] || wrong "$name: status: exit $status, not $3: $err"
	for command in show 'checkpoint list'; do
		# shellcheck disable=SC2086
		run $command "$disk"
		[ $status -eq 1 ] || [ $status -eq 4 ] || wrong "$name: $command: exit $status: $err"
		[ -n "$err" ] || wrong "$name: $command: without a word"
	done
}

# The database can be read, its checkpoint cannot: done, and bad news
incomplete() { # NAME
	run backup "$disk" "$work/snap"
	[ $status -eq 1 ] && [[ $err == *"warning: "* ]] || wrong "$1: backup: exit $status: $err"
	is_whole "$work/snap" || wrong "$1: no whole snapshot of the rest"
	[ -z "$(find "$work/snap" -name '*.CPT')" ] || wrong "$1: a checkpoint from somewhere"
	run checkpoint list --json "$disk"
	[ "$(jq '.checkpoints[0].present' <<<"$out")" = false ] || wrong "$1: it is called present"
}

# --- something else in the place of each ---

replace() { # KIND PATH
	local target
	rm -rf "${disk:?}/$2"
	case $1 in
	link) ln -s "$outside/$2" "$disk/$2" ;;
	relative)
		target=$(realpath --relative-to="$(dirname "$disk/$2")" "$outside/$2")
		ln -s "$target" "$disk/$2"
		;;
	loop) ln -s "$(basename "$2")" "$disk/$2" ;;
	fifo) mkfifo "$disk/$2" ;;
	device) mknod "$disk/$2" c 1 5 ;; # /dev/zero: never ends
	directory) mkdir "$disk/$2" ;;
	esac
}

kinds='link relative loop fifo directory'
fresh
if mknod "$disk/device" c 1 5 2>/dev/null; then
	kinds+=' device'
else
	echo "# device nodes cannot be made: not tried"
fi
for kind in $kinds; do
	for path in Windows Windows/System32 $cluster $config $cluster/CLUSDB; do
		[[ $kind != directory || $path == */CLUSDB ]] || continue
		fresh
		replace "$kind" "$path"
		case $path in
		"$cluster") refused "$kind for $path" 4 '[14]' ;;
		*/CLUSDB) refused "$kind for $path" 4 1 ;;
		Windows) refused "$kind for $path" 4 4 ;;
		*) # the database is there
			run backup "$disk" "$work/snap"
			[ -n "$err" ] || wrong "$kind for $path: without a word"
			case $status in
			1) incomplete "$kind for $path" ;;
			4) [ ! -e "$work/snap" ] || wrong "$kind for $path: something was written" ;;
			*) wrong "$kind for $path: exit $status: $err" ;;
			esac
			;;
		esac
	done
	fresh
	replace "$kind" $config/SOFTWARE
	incomplete "$kind for SOFTWARE"
	for log in LOG LOG1 LOG2; do
		fresh
		: >"$outside/$cluster/CLUSDB.$log"
		replace "$kind" "$cluster/CLUSDB.$log"
		refused "$kind for CLUSDB.$log" 4 1
	done
	fresh
	: >"$outside/hiberfil.sys"
	replace "$kind" hiberfil.sys
	run backup "$disk" "$work/snap"
	[ $status -le 4 ] || wrong "$kind for hiberfil.sys: exit $status: $err"
done
result "promise 2: links, loops, FIFOs, devices and directories are not followed, nor waited for"

fresh
cp "$disk/$cluster/CLUSDB" "$disk/$cluster/clusdb"
refused "letter-case twins" 4 4
fresh
cp -r "$disk/Windows" "$disk/WINDOWS"
refused "two Windows directories" 4 4
result "promise 2: two names that differ in letter case only are an error, not a choice"

# --- what the registry of a hostile disk says ---

fresh
rm -r "$disk"
mkdir "$disk"
"$build/tests/tools/make_small_node" "$disk" paths
run backup "$disk" "$work/snap"
[ $status -le 1 ] || wrong "exit $status: $err"
is_whole "$work/snap" || wrong "no whole snapshot: $err"
[ -z "$(find "$work" -newer "$disk" -name '*.CPT' ! -path "$work/snap/*")" ] || wrong "written elsewhere"
[ "$(find "$work/snap" -name '*.CP*' | wc -l)" -eq 1 ] || wrong "$(find "$work/snap")"
result "promise 2: registered paths, GUIDs and ids cannot lead out of the disk or of the snapshot"

# --- what cannot be read ---

if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$work"
	for path in $cluster/CLUSDB $cluster $config Windows; do
		fresh
		chmod 0 "$disk/$path"
		mkdir -p "$work/theirs" && chmod 777 "$work/theirs"
		out=$(setpriv --reuid=65534 --regid=65534 --clear-groups timeout 300 "$clusnap" backup \
			"$disk" "$work/theirs/snap" 2>"$work/err")
		status=$?
		[ $status -eq 4 ] || { [ $status -eq 1 ] && [ $path = $config ]; } ||
			wrong "$path: exit $status: $(<"$work/err")"
		grep -q 'Permission denied' "$work/err" || wrong "$path: $(<"$work/err")"
		[ ! -e "$work/theirs/snap" ] || [ $path = $config ] || wrong "$path: something was written"
		rm -rf "$work/theirs/snap"
	done
	fresh
	chmod -R a+rX "$disk"
	out=$(setpriv --reuid=65534 --regid=65534 --clear-groups "$clusnap" backup "$disk" \
		"$work/theirs/snap" 2>&1) || wrong "somebody else's disk: $out"
	result "files that cannot be read: exit 4, said why"
else
	skip "files that cannot be read" "not root, or no setpriv"
fi

# --- a hostile snapshot ---

for kind in link fifo device directory; do
	[[ $kinds == *$kind* ]] || continue
	for name in quolog.log chk0001.tmp Clusbackup.dat; do
		fresh
		"$clusnap" backup "$disk" "$work/snap" >/dev/null 2>&1
		rm -rf "${outside:?}"
		cp -r "$work/snap" "$outside"
		disk=$work/snap
		replace "$kind" $name
		disk=$work/disk
		for command in verify show 'checkpoint list'; do
			# shellcheck disable=SC2086
			run $command "$work/snap"
			[ $status -eq 1 ] || [ $status -eq 4 ] || wrong "$kind for $name: $command: exit $status"
			[ -n "$out$err" ] || wrong "$kind for $name: $command: without a word"
		done
		run extract "$work/snap" "$work/extracted"
		[ $status -eq 1 ] || [ $status -eq 4 ] || wrong "$kind for $name: extract: exit $status"
		[ ! -e "$work/extracted" ] || wrong "$kind for $name: it was extracted"
		[ $name != Clusbackup.dat ] || continue
		run backup "$work/node" "$work/snap"
		[ $status -eq 3 ] || [ $status -eq 0 ] || wrong "$kind for $name: backup over: exit $status: $err"
	done
done
result "promise 2: a snapshot is untrusted, too"

# --- hives made to hurt ---

if [ -n "${CLUSNAP_SHARED-}" ]; then
	for hive in "$CLUSNAP_SHARED"/corpus/hostile/*; do
		[ -f "$hive" ] || continue
		for place in $cluster/CLUSDB $config/SYSTEM $config/SOFTWARE; do
			for salvage in '' --salvage; do
				fresh
				cp "$hive" "$disk/$place"
				# shellcheck disable=SC2086
				run backup $salvage "$disk" "$work/snap"
				case $status in
				0) # nothing may be missing
					[ -n "$(find "$work/snap" -name '*.CPT')" ] ||
						[[ $err == *checkpoint-key-missing* ]] || wrong "$place $hive $salvage: silent loss"
					is_whole "$work/snap" || wrong "$place $hive $salvage: exit 0, not whole"
					;;
				1) [ ! -e "$work/snap" ] || is_whole "$work/snap" || wrong "$place $hive $salvage: not whole" ;;
				4) [ ! -e "$work/snap" ] || wrong "$place $hive $salvage: exit 4, something was written" ;;
				*) wrong "$place $hive $salvage: exit $status: $err" ;;
				esac
				[ $status -eq 0 ] || [ -n "$err" ] || wrong "$place $hive $salvage: without a word"
			done
			for command in status show 'checkpoint list'; do
				# shellcheck disable=SC2086
				run $command "$disk"
				case $status in
				0 | 1 | 4) ;;
				*) wrong "$command: $place $hive: exit $status: $err" ;;
				esac
			done
		done
		rm -f "$work/saved"
		run save --salvage "$hive" '' "$work/saved"
		case $status in
		0 | 1)
			[ -e "$work/saved" ] || [[ $err == *dirty* ]] || wrong "$hive: nothing saved: $err"
			[ -e "$work/saved" ] || continue
			expect 0 '' check "$work/saved"
			"$CLUSNAP_SHARED/tools/regf_oracle.py" image "$work/saved" >"$work/said" 2>&1 ||
				wrong "$hive: $(head -n 3 "$work/said")"
			;;
		4) [ ! -e "$work/saved" ] || wrong "$hive: exit 4 and something written" ;;
		*) wrong "save --salvage $hive: exit $status: $err" ;;
		esac
	done
	result "promise 2: every hostile hive as CLUSDB, SYSTEM and SOFTWARE, and salvaged"
else
	skip "promise 2: every hostile hive as CLUSDB, SYSTEM and SOFTWARE" "CLUSNAP_SHARED is not set"
fi
echo "1..$number"
