#!/bin/sh
# The man pages: well-formed, and with an entry for every method, command, option and key there is. And README.md's map,
# with every file of the code.
. "$(dirname "$0")/tap.sh"
cd "$(dirname "$0")/.." || exit
fund=$BUILD/fund

# listed NAME PATTERN FILE: a line of the page matches
listed() {
	grep -nE -- "$2" "$3" >"$dir/out" || echo "$3 has no line like $2" >"$dir/out"
	check "$1" grep -qE -- "$2" "$3"
}

# section COMMAND: what fund(1) says of it
section() {
	awk -v name="$1" '/^\.It Cm /{ inside = $3 == name } /^\.Sh/{ inside = 0 } inside' man/fund.1
}

for page in man/*; do
	mandoc -T lint -W warning "$page" >"$dir/out" 2>&1
	check "$page is well-formed" test $? = 0
done

for method in $(sed -n 's/^method \([A-Za-z]*\).*/\1/p' common/*.varlink); do
	listed "method $method" "^\.It Ic $method\$" man/fundd.8
done
for key in $(sed -n 's/^	{ "[a-z]*", "\([a-z_]*\)", take_.*/\1/p' daemon/config.c); do
	listed "key $key" "^\.It Ic $key\$" man/fund.conf.5
done
for option in $("$BUILD/fundd" --help 2>&1 | grep -oE -- '--[a-z-]+' | sort -u); do
	[ "$option" = --help ] || listed "fundd $option" "^\.It Fl ${option#-}( |\$)" man/fundd.8
done

for page in man/fund-*.1; do
	program=${page#man/fund-}
	for option in $("$fund" help "${program%.1}" | grep -oE -- '--[a-z][a-z-]+' | sort -u); do
		listed "fund ${program%.1} $option" "^\.It (Fl [a-z] Ar [a-z]+ , )?Fl ${option#-}( |\$)" "$page"
	done
done

commands=$("$fund" help | sed -n 's/^  \([a-z]*\)  .*/\1/p')
check 'fund help lists commands' test -n "$commands"
for command in $commands; do
	listed "fund $command" "^\.It Cm $command( |\$)" man/fund.1
	section "$command" >"$dir/section"
	for option in $("$fund" help "$command" | grep -oE -- '--[a-z][a-z-]+' | sort -u); do
		case $option in
		--json | --socket | --help)
			listed "fund $command $option" "^\.It Fl ${option#-}( |\$)" man/fund.1 ;;
		*)
			listed "fund $command $option" "Fl ${option#-}( |\$)" "$dir/section" ;;
		esac
	done
done
for command in $(sed -n 's/^\.It Cm \([a-z]*\).*/\1/p' man/fund.1 | sort -u); do
	check "fund(1) tells of $command, which exists" test -n "$(echo "$commands" | grep -x "$command")"
done

# mapped DIR: the words of README.md's map for it, patterns among them
mapped() {
	awk -v dir="$1/" '/^    [^ ]/{ inside = $1 == dir; next }
		inside && /^      [^ ]/{ sub(/^ */, ""); sub(/  .*/, ""); print }' README.md
}

set -f
for code in common daemon client; do
	: >"$dir/out"
	for name in $(ls $code | sed -n 's/\.[ch]$//p' | sort -u); do
		for word in $(mapped $code); do
			# shellcheck disable=SC2254 # a pattern it may be
			case $name in $word) continue 2 ;; esac
		done
		echo "not there: $code/$name" >>"$dir/out"
	done
	check "README.md's map has every file of $code" test ! -s "$dir/out"
done
done_testing
