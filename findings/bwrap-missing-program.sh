#!/bin/bash
# bubblewrap with a program that is not there. One guesses 127, as from a shell, and a line with it from
# --json-status-fd, as for each program that ends: the exit code is 1, and the status tells of a child and then of
# nothing, so that a reader who waits for "exit-code" never gets one. A program that dies of a signal is told (143).
# Needs user namespaces or root.
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

debian 'b/bubblewrap/bubblewrap_0.8.0-2+deb12u1_amd64.deb' \
  3cc9134a3286ad01a323dcd924ba123eb634cefaeec82d774257e06308aeaadb

bwrap=$dir/usr/bin/bwrap
"$bwrap" --version

# run ARGUMENT...: the exit code, and the keys that the status has.
run() {
  local code=0
  "$bwrap" --ro-bind / / --unshare-pid --json-status-fd 3 "$@" 2>/dev/null 3>"$dir/status" || code=$?
  echo "$code, status: $(grep -oE '"(child-pid|exit-code)"' "$dir/status" | paste -sd ' ')"
}

# The program ends by a signal that it sends itself.
# shellcheck disable=SC2016
seen 'a signal' '143, status: "child-pid" "exit-code"' "$(run sh -c 'kill -TERM $$')"
seen 'a missing program' '1, status: "child-pid"' "$(run /nonexistent)"
