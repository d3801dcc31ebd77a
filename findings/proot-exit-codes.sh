#!/bin/bash
# The exit code of proot for a program that a signal ends, or that is not there. One guesses 128 and the signal's number, and
# 127, as from a shell, env and docker run: each signal is 255, and a missing program 1; which it was is told on stderr only. Exit
# codes of programs are passed on.
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

debian 'p/proot/proot_5.1.0-1.3_amd64.deb' \
  ba51946d76c0a681c034b93266d870db7e21b0d3230a4d2dea3bffb556271aeb
debian 't/talloc/libtalloc2_2.4.0-f2_amd64.deb' \
  2cbba68ca13003a0da794f5bcc44d95d0a191514fdd2d2764858b37215f0867c

# ran COMMAND…: the exit code of proot; what it says is in said.
ran() {
  local code=0
  LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu "$dir/usr/bin/proot" -r / "$@" >"$dir/said" 2>&1 || code=$?
  echo "$code"
}
echo 'proot 5.1.0-1.3'
seen 'exit 42' 42 "$(ran /bin/sh -c 'exit 42')"
# shellcheck disable=SC2016 # the inner shell's own pid
seen 'a program that SIGTERM ends' 255 "$(ran /bin/sh -c 'kill -TERM $$')"
# shellcheck disable=SC2016 # the inner shell's own pid
seen 'a program that SIGKILL ends' 255 "$(ran /bin/sh -c 'kill -KILL $$')"
seen 'what it says' 'terminated with signal 9' "$(grep -o 'terminated with signal 9' "$dir/said")"
seen 'a program that is not there' 1 "$(ran /no/program)"
