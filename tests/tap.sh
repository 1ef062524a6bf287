# For shell tests (". tests/tap.sh"): TAP, one line a check. What a check looks at belongs in $dir/out,
# which is shown when it fails; $dir goes when the test ends. Programs come from $BUILD.
: "${BUILD:=$(cd "$(dirname "$0")/.." && pwd)/build}"
dir=$(mktemp -d) && chmod 755 "$dir" || exit
trap 'rm -rf "$dir"' EXIT
: >"$dir/out"
tap_count=0

# check NAME COMMAND...
check() {
	tap_count=$((tap_count + 1))
	tap_name=$1
	shift
	if "$@"; then
		echo "ok $tap_count - $tap_name"
	else
		echo "not ok $tap_count - $tap_name"
		sed 's/^/# /' "$dir/out"
	fi
}

# says TEXT: the output has a line that matches
says() {
	grep -q -- "$1" "$dir/out"
}

# The plan, at the end.
done_testing() {
	echo "1..$tap_count"
}
