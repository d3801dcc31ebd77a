#!/bin/bash
# Names of capabilities in file capabilities. setcap (libcap) and filecap (libcap-ng) write the same attribute, so one
# guesses that both take cap_kill, or both also kill: setcap wants the prefix, filecap refuses a name with it as
# "unrecognized", though pscap and filecap print what setcap has written without a word. A relative path is an
# unrecognized capability to filecap, too. Needs root, to write the attribute.
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

debian 'libc/libcap2/libcap2_2.66-4+deb12u3+b1_amd64.deb' \
  8d684c673e7483802a5c447834b0df6fce006eb3a7109e1be412f5ad425bb24f
debian 'libc/libcap2/libcap2-bin_2.66-4+deb12u3+b1_amd64.deb' \
  e7e14ebae53ef34c881a557e0a6d125b5e6721b692999045cf6af962daebe8d6
debian 'libc/libcap-ng/libcap-ng0_0.8.3-1+b3_amd64.deb' \
  b4b54769c77e4a71c8b33aee4d600ba28a9994a1c6f60d55d4ebe7fc44882e07
debian 'libc/libcap-ng/libcap-ng-utils_0.8.3-1+b3_amd64.deb' \
  958aacf576e1e58535862910e78e0ab97a22a7693a7516b74b353d19e7906e23

LD_LIBRARY_PATH=$(find "$dir" -name 'libcap*.so.*' -printf '%h\n' | sort -u | paste -sd :)
export LD_LIBRARY_PATH
file=$dir/program
echo '#!/bin/sh' >"$file"

# with COMMAND…: the exit code, and the capabilities that the file has then.
with() {
  local code=0
  "$@" >/dev/null 2>&1 || code=$?
  local has
  has=$("$dir/sbin/getcap" "$file")
  echo "$code ${has##* }"
  "$dir/sbin/setcap" -r "$file" 2>/dev/null || true
}
filecap=$dir/usr/bin/filecap

echo 'setcap of libcap 2.66, filecap of libcap-ng 0.8.3'
seen 'setcap cap_kill' '0 cap_kill=p' "$(with "$dir/sbin/setcap" cap_kill=p "$file")"
seen 'setcap kill' '1 ' "$(with "$dir/sbin/setcap" kill=p "$file")"
seen 'filecap kill' '0 cap_kill=ep' "$(with "$filecap" "$file" kill)"
seen 'filecap cap_kill' '1 ' "$(with "$filecap" "$file" cap_kill)"
seen 'filecap with a path that is not absolute' 'Unrecognized capability.' \
  "$(cd "$dir" && "$filecap" program kill 2>&1 | head -1)"
