#!/bin/bash
# systemd-nspawn --oci-bundle with a config.json of a later runtime-spec. One guesses that 1.0.2 is taken as 1.0.0 is, since
# versions follow SemVer, and that a property which nspawn does not know is skipped, or is named in an error. It takes
# exactly 1.0.0, so nothing that `runc spec` writes; and for a property that is newer than 1.0.0 (process.user.umask) it
# exits with 1 without a word: SYSTEMD_LOG_LEVEL=debug shows the line and the name. Needs root.
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

debian 's/systemd/systemd-container_252.39-1~deb12u2_amd64.deb' \
  9e620435592afcd65a3f19a3bab0027f3e715626294560ea8919b15af3c38021
debian 's/systemd/libsystemd-shared_252.39-1~deb12u2_amd64.deb' \
  01458465c816b9eb63b92241869ddb46f332b8f498cf7a5979b84ec293cfdfda
debian 'b/busybox/busybox-static_1.35.0-4+deb12u1+b1_amd64.deb' \
  3d3fdbe91d4660c873e14b092c213fe81c1da6362daa236eb25d0171eb108744

export LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu/systemd
mkdir -p "$dir/bundle/rootfs/usr/bin"
ln -s usr/bin "$dir/bundle/rootfs/bin"
cp "$dir/bin/busybox" "$dir/bundle/rootfs/usr/bin/sh"

# answer VERSION [MEMBER]: the exit code and what nspawn and the container print. MEMBER is one more of process.user.
answer() {
  local process='"process": {"cwd": "/", "args": ["sh", "-c", "echo hello"], "user": {"uid": 0, "gid": 0'${2:-}'}}'
  printf '{"ociVersion": "%s", "root": {"path": "rootfs"}, %s}\n' "$1" "$process" >"$dir/bundle/config.json"
  local code=0 output
  output=$("$dir/usr/bin/systemd-nspawn" --oci-bundle="$dir/bundle" --register=no --keep-unit --quiet 2>&1 </dev/null) || code=$?
  output=$(grep -v -e '^Some capabilities will not be set' -e '^Attempted to remove disk' <<<"$output" | tr -d '\r' || true)
  echo "$code" "$output"
}

"$dir/usr/bin/systemd-nspawn" --version | head -n 1
seen 'version 1.0.0' '0 hello' "$(answer 1.0.0)"
seen 'version 1.0.2' '1 OCI bundle version not supported: 1.0.2' "$(answer 1.0.2)"
seen 'version 1.2.1' '1 OCI bundle version not supported: 1.2.1' "$(answer 1.2.1)"
seen 'a umask' '1 ' "$(answer 1.0.0 ', "umask": 18')"
seen 'the same at debug level' "Unexpected OCI element 'umask' of type 'unsigned'." \
  "$(SYSTEMD_LOG_LEVEL=debug answer 1.0.0 ', "umask": 18' | sed -n 's/.*config\.json:[0-9:]* //p')"
