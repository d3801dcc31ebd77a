#!/bin/bash
# Properties of config.json that runsc (gVisor) neither applies nor names. One guesses that what it cannot do is refused, as
# the runtime-spec has it ("MUST generate an error") and as it does with an unknown option of a bind mount: masked and
# read-only paths, devices, the umask, the seccomp profile and unknown options of other mounts have no effect, a mount of an
# unknown type is left out, a cwd that is not there is made in the root filesystem, and any ociVersion is taken. Needs root.
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
cp bin/busybox bundle/rootfs/bin/
for applet in sh grep mkdir ls; do ln -s busybox "bundle/rootfs/bin/$applet"; done
runsc() { "$dir/usr/bin/runsc" --root "$dir/state" --platform=ptrace --network=none --ignore-cgroups "$@"; }

# ran CHANGE SCRIPT: what the script in a container prints, or the last words of runsc. CHANGE is Python, the config is c.
number=0
ran() {
  number=$((number + 1))
  (cd bundle && rm -f config.json && runsc spec -- /bin/sh -c "$2")
  python3 - bundle/config.json "$1" <<'END'
import json, sys
c = json.load(open(sys.argv[1]))
exec(sys.argv[2])
json.dump(c, open(sys.argv[1], 'w'))
END
  # Pipes: runsc gives its files 0 to 2 to nobody, /dev/null as well.
  echo | runsc run --bundle bundle "c$$-$number" 2>&1 | tail -1
}

"$dir/usr/bin/runsc" --version | sed -n 1p
seen 'maskedPaths /proc/cpuinfo' shown \
  "$(ran "c['linux']['maskedPaths'] = ['/proc/cpuinfo']" 'grep -q . /proc/cpuinfo && echo shown')"
seen 'readonlyPaths /dev/shm' written \
  "$(ran "c['linux']['readonlyPaths'] = ['/dev/shm']" 'echo x >/dev/shm/x && echo written')"
seen 'a device' 'ls: /dev/mine: No such file or directory' \
  "$(ran "c['linux']['devices'] = [{'path': '/dev/mine', 'type': 'c', 'major': 1, 'minor': 3}]" 'ls /dev/mine')"
seen 'umask 077' 0022 "$(ran "c['process']['user']['umask'] = 0o77" 'umask')"
seen 'a profile that refuses mkdir(2)' made "$(ran "c['linux']['seccomp'] = {'defaultAction': 'SCMP_ACT_ALLOW',
  'syscalls': [{'names': ['mkdir', 'mkdirat'], 'action': 'SCMP_ACT_ERRNO'}]}" 'mkdir /dev/shm/x && echo made')"
seen 'a mount of type nofs' 'ran without' "$(ran "c['mounts'].append({'destination': '/m', 'type': 'nofs'})" \
  'grep -q nofs /proc/mounts || echo ran without')"
seen 'an option bogus of sysfs' ran "$(ran "c['mounts'][2]['options'].append('bogus')" 'echo ran')"
seen 'an option bogus of a bind mount' 'reading spec: unknown mount option "bogus"' "$(ran "c['mounts'].append(
  {'destination': '/m', 'type': 'bind', 'source': '/tmp', 'options': ['bogus']})" 'echo ran')"
seen 'cwd /no/such' /no/such "$(ran "c['process']['cwd'] = '/no/such'" 'pwd')"
seen 'ociVersion 9.9.9' ran "$(ran "c['ociVersion'] = '9.9.9'" 'echo ran')"
