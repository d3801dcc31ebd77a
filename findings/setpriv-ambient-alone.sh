#!/bin/bash
# setpriv --ambient-caps +kill without --inh-caps +kill. One guesses an error (the kernel refuses an ambient
# capability that is not inheritable, prctl(2) EPERM), or that setpriv makes it inheritable: it exits 0, runs the
# program, and the capability is simply not there. Needs root.
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
debian 'libc/libcap-ng/libcap-ng0_0.8.3-1+b3_amd64.deb' \
  b4b54769c77e4a71c8b33aee4d600ba28a9994a1c6f60d55d4ebe7fc44882e07

export LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu
setpriv=$dir/usr/bin/setpriv
"$setpriv" --version

# ambient OPTION...: the ambient set of a program that setpriv runs as uid 1000.
ambient() {
  "$setpriv" --reuid 1000 --clear-groups "$@" sed -n 's/^CapAmb:[[:space:]]*//p' /proc/self/status && echo "exit 0" || echo "exit $?"
}

seen '--ambient-caps +kill' $'0000000000000000\nexit 0' "$(ambient --ambient-caps +kill)"
seen '--inh-caps +kill --ambient-caps +kill' $'0000000000000020\nexit 0' "$(ambient --inh-caps +kill --ambient-caps +kill)"
