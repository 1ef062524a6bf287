#!/bin/sh
# tests/deps on machines that lack things: made up of a PATH with little in it and a false apt-get.
deps=$(dirname "$0")/deps
. "$(dirname "$0")/tap.sh"

# run UID ARG...: tests/deps on the bare machine; its output in out, its status in $status
run() {
	printf '#!/bin/sh\necho %s\n' "$1" >"$dir/bin/id"
	shift
	PATH=$dir/bin "$dir/deps" "$@" >"$dir/out" 2>&1
	status=$?
}

# apt_get BODY: what the machine's apt-get does
apt_get() {
	printf '#!/bin/sh\necho "$*" >>%s/calls\n%s\n' "$dir" "$1" >"$dir/bin/apt-get"
	chmod +x "$dir/bin/apt-get"
	: >"$dir/calls"
}

mkdir "$dir/bin"
cp "$deps" "$dir/deps"
for tool in sh cat sort; do ln -s "$(command -v $tool)" "$dir/bin/"; done
: >"$dir/bin/id" && chmod +x "$dir/bin/id"

run 0 build
check 'without apt: fails' test $status = 1
check '... and names the packages' says 'packages:.* gcc .*libevent-dev.* pkgconf'

apt_get 'exit 0'
run 1000 build demo
check 'not root: fails' test $status = 1
check '... and prints the command' says '^  sudo apt-get install -y --no-install-recommends faketime gcc'
check '... and ran nothing' test ! -s "$dir/calls"

run 1000 demo
check 'only what the goal needs' says 'recommends faketime util-linux$'

run 0 build
check 'root: installs' test $status = 0
check '... in one go' test "$(grep -c '^install .*liblmdb-dev' "$dir/calls")" = 1
check '... without asking for lists that are there' test "$(grep -c update "$dir/calls")" = 0

apt_get "case \$1 in update) >$dir/updated ;; install) test -e $dir/updated ;; esac"
run 0 build
check 'root, no package lists: fetches them' test "$status $(cut -d' ' -f1 "$dir/calls" | tr '\n' ' ')" = \
	'0 install update install '

apt_get 'exit 100'
run 0 build
check 'root, nothing to be had: fails' test $status != 0

run 0 --check build
check '--check: fails' test $status = 1
check '... and says make deps' says 'make deps'
check '... and what gets no more than that' says '^Get it with:  apt-get install -y .*libjansson-dev'
check '... and what is missing' says 'libjansson-dev'

"$deps" --check build demo check >"$dir/out" 2>&1
check 'nothing is missing here' test $? = 0
check '... and nothing is said' test ! -s "$dir/out"
done_testing
