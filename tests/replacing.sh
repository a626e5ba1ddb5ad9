# Functions to judge what an interrupted restore has left, without the program. To be sourced:
#
#	. tests/replacing.sh
#	replace=...		# tests/tools/replace
#	do_begin() { ...; }	# DIR: a restore, from the start
#	replacing_reference DIR	# DIR as it is before; in $replacing_old and _new what it holds then
#
#	replacing_judge DIR	# DIR after a crash; a line in $replacing_bad for all that is wrong
#
#	result NAME		# a test: is nothing in $replacing_bad?
#
# DIR holds a directory for each disk. The judge leaves DIR with the new state, reached by resuming
# (or by putting it back and beginning anew), and has put a copy of it, DIR.copy, back.

replacing_here=$(realpath "${BASH_SOURCE[0]%/*}")
replacing_bad='' replacing_at='' # the second is where we are, for the first
replacing_said='' # what the last of the three said

# DIR: finishes a restore, status 1: it cannot, but it can be put back; puts it back. Both print
# "nothing" where there is none.
do_resume() { "$replace" resume "$1/s" "$1/q"; }
do_back() { "$replace" back "$1/s" "$1/q"; }

number=0
result() { # NAME
	number=$((number + 1))
	if [ -z "$replacing_bad" ]; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		head -n 20 <<<"$replacing_bad" | sed 's/^/# /'
	fi
	replacing_bad=''
}

replacing_wrong() { replacing_bad+="$replacing_at: $*"$'\n'; }

# A line for each directory, file and link: its path, and for a file the checksum of its bytes.
# What depends on the time is left out: the name of the set-aside directory, the text of a list.
replacing_list() # DIR
{
	(
		shopt -s globstar dotglob nullglob
		cd "$1" || exit
		files=()
		for path in **; do
			short=${path/clusnap-[0-9]*Z/clusnap-TIME}
			if [ -L "$path" ]; then
				echo "$short link"
			elif [ -f "$path" ]; then
				files+=("$path")
			elif [ -d "$path" ]; then
				echo "$short/"
			else
				echo "$short special"
			fi
		done
		sha256sum "${files[@]}" 2>&1 | while read -r sum name; do
			path=${name/clusnap-[0-9]*Z/clusnap-TIME}
			[ "$sum" != sha256sum: ] || sum=unreadable path=${path%: *}
			if [ "${path%.json}" != "$path" ]; then
				sum=
				[ "$(tail -c 2 "$name" 2>&1)" = '}' ] || sum=torn # or unreadable
			fi
			echo "$path $sum"
		done
	) | replacing_mark "$1"
}

# On NTFS a file at a place may be torn: told from the old and the new files, which are kept for that.
replacing_kept='' # a directory

replacing_keep() # DIR KEPT: DIR as it is before
{
	mkdir "$2"
	cp -a "$1" "$2/old"
	cp -a "$1" "$2/new"
	replacing_do begin "$2/new" || replacing_wrong "fails without a fault: $replacing_said"
	replacing_kept=$2
}

replacing_mark() # DIR: a list, in which what is torn is said to be that
{
	local line path file files
	[ -n "$replacing_kept" ] || { cat; return; }
	while IFS= read -r line; do
		path=${line%% *}
		if [[ $line == *" "?* && $path != *clusnap-TIME* ]] &&
			! grep -qxF "$line" <<<"$replacing_old"$'\n'"$replacing_new"; then
			files=()
			for file in "$replacing_kept"/{old,new}/"$path"; do
				[ -e "$file" ] && files+=("$file") || files+=(-)
			done
			! python3 "$replacing_here/torn.py" "$1/$path" "${files[@]}" 2>/dev/null ||
				line="$path torn"
		fi
		echo "$line"
	done
}

# Without the directories of ours that hold no whole journal or list.
replacing_without_leftovers()
{
	awk '{ line[NR] = $0 }
		/clusnap-TIME\/(journal|list)\.json $/ { begun = 1 }
		END {
			for (i = 1; i <= NR; i++)
				if (begun || line[i] !~ /clusnap-TIME\/(journal\.json torn|\.clusnap-room-.*)?$/)
					print line[i]
		}'
}

# What must hold at every instant: each path has its old bytes, or its new ones, or is missing, or "torn"
# (a mixture, as tests/torn.py has it) or unreadable (a name without a file; nothing here says either but
# power cuts on NTFS), while both are whole elsewhere; and the bytes of every old file are somewhere.
replacing_safe() # LIST
{
	awk -v which=0 '
		FNR == 1 { which++ }
		/\/$/ { next }
		which == 1 { old[$1] = $2; next }
		which == 2 { new[$1] = $2; next }
		{ now[$1] = $2; have[$2] = 1 }
		END {
			for (p in old) {
				if (!(old[p] in have))
					print "the bytes of the old " p " are nowhere"
				if (!(p in now) || now[p] == "torn" || now[p] == "unreadable" ||
				    now[p] == "special") {
					if ((p in new) && !(new[p] in have))
						print p " is missing or torn, and the new one is nowhere"
				} else if (now[p] != old[p] && now[p] != new[p])
					print p " is neither the old nor the new one"
			}
			for (p in now)
				if (now[p] == "torn" && ((p ".LOG1") in now || (p ".LOG2") in now))
					print p " is torn, and has logs"
			for (p in new)
				if (!(p in old) && (p in now) && p !~ /clusnap-TIME/ && now[p] != new[p] &&
				    !(now[p] == "torn" && (new[p] in have)))
					print p " is not the new one"
		}' <(echo "$replacing_old") <(echo "$replacing_new") <(echo "$1")
}

replacing_do() # begin|resume|back DIR: its status
{
	local status=0
	replacing_said=$("do_$1" "$2" 2>&1) || status=$?
	return $status
}

replacing_reference() # DIR
{
	replacing_old=$(replacing_list "$1")
	cp -a "$1" "$1.copy"
	replacing_do begin "$1.copy" || replacing_wrong "fails without a fault: $replacing_said"
	replacing_new=$(replacing_list "$1.copy")
	rm -rf "$1.copy"
}

replacing_is() # DIR WANTED WHAT
{
	local now
	now=$(replacing_list "$1")
	[ "$now" = "$2" ] || replacing_wrong "$3: $(diff <(echo "$2") <(echo "$now") | tr '\n' ' ')"
}

# To the new state, from wherever it is.
replacing_forward() # DIR
{
	local status=0
	replacing_do resume "$1" || status=$?
	if [ $status -eq 1 ]; then
		replacing_do back "$1" || replacing_wrong "cannot resume, nor put back: $replacing_said"
		replacing_is "$1" "$replacing_old" "put back to begin anew"
		replacing_do begin "$1" || replacing_wrong "cannot begin anew: $replacing_said"
	elif [ $status -ne 0 ]; then
		replacing_wrong "resume, status $status: $replacing_said"
	elif [ "$replacing_said" = nothing ] && [ "$(replacing_list "$1")" != "$replacing_new" ]; then
		replacing_do begin "$1" || replacing_wrong "cannot begin: $replacing_said"
	fi
	replacing_is "$1" "$replacing_new" "resumed"
}

# To the old state. A restore that was finished, or never begun, leaves nothing to put back.
replacing_back() # DIR
{
	local now
	replacing_do back "$1" || replacing_wrong "back: $replacing_said"
	if [ "$replacing_said" = nothing ]; then
		now=$(replacing_list "$1")
		[ "$now" = "$replacing_new" ] || [ "$(replacing_without_leftovers <<<"$now")" = \
			"$replacing_old" ] || replacing_wrong "there is something to put back: $now"
	else
		replacing_is "$1" "$replacing_old" "put back"
	fi
}

replacing_judge() # DIR
{
	local unsafe
	unsafe=$(replacing_safe "$(replacing_list "$1")")
	[ -z "$unsafe" ] || replacing_wrong "$unsafe"
	rm -rf "$1.copy"
	cp -a "$1" "$1.copy"
	replacing_forward "$1"
	replacing_back "$1.copy"
}

# --- disks for what tests/planning.c plans ---

replacing_file() # PATH SIZE
{
	yes "old ${1##*/}" | head -c "$2" >"$1"
}

replacing_disks() # DIR
{
	local name guid=66666666-7777-4888-9999-aaaaaaaaaaaa
	mkdir -p "$1"/s/Windows/{Cluster,System32/config} "$1/q/MSCS/$guid"
	# as on a real disk: directories of a size that has an index of its own
	for name in clusres.dll clussvc.exe cluswmi.dll clusnet.inf resrcmon.exe Reports.txt; do
		replacing_file "$1/s/Windows/Cluster/$name" 10
		replacing_file "$1/s/Windows/System32/config/${name^^}" 10
		replacing_file "$1/q/MSCS/$name" 10
	done
	replacing_file "$1/s/Windows/Cluster/CLUSDB" 90000
	replacing_file "$1/s/Windows/Cluster/CLUSDB.LOG1" 3000
	replacing_file "$1/s/Windows/Cluster/CLUSDB.LOG2" 0
	replacing_file "$1/s/Windows/System32/config/SOFTWARE" 50000
	replacing_file "$1/s/Windows/System32/config/SOFTWARE.LOG1" 700
	replacing_file "$1/q/MSCS/chk1.tmp" 800
	replacing_file "$1/q/MSCS/quolog.log" 5000
	replacing_file "$1/q/MSCS/$guid/00000001.CPT" 650
}
