#!/bin/bash
# Which hooks of config.json runsc (gVisor) runs. It runs createRuntime, so one guesses that it runs the others of
# runtime-spec 1.0.2 or refuses them: createContainer and startContainer are never run and not mentioned, so that a
# failing one does not stop the container. prestart, createRuntime and poststop are run. Needs root.
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

debian 'g/golang-gvisor-gvisor/runsc_0.0~20221219.0-2+b3_amd64.deb' \
  7183537aca11632026e71d4b2140f463c8e9a433e6cf8ea81e73f82710aabcd8
debian 'b/busybox/busybox-static_1.35.0-4+deb12u1+b1_amd64.deb' \
  3d3fdbe91d4660c873e14b092c213fe81c1da6362daa236eb25d0171eb108744

cd "$dir"
mkdir -p bundle/rootfs/bin
cp bin/busybox bundle/rootfs/bin/sh
runsc() { "$dir/usr/bin/runsc" --root "$dir/state" --platform=ptrace --network=none --ignore-cgroups "$@"; }

# with KIND: how a container with a hook of this kind ends, and whether the hook ran. The hook fails.
with() {
  rm -f "$dir/ran" bundle/config.json
  (cd bundle && runsc spec -- /bin/sh -c 'exit 3')
  python3 - "$dir" "$1" <<'END'
import json, sys
directory, kind = sys.argv[1:]
path = directory + '/bundle/config.json'
config = json.load(open(path))
config['hooks'] = {kind: [{'path': '/bin/sh', 'args': ['sh', '-c', f'echo >{directory}/ran; exit 1']}]}
json.dump(config, open(path, 'w'))
END
  local code=0
  # Pipes: runsc gives its files 0 to 2 to nobody, /dev/null as well.
  echo | runsc run --bundle bundle "c$$-$1" 2>&1 | cat >said || code=$?
  echo "$code $([[ -e $dir/ran ]] && echo ran || echo 'not run')"
}

"$dir/usr/bin/runsc" --version | sed -n 1p
echo 'a hook that fails, in a container whose program ends with 3: exit code, hook'
seen prestart '128 ran' "$(with prestart)"
seen createRuntime '128 ran' "$(with createRuntime)"
seen createContainer '3 not run' "$(with createContainer)"
seen startContainer '3 not run' "$(with startContainer)"
seen poststart '3 ran' "$(with poststart)"
seen poststop '3 ran' "$(with poststop)"
