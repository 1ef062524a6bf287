#!/bin/bash
# Each parser of what comes from outside, fuzzed from its seeds for $FUZZ_SECONDS with the address
# and undefined-behaviour sanitizers. What is found stays in build/fuzz/found.
. "$(dirname "$0")/tap.sh"
cd "$(dirname "$0")/.." || exit
found=build/fuzz/found

for source in tests/fuzz/*_fuzz.c; do
	name=$(basename "$source" _fuzz.c)
	corpus=build/fuzz/corpus/$name
	words=()
	[ -e "tests/fuzz/$name.dict" ] && words=(-dict="tests/fuzz/$name.dict")
	mkdir -p "$corpus" "$found"
	build/fuzz/tests/fuzz/"$name"_fuzz -seed=1 -max_total_time="${FUZZ_SECONDS:-1}" -timeout=10 \
		-rss_limit_mb=2048 -max_len=20000 -artifact_prefix="$found/$name-" -print_final_stats=1 \
		"${words[@]}" "$corpus" "tests/fuzz/seeds/$name" >"$dir/out" 2>&1
	status=$?
	grep -vE '^#[0-9]|NEW_FUNC|^INFO' "$dir/out" | tail -n 40 >"$dir/short"
	mv "$dir/short" "$dir/out"
	check "$name: $(sed -n 's/stat::number_of_executed_units: *//p' "$dir/out") inputs" [ $status = 0 ]
done

for bug in beyond split; do
	{	# which aborts: the shell need not say so
		FUZZ_CONTROL=$bug build/fuzz/tests/fuzz/control -seed=1 -runs=100000 -max_total_time=20 \
			-artifact_prefix="$dir/" tests/fuzz/seeds/frame >"$dir/out" 2>&1
		status=$?
	} 2>/dev/null
	check "control: a parser with the bug '$bug' is found out" [ $status != 0 ]
done
done_testing
