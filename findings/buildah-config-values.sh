#!/bin/bash
# Values that `buildah config` writes into an image. A Dockerfile's EXPOSE spreads a range, ENV makes nothing of an unset
# variable, WORKDIR joins relative paths and STOPSIGNAL refuses unknown names, so one guesses the same, or errors: a range and a
# word are "ports", a variable that is unset becomes its own name (PATH=PATH:/opt/bin) with exit code 0, and the directory and the
# signal are kept as they stand. A string is words for --cmd, but a script for --entrypoint. Needs root.
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

debian 'g/golang-github-containers-buildah/buildah_1.28.2+ds1-3+deb12u1+b3_amd64.deb' \
  d12d6017f6ba04d8e0f9c3327fc39375f866b05a731522be211057f6df63fbf5
debian 'libs/libseccomp/libseccomp2_2.5.4-1+deb12u1_amd64.deb' \
  108fe67957ca7cf9ba51d801118a1b37d404bea7b6e365025cd00779e9eca38d
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
buildah() { "$dir/usr/bin/buildah" --root "$dir/root" --runroot "$dir/run" --storage-driver vfs "$@"; }

# config NAME OPTION…: the value of this name in the image's config, in JSON, or the exit code of buildah.
config() {
  local container name=$1
  shift
  container=$(buildah from --signature-policy policy.json scratch)
  buildah config "$@" "$container" 2>said || { echo "exit code $?"; return; }
  buildah inspect "$container" | python3 -c '
import json, sys
print(json.dumps(json.load(sys.stdin)["OCIv1"]["config"].get(sys.argv[1])))' "$name"
}
buildah --version
seen '--port 80-82/tcp' '{"80-82/tcp": {}}' "$(config ExposedPorts --port 80-82/tcp)"
seen '--port web' '{"web": {}}' "$(config ExposedPorts --port web)"
# shellcheck disable=SC2016 # for buildah to expand
seen '--env PATH=$PATH:/opt/bin' '["PATH=PATH:/opt/bin"]' "$(config Env --env 'PATH=$PATH:/opt/bin')"
seen '--workingdir ../app' '"../app"' "$(config WorkingDir --workingdir ../app)"
seen '--stop-signal NOSUCH' '"NOSUCH"' "$(config StopSignal --stop-signal NOSUCH)"
seen '--cmd app "a b"' '["app", "a b"]' "$(config Cmd --cmd 'app "a b"')"
seen '--entrypoint app "a b"' '["/bin/sh", "-c", "app \"a b\""]' "$(config Entrypoint --entrypoint 'app "a b"')"
