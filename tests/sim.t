#!/bin/sh
# The simulation (tests/sim/sim.h): what was once found stays mended, a million operations find
# nothing more, and what is planted is found, shrunk and kept. SIM_OPERATIONS and SIM_SEED change
# how many and which.
. "$(dirname "$0")/tap.sh"
sim=$BUILD/tests/sim/sim
kept=$(dirname "$0")/sim/kept
# an instrumented build is several times slower
: "${SIM_OPERATIONS:=$([ -n "${ASAN_OPTIONS-}" ] && echo 150000 || echo 1000000)}"

[ -x "$sim" ] || { echo "Bail out! $sim is not built; run make first"; exit 1; }

# runs NAME STATUS OPTION...
runs() {
	name=$1 status=$2
	shift 2
	"$sim" "$@" >"$dir/out" 2>&1
	check "$name" test $? = "$status"
}

for script in "$kept"/*.script; do
	runs "$(sed -n 's/^# //;1p' "$script"): no more" 0 --replay "$script"
done

runs "$SIM_OPERATIONS operations find nothing" 0 --operations "$SIM_OPERATIONS" --seed "${SIM_SEED:-1}"
sed 's/^/# /' "$dir/out"

"$sim" --operations 4000 --seed 2 >"$dir/first"
"$sim" --operations 4000 --seed 2 >"$dir/out"
check 'the same seed gives the same episodes' cmp "$dir/first" "$dir/out"

# planted CONTROL WORDS: found, shrunk to few steps, and these are enough
planted() {
	runs "$1 is found" 1 --operations 40000 --seed 1 --control "$1" --keep "$dir/$1"
	check '... in these words' says "steps are enough: .*$2"
	check '... in a few steps' test "$(wc -l <"$dir/$1")" -le 60
	runs '... which fail again' 1 --control "$1" --replay "$dir/$1"
	runs '... and without it do not' 0 --replay "$dir/$1"
}
planted early 'was answered before it was durable'
planted nosync 'was durable, and is lost'
planted ids 'has two entries\|BudgetExists\|told as new'
planted money 'the budget was never like that\|leaves [0-9]* in'
planted payload 'never asked for entry\|is in the name of'
planted leak 'are left behind'
done_testing
