#!/bin/bash
# skopeo and an OCI layout whose index.json lists an image for each platform, which the image-spec allows and some builders
# write. index.json is an index, so one guesses that skopeo takes the image for this machine, as it does with an index in a
# registry, or the one that --override-arch names: it is "more than one image in oci, choose an image", and there is no name to
# choose by. The same list as a blob that index.json points to is fine.
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
debian 's/skopeo/skopeo_1.9.3+ds1-1+b10_amd64.deb' \
  5c1978f6a95577b143be772bbe50c247a28132a5cc961c74d4d2a6f2b1ab4f3d
debian 'g/gpgme1.0/libgpgme11_1.18.0-3+b1_amd64.deb' \
  dc075584050dc5c8ac27563fc222e8c1ea71128a019a6d129d5823e47ac1e55e
debian 'liba/libassuan/libassuan0_2.5.5-5_amd64.deb' \
  5912430927da16ccc831459679207fdbb9dfc5a206f2bab8d6f36d5a1ab53e25
debian 'l/lvm2/libdevmapper1.02.1_1.02.185-2_amd64.deb' \
  aaa78ca236055fedccf637eacf7bda02bf1980b2db668dccd202b04d0d2cfe04

LD_LIBRARY_PATH=$(find "$dir" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd :)
export LD_LIBRARY_PATH
cd "$dir"
echo '{"default": [{"type": "insecureAcceptAnything"}]}' >policy.json
usr/bin/umoci init --layout flat
for platform in amd64 arm64; do
  usr/bin/umoci new --image "flat:$platform"
  usr/bin/umoci config --image "flat:$platform" --architecture "$platform"
done
cp -r flat nested
python3 - <<'END'
import hashlib, json
index = json.load(open('flat/index.json'))
for image in index['manifests']:
    image['platform'] = {'os': 'linux', 'architecture': image.pop('annotations')['org.opencontainers.image.ref.name']}
index['mediaType'] = 'application/vnd.oci.image.index.v1+json'
data = json.dumps(index).encode()
open('flat/index.json', 'wb').write(data)
digest = hashlib.sha256(data).hexdigest()
open('nested/blobs/sha256/' + digest, 'wb').write(data)
json.dump({'schemaVersion': 2, 'manifests': [
    {'mediaType': index['mediaType'], 'digest': 'sha256:' + digest, 'size': len(data)}]}, open('nested/index.json', 'w'))
END

# architecture ARGUMENT…: that of the image which skopeo finds, or what it says.
architecture() {
  usr/bin/skopeo --policy policy.json "$@" >out 2>&1 || { grep -o 'more than one image in oci, choose an image' out; return; }
  python3 -c 'import json; print(json.load(open("out"))["Architecture"])'
}
usr/bin/skopeo --version
many='more than one image in oci, choose an image'
seen 'a list in index.json' "$many" "$(architecture inspect oci:flat)"
seen 'the same with --override-arch' "$many" "$(architecture --override-arch arm64 inspect oci:flat)"
seen 'a list in a blob' amd64 "$(architecture --override-arch amd64 inspect oci:nested)"
seen 'the same with --override-arch' arm64 "$(architecture --override-arch arm64 inspect oci:nested)"
