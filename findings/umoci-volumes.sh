#!/bin/bash
# What umoci makes of an image that declares a volume (Config.Volumes). One guesses nothing, as the runtime config has
# no volumes, or a bind mount of a directory that outlives the container: it is an empty tmpfs over what the image has
# at that path, and noexec, so that a program which the image ships below a volume can be neither seen nor run.
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

umoci() { "$dir/usr/bin/umoci" "$@"; }
umoci --version
umoci init --layout "$dir/image"
umoci new --image "$dir/image:a"
umoci config --image "$dir/image:a" --config.volume /opt/app --config.cmd /opt/app/run
umoci raw runtime-config --image "$dir/image:a" "$dir/config.json"

mounts=$(python3 - "$dir/config.json" <<'END'
import json, sys
for mount in json.load(open(sys.argv[1]))['mounts']:
    if mount['destination'] == '/opt/app':
        print(mount['type'], mount['source'], ','.join(mount['options']))
END
)
seen 'the mount at /opt/app' 'tmpfs none rw,nosuid,nodev,noexec,relatime' "$mounts"
