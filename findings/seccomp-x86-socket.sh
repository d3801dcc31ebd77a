#!/bin/bash
# Numbers of system calls on 32-bit x86 by libseccomp. Linux has had socket (359), accept4 (364) and their like as
# calls of their own since 4.3, so one guesses 359: seccomp_syscall_resolve_name gives a number of libseccomp's own,
# -101, for what goes through socketcall, and scmp_sys_resolver -t makes 102 of it, the number of socketcall itself.
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

debian 'libs/libseccomp/seccomp_2.5.4-1+deb12u1_amd64.deb' \
  0102183f74158afd260125f145c10d23e6b5fc876ac4cbe79a8226e7d3361586
debian 'libs/libseccomp/libseccomp2_2.5.4-1+deb12u1_amd64.deb' \
  108fe67957ca7cf9ba51d801118a1b37d404bea7b6e365025cd00779e9eca38d

export LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu
resolve() { "$dir/usr/bin/scmp_sys_resolver" "$@"; }
echo "libseccomp $(basename "$(readlink -f "$LD_LIBRARY_PATH/libseccomp.so.2")")"
seen 'x86_64 socket' 41 "$(resolve -a x86_64 socket)"
seen 'x86 socket' -101 "$(resolve -a x86 socket)"
seen 'x86 socket, translated' 102 "$(resolve -a x86 -t socket)"
seen 'x86 359' socket "$(resolve -a x86 359)"
seen 'aarch64 open, which it has not' -10166 "$(resolve -a aarch64 open)"
