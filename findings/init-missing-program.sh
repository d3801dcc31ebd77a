#!/bin/bash
# The small inits that containers have as pid 1 disagree on a program that is not there or may not be executed. One
# guesses 127 and 126, as from a shell, env and docker run: tini has them, dumb-init ends with 2 and catatonit with 1
# for both, so that an engine cannot tell a typo in args from a program that failed. Other exit codes and signals are
# the same with all three.
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

debian 't/tini/tini_0.19.0-1+b3_amd64.deb' \
  7d1947665fa40e55f218fefad773dc6de66458d0b39eaa292cdcadfc7c996632
debian 'd/dumb-init/dumb-init_1.2.5-2_amd64.deb' \
  a8eae71eb01d0b1c378708a8dbef0247615e9f9d43dd7b37ca77958963360afd
debian 'c/catatonit/catatonit_0.1.7-1+b2_amd64.deb' \
  3ee3137f8499a0b9a77172f57acf73f6da5bd1efd477fb307bb96399b338fc64

for init in tini dumb-init catatonit; do
  "$dir/usr/bin/$init" --version 2>&1 | head -n 1
done

# code INIT ARGUMENT...: the exit code of INIT as pid 1 of a namespace.
code() {
  local init=$1
  shift
  unshare --pid --fork --kill-child --mount-proc "$dir/usr/bin/$init" -- "$@" >/dev/null 2>&1 && echo 0 || echo $?
}

codes() {
  echo "$(code "$1" /nonexistent) $(code "$1" /etc/passwd) $(code "$1" sh -c 'exit 7') $(code "$1" sh -c 'kill -TERM $$')"
}

echo 'exit codes: missing, not executable, exit 7, SIGTERM'
seen tini '127 126 7 143' "$(codes tini)"
seen dumb-init '2 2 7 143' "$(codes dumb-init)"
seen catatonit '1 1 7 143' "$(codes catatonit)"
