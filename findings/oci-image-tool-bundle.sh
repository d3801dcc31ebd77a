#!/bin/bash
# The bundle that oci-image-tool create makes of an image. One guesses a config like that of `runc spec` or umoci with the
# image's process in it: it has no namespaces, no /proc and no /dev, asks for a terminal, and has a bind mount without a
# source for each volume, so that a runtime starts the program in the host's namespaces or refuses it. A user or group that
# is given by name, as most images do, is refused as an "unsupported format".
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
debian 'o/oci-image-tools/oci-image-tool_1.0.0~rc2+really.rc1+dfsg-2+b12_amd64.deb' \
  5c2b5752b70292ddc1e953cd7810efaba0d010ab1fab6afd11ea974138ee8064

cd "$dir"
umoci() { "$dir/usr/bin/umoci" "$@"; }
umoci init --layout image
umoci new --image image:a
umoci config --image image:a --config.cmd /run --config.volume /data
mkdir layer
umoci insert --image image:a layer /layer

# made USER: makes the bundle of the image with this user; prints the tool's last words if it fails.
made() {
  umoci config --image image:a --config.user "$1"
  rm -rf bundle
  "$dir/usr/bin/oci-image-tool" create --ref name=a image bundle 2>&1 | sed -n 's/.*msg=//p'
}

"$dir/usr/bin/oci-image-tool" --version
seen 'user 1000' '' "$(made 1000)"
seen process "{'terminal': True, 'user': {'uid': 1000, 'gid': 0}, 'args': ['/run'], 'cwd': '/'}" \
  "$(python3 -c 'import json; print(json.load(open("bundle/config.json"))["process"])')"
seen mounts "[{'destination': '/data', 'type': 'bind', 'options': ['rbind']}]" \
  "$(python3 -c 'import json; print(json.load(open("bundle/config.json"))["mounts"])')"
seen linux '{}' "$(python3 -c 'import json; print(json.load(open("bundle/config.json"))["linux"])')"
seen 'user daemon' '"config.User: unsupported format"' "$(made daemon)"
seen 'user 1000:daemon' '"config.User: unsupported gid format"' "$(made 1000:daemon)"
