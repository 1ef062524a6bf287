#!/bin/sh
# tests/run itself: whatever goes wrong in a test file must show in its last line and its status.
run=$(dirname "$0")/run
. "$(dirname "$0")/tap.sh"

# judged NAME STATUS LAST-LINE: what tests/run makes of the script on stdin
judged() {
	{ echo '#!/bin/sh'; cat; } >"$dir/file.t"
	chmod +x "$dir/file.t"
	TEST_TIMEOUT=1 "$run" "$dir/file.t" >"$dir/out" 2>&1
	check "$1" test "$? $(tail -n 1 "$dir/out")" = "$2 $3"
}

judged 'all well' 0 '2 passed, 0 failed, 0 skipped' <<-'EOT'
	echo 1..2; echo ok 1 - one; echo ok 2 - two
EOT
judged 'a failed check' 1 '1 passed, 1 failed, 0 skipped' <<-'EOT'
	echo ok 1 - one; echo not ok 2 - two; echo "#  the reason"; echo 1..2; exit 1
EOT
check '... and its reason is shown' says 'the reason'
judged 'a failed check behind status 0' 1 '0 passed, 1 failed, 0 skipped' <<-'EOT'
	echo not ok 1 - one; echo 1..1
EOT
judged 'a plan that promises more' 1 '1 passed, 1 failed, 0 skipped' <<-'EOT'
	echo 1..3; echo ok 1 - one
EOT
judged 'no plan' 1 '1 passed, 1 failed, 0 skipped' <<-'EOT'
	echo ok 1 - one
EOT
judged 'nothing at all' 1 '0 passed, 1 failed, 0 skipped' <<-'EOT'
	true
EOT
judged 'a crash after the last check' 1 '1 passed, 1 failed, 0 skipped' <<-'EOT'
	echo 1..1; echo ok 1 - one; kill -SEGV $$
EOT
judged 'a bad exit status' 1 '1 passed, 1 failed, 0 skipped' <<-'EOT'
	echo 1..1; echo ok 1 - one; exit 3
EOT
judged 'a test that hangs' 1 '1 passed, 1 failed, 0 skipped' <<-'EOT'
	echo 1..2; echo ok 1 - one; sleep 60; echo ok 2 - two
EOT
judged 'a test that gives up' 1 '1 passed, 2 failed, 0 skipped' <<-'EOT'
	echo ok 1 - one; echo 'Bail out! no daemon'
EOT
check '... and why is shown' says 'no daemon'
judged 'a skipped check' 0 '1 passed, 0 failed, 1 skipped' <<-'EOT'
	echo 1..2; echo ok 1 - one; echo 'ok 2 # SKIP no disk'
EOT
check '... and why is shown' says 'no disk'
judged 'a skipped file' 0 '0 passed, 0 failed, 1 skipped' <<-'EOT'
	echo '1..0 # SKIP not root'
EOT
rm "$dir/file.t"
"$run" "$dir/file.t" >"$dir/out" 2>&1
check 'a file that is not there' test "$? $(tail -n 1 "$dir/out")" = '1 0 passed, 1 failed, 0 skipped'
"$run" >"$dir/out" 2>&1
check 'no files' test "$? $(tail -n 1 "$dir/out")" = '1 0 passed, 0 failed, 0 skipped'
done_testing
