#!/bin/bash
# docker-registry garbage-collect --delete-untagged (-m) and an image for several platforms. One guesses that what a tagged index
# names is kept: the index stays, and its images go, since none of them has a tag of its own, with exit code 0. Who pulls the tag
# afterwards gets the index and then "manifest unknown". The log has both: the images are marked, and eligible for deletion.
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

debian 'd/docker-registry/docker-registry_2.8.2+ds1-1_amd64.deb' \
  a9bd06c0e006854608f8469b4371743f40604ad90975532bb3b7ceeb72fe2913
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
usr/bin/umoci init --layout image
for platform in amd64 arm64; do
  usr/bin/umoci new --image "image:$platform"
  usr/bin/umoci config --image "image:$platform" --architecture "$platform"
done
python3 - image <<'END'
import hashlib, json, os, sys
os.chdir(sys.argv[1])
index = json.load(open('index.json'))
for image in index['manifests']:
    image['platform'] = {'os': 'linux', 'architecture': image.pop('annotations')['org.opencontainers.image.ref.name']}
index['mediaType'] = 'application/vnd.oci.image.index.v1+json'
data = json.dumps(index).encode()
digest = hashlib.sha256(data).hexdigest()
open('blobs/sha256/' + digest, 'wb').write(data)
json.dump({'schemaVersion': 2, 'manifests': [{'mediaType': index['mediaType'], 'digest': 'sha256:' + digest,
           'size': len(data), 'annotations': {'org.opencontainers.image.ref.name': 'all'}}]}, open('index.json', 'w'))
END
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
registry=127.0.0.1:$port
cat >registry.yml <<END
version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: $dir/data}}
http: {addr: "$registry"}
END
pid=
trap '[[ -z $pid ]] || kill "$pid"; wait; rm -rf "$dir"' EXIT
start() {
  usr/bin/docker-registry serve registry.yml >registry.log 2>&1 &
  pid=$!
  curl -fsS --retry 50 --retry-delay 1 --retry-connrefused -o /dev/null "http://$registry/v2/" 2>/dev/null
}

# code COMMAND…: the exit code of skopeo.
code() { local code=0; usr/bin/skopeo --policy policy.json "$@" >out 2>&1 || code=$?; echo "$code"; }
usr/bin/docker-registry --version
start
seen 'push of all platforms' 0 "$(code copy --all --dest-tls-verify=false oci:image:all "docker://$registry/app:1")"
seen 'the image before' 0 "$(code inspect --tls-verify=false "docker://$registry/app:1")"
kill "$pid"
wait
pid=
usr/bin/docker-registry garbage-collect -m registry.yml >collected 2>&1
seen 'images eligible for deletion' 2 "$(grep -c '^manifest eligible for deletion' collected)"
start
seen 'the index afterwards' 0 "$(code inspect --raw --tls-verify=false "docker://$registry/app:1")"
seen 'the image afterwards' 1 "$(code inspect --tls-verify=false "docker://$registry/app:1")"
seen 'what it says' 'manifest unknown' "$(grep -o 'manifest unknown' out | head -1)"
