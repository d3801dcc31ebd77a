#!/bin/bash
# What a registry (distribution 2.8) answers to a GET of a manifest that names no media types, as curl and wget send it. One
# guesses the bytes that were pushed: an image of OCI or an index is 404 "manifest unknown", for "Accept: */*", too; an image of
# Docker's schema 2 becomes one of schema 1 with a digest of its own, by which it cannot be pulled.
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
usr/bin/umoci new --image image:a
usr/bin/umoci config --image image:a --config.cmd /bin/app
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
start

# copied FORMAT: pushes the image in this format of skopeo's; prints the digest.
copied() {
  usr/bin/skopeo --policy policy.json copy -q --dest-tls-verify=false -f "$1" --digestfile digest oci:image:a \
    "docker://$registry/$1:1" >&2
  cat digest
}
# got REPOSITORY [HEADER [REFERENCE]]: status, media type and digest of what curl is given.
got() {
  local part
  curl -sS -o answer -D head ${2:+-H "$2"} "http://$registry/v2/$1/manifests/${3:-1}"
  part=$(sed -nE 's/^(HTTP[^ ]+|Content-Type:) ([^ ;\r]+).*/\2/p' head | paste -sd ' ')
  echo "$part$(sed -nE 's/^Docker-Content-Digest: ([^\r]+).*/ \1/p' head)"
}
usr/bin/docker-registry --version
oci=$(copied oci)
docker=$(copied v2s2)
manifest=application/vnd.oci.image.manifest.v1+json
schema1=application/vnd.docker.distribution.manifest.v1+prettyjws
seen 'an image of OCI' '404 application/json' "$(got oci)"
seen 'what it says' 'OCI manifest found, but accept header does not support OCI manifests' \
  "$(python3 -c 'import json; print(json.load(open("answer"))["errors"][0]["message"])')"
seen 'with its media type in Accept' "200 $manifest $oci" "$(got oci "Accept: $manifest")"
first=$(got v2s2)
seen 'an image of schema 2' "200 $schema1" "${first% *}"
seen 'its digest' other "$([[ ${first##* } == "$docker" ]] && echo same || echo other)"
seen 'a GET by that digest' '404 application/json' "$(got v2s2 '' "${first##* }")"
