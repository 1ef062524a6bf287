#!/bin/sh
# make install and make uninstall, into a directory of their own.
. "$(dirname "$0")/tap.sh"
cd "$(dirname "$0")/.." || exit
root=$dir/root

# run TARGET: with the output in out
run() {
	make --no-print-directory "$1" build="$BUILD" prefix=/usr DESTDIR="$root" >"$dir/out" 2>&1
}

# files: everything below the root, one a line
files() {
	(cd "$root" && find . ! -type d | sort)
}

run install
check 'installs' test $? = 0
files >"$dir/out"
for file in usr/bin/fund usr/sbin/fundd etc/fund/fund.conf \
	usr/libexec/fund/fund-verify usr/libexec/fund/fund-witness usr/libexec/fund/fund-export \
	usr/share/man/man1/fund.1 usr/share/man/man1/fund-verify.1 usr/share/man/man8/fundd.8 \
	usr/share/man/man5/fund.conf.5 usr/share/man/man5/fund-ledger.5 \
	usr/lib/systemd/system/fundd.socket usr/lib/systemd/system/fundd.service \
	usr/lib/systemd/system/fund-reset.timer usr/lib/systemd/system/fund-reset.service \
	usr/lib/sysusers.d/fund.conf usr/lib/tmpfiles.d/fund.conf usr/share/doc/fund/fund.cron; do
	check "$file" says "^./$file$"
done

"$root/usr/bin/fund" help >"$dir/out" 2>&1
check 'the installed fund runs' test $? = 0
"$root/usr/bin/fund" verify --help >"$dir/out" 2>&1
check '... and finds what is beside it' says '^usage: fund verify '
check 'anyone may read and run what anyone needs' sh -c "! find $root/usr ! -perm -o=r | grep ."
grep -v '^PATH=' "$root/usr/share/doc/fund/fund.cron" >"$dir/out"
check 'the cron line' says '^7 \* \* \* \* fund-cron fund reset --quiet$'

echo '# mine' >"$root/etc/fund/fund.conf"
run install
check 'installs over itself' test $? = 0
cp "$root/etc/fund/fund.conf" "$dir/out"
check 'a config that is there stays as it is' says '^# mine$'

run uninstall
check 'uninstalls' test $? = 0
check '... and says what it leaves' says 'fund.conf and the ledger'
files >"$dir/out"
check '... which is the config alone' test "$(cat "$dir/out")" = ./etc/fund/fund.conf
find "$root" -name '*fund*' ! -path "$root/etc/*" >"$dir/out"
check '... and no directory of ours' test ! -s "$dir/out"
run uninstall
check 'uninstalls what is gone already' test $? = 0
done_testing
