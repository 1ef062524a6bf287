#!/bin/sh
# The demo, run as README says: it checks itself as it goes, so here it is that it ends well, shows
# the lines it is there for, and leaves nothing behind.
demo=$(dirname "$0")/demo
. "$(dirname "$0")/tap.sh"
export BUILD

left() {
	find /tmp -maxdepth 1 -name 'fund-demo.*' | sort
}

left >"$dir/before"
"$demo" >"$dir/out" 2>&1 </dev/null
check 'the demo ends well' test $? = 0
left >"$dir/after"
check '... and takes everything away again' cmp "$dir/before" "$dir/after"
check 'a rep spends with one line' says '^Spent EUR 25.00 from alice. EUR 175.00 left until 1 '
check 'somebody whose money is short is told what helps' \
	says 'team/north can help with EUR 265.00 now:  fund topup 265.00 && fund spend 400 --for "'
check '... and it helps' says '^Spent EUR 400.00 from alice. EUR 0.00 left until 1 '
check 'a second reset does nothing' says 'already'
check 'the ledger verifies' says '^verified [0-9]* entries, root '

# A demo that cannot fail shows nothing.
mkdir "$dir/mute"
cp "$BUILD/fundd" "$BUILD/fund-verify" "$BUILD/fund-witness" "$dir/mute"
printf '#!/bin/sh\n' >"$dir/mute/fund"
chmod 755 "$dir/mute/fund"
BUILD=$dir/mute "$demo" >"$dir/out" 2>&1 </dev/null
check 'it fails when a step says nothing' test $? = 1
check '... tells what it missed' says '^demo: this should have said: '
left >"$dir/after"
check '... and takes everything away then, too' cmp "$dir/before" "$dir/after"
done_testing
