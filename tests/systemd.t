#!/bin/sh
# The units, as they are installed, in systemd's own opinion; and the users and the directory they
# need.
. "$(dirname "$0")/tap.sh"
cd "$(dirname "$0")/.." || exit
units=$dir/usr/lib/systemd/system

# A prefix instead of DESTDIR, so that the programs are where the units say they are.
make --no-print-directory install build="$BUILD" prefix="$dir/usr" sysconfdir="$dir/etc" >"$dir/out" 2>&1
check 'installed' test $? = 0

systemd-analyze verify --man=no "$units"/* >"$dir/out" 2>&1
check 'systemd-analyze verify passes' test $? = 0
check '... without a word about our units' sh -c "! grep fund $dir/out"

# exposed UNIT: how much systemd thinks the unit could do, in tenths, of 100
for unit in fundd.service fund-reset.service; do
	systemd-analyze security --no-pager --offline=yes --threshold=15 "$units/$unit" >"$dir/out" 2>&1
	check "$unit is hardened (exposure under 1.5)" test $? = 0
done

cat "$units"/*.service >"$dir/out"
check 'no user namespace: the kernel must name the callers' sh -c \
	"! grep -Eq '^(PrivateUsers|DynamicUser)=' $dir/out"
check 'the units run the installed programs' says "^ExecStart=$dir/usr/sbin/fundd$"
check '... of both directories' says "^ExecStart=$dir/usr/bin/fund reset --quiet$"
check 'no path is left to fill in' sh -c "! grep -q '@' $units/fundd.socket $units/fund-reset.timer &&
	! grep -Eq '@s?bindir@' $dir/out"

mkdir -p "$dir/root/etc" "$dir/root/run"
systemd-sysusers --root="$dir/root" "$dir/usr/lib/sysusers.d/fund.conf" >"$dir/out" 2>&1
cat "$dir/root/etc/passwd" >>"$dir/out"
check 'sysusers.d makes the user of the ledger' says '^fund:x:.*:/var/lib/fund:'
check '... and the one of the reset' says '^fund-cron:x:'

systemd-tmpfiles --root="$dir/root" --create "$dir/usr/lib/tmpfiles.d/fund.conf" >"$dir/out" 2>&1
stat -c '%a' "$dir/root/run/fund" >>"$dir/out" 2>&1
check 'tmpfiles.d makes the directory of the socket' says '^755$'

systemd-analyze calendar --iterations=2 \
	"$(sed -n 's/^OnCalendar=//p' "$units/fund-reset.timer")" >"$dir/out" 2>&1
check 'the timer comes at the same minute as the cron line' says 'Next elapse: .*:07:00'
done_testing
