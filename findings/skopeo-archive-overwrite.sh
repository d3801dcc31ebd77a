#!/bin/bash
# skopeo copy to an archive that is there, with another tag. An OCI directory gets a second image, and docker-archive refuses
# ("doesn't support modifying existing images"), so one guesses one of the two for oci-archive: the archive is written anew,
# and the image that was in it is gone, with exit code 0.
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

debian 'u/umoci/umoci_0.4.7+ds-3+b7_amd64.deb' \
  8adce0c435368b8514425bfa31647ff1629241c97331ba4cd3da838a61a58e5a
debian 'liba/libassuan/libassuan0_2.5.5-5_amd64.deb' \
  5912430927da16ccc831459679207fdbb9dfc5a206f2bab8d6f36d5a1ab53e25
debian 'g/gpgme1.0/libgpgme11_1.18.0-3+b1_amd64.deb' \
  dc075584050dc5c8ac27563fc222e8c1ea71128a019a6d129d5823e47ac1e55e
debian 'l/lvm2/libdevmapper1.02.1_1.02.185-2_amd64.deb' \
  aaa78ca236055fedccf637eacf7bda02bf1980b2db668dccd202b04d0d2cfe04
debian 's/skopeo/skopeo_1.9.3+ds1-1+b10_amd64.deb' \
  5c1978f6a95577b143be772bbe50c247a28132a5cc961c74d4d2a6f2b1ab4f3d

LD_LIBRARY_PATH=$(find "$dir" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd :)
export LD_LIBRARY_PATH
cd "$dir"
echo '{"default": [{"type": "insecureAcceptAnything"}]}' >policy.json
mkdir layer
usr/bin/umoci init --layout image
usr/bin/umoci new --image image:a
usr/bin/umoci insert --image image:a layer /layer

# code COMMAND…: the exit code of skopeo.
code() { local code=0; usr/bin/skopeo --policy policy.json "$@" >/dev/null 2>&1 || code=$?; echo "$code"; }
# both TRANSPORT:PATH: copies the image as :one and as :two; prints the exit codes of both, and of looking at :one then.
both() { echo "$(code copy oci:image:a "$1:one") $(code copy oci:image:a "$1:two") $(code inspect "$1:one")"; }
usr/bin/skopeo --version
seen oci '0 0 0' "$(both oci:directory)"
seen docker-archive '0 1 0' "$(both docker-archive:docker.tar:app)"
seen oci-archive '0 0 1' "$(both oci-archive:oci.tar)"
