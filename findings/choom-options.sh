#!/bin/bash
# choom starts a program with an OOM score, as nice, ionice and prlimit start one with a value of theirs. One guesses that options
# after the program's name are the program's: choom takes them for its own, wherever they stand, unless there is a "--".
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# debian FILE SHA256: unpacks a package of Debian's pool (amd64) into $dir.
debian() {
  curl -fsS --retry 3 -o "$dir/package" "http://deb.debian.org/debian/pool/main/$1"
  sha256sum --quiet -c - <<<"$2  $dir/package"
  dpkg-deb -x "$dir/package" "$dir"
}

# seen WHAT WANTED GOT: prints what was seen, and ends the script when it is no longer so.
seen() {
  printf '%s: %s\n' "$1" "$3"
  [[ $3 == "$2" ]] || { printf 'changed, it was: %s\n' "$2" >&2; exit 1; }
}

debian 'u/util-linux/util-linux_2.38.1-5+deb12u3_amd64.deb' \
  8eb241ff24b2e1ee9c0373f4fc9bc728b85bf5966c1496154df7da01c0e42f34

choom() { "$dir/usr/bin/choom" "$@" 2>&1 | sed -n 1p | sed 's/^[^:]*: //'; }
"$dir/usr/bin/choom" --version | sed 's/^[^ ]*choom/choom/'
seen 'choom -n 100 sh -c …' "invalid option -- 'c'" "$(choom -n 100 sh -c 'cat /proc/self/oom_score_adj')"
seen 'choom -n 100 -- sh -c …' 100 "$(choom -n 100 -- sh -c 'cat /proc/self/oom_score_adj')"
seen 'nice -n 1 sh -c nice' "$(($(nice) + 1))" "$(nice -n 1 sh -c nice)"
seen 'ionice -c 3 sh -c …' ran "$("$dir/usr/bin/ionice" -c 3 sh -c 'echo ran')"
