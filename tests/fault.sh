# Functions to make each system call of a program fail once, or kill it there. To be sourced:
#
#	. tests/fault.sh
#	prepare() { ...; }	# puts everything as it must be before a run
#	judge() { ...; }	# looks at $fault_status and at what the run left; 0 if all is well
#	fault_sweep prepare judge "openat:EACCES,EIO fsync:EIO write:ENOSPC close" COMMAND...
#
# For CALL:ERROR,ERROR the first CALL of the command fails with ERROR, in the next run the
# second one, and so on until none fires; a CALL without errors is a kill (SIGKILL before it
# is made). The judge is called after each run, with $fault_at ("fsync EIO 3") to say which it
# was. strace counts calls for each thread by itself, and those of ld.so too.
#
# fault_from=N begins every series with the N-th call, fault_step=N takes every N-th from there.
# Afterwards: $fault_points runs were judged, $fault_bad is a line for each that was not well.

fault_points=0 fault_bad='' fault_at='' fault_status=0
fault_also='' # calls that a -e inject= in front of COMMAND is about
fault_limit=${FAULT_LIMIT:-2000} # runs for one call and error: more is a loop
fault_from=1 fault_step=1 # the first call of a series, and how far it is to the next one

fault_have() { strace -qq -o /dev/null true 2>/dev/null; }

# One run with the fault; true if it fired.
fault_once() # LOG CALL ACTION N COMMAND...
{
	local log=$1 call=$2 action=$3 n=$4 filter=''
	shift 4
	# much faster, but kills do not work with it
	case $action in error*) filter=--seccomp-bpf ;; esac
	fault_status=0
	# LeakSanitizer cannot work under ptrace
	ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 strace -f $filter -qq -o "$log" \
		-e trace="$call${fault_also:+,$fault_also}" -e inject="$call:$action:when=$n" "$@" || fault_status=$?
	grep -qE "^([0-9]+ +)?$call\(.*\(INJECTED\)|killed by SIGKILL" "$log"
}

fault_series() # PREPARE JUDGE CALL ACTION COMMAND...
{
	local prepare=$1 judge=$2 call=$3 action=$4 n log
	shift 4
	log=$(mktemp)
	for ((n = fault_from; n < fault_from + fault_limit; n += fault_step)); do
		"$prepare"
		fault_once "$log" "$call" "$action" "$n" "$@" 2>"$log.err" >"$log.out" || break
		fault_at="$call ${action#*=} $n"
		fault_points=$((fault_points + 1))
		fault_out=$log.out fault_err=$log.err
		"$judge" || fault_bad+="$fault_at: status $fault_status, $(head -n 1 "$log.err")"$'\n'
	done
	rm -f "$log" "$log.err" "$log.out"
}

fault_sweep() # PREPARE JUDGE CALLS COMMAND...
{
	local prepare=$1 judge=$2 one error errors
	local -a calls
	read -ra calls <<<"$3"
	shift 3
	for one in "${calls[@]}"; do
		if [ "${one#*:}" = "$one" ]; then
			fault_series "$prepare" "$judge" "$one" signal=KILL "$@"
			continue
		fi
		IFS=, read -ra errors <<<"${one#*:}"
		for error in "${errors[@]}"; do
			fault_series "$prepare" "$judge" "${one%%:*}" "error=$error" "$@"
		done
	done
}

# The judge's first question: did it end by itself, with a status of ours and a word of why?
# A program that ld.so could not even load is not ours to judge.
fault_orderly()
{
	[ "$fault_status" -eq 0 ] && return 0
	[ "$fault_status" -eq 127 ] && grep -q 'error while loading' "$fault_err" && return 0
	case "$fault_at $fault_status" in
	*KILL*\ 137) return 0 ;;
	esac
	case $fault_status in
	1 | 2 | 3 | 4 | 5 | 6 | 70) [ -s "$fault_err" ] ;;
	*) return 1 ;;
	esac
}
