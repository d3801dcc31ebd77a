#!/bin/bash
# The IDs that container-info finds in /proc/self/cgroup. One guesses that of each engine's cgroup: podman on cgroup v2 puts the
# program into "container" below its scope, and there is none. The UID of a pod is as the cgroup has it: with systemd's cgroups,
# which have no dashes, it comes with underscores, and the API server knows no such pod.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# seen WHAT WANTED GOT: prints what was seen, and ends the script when it is no longer so.
seen() {
  printf '%s: %s\n' "$1" "$3"
  [[ $3 == "$2" ]] || { printf 'changed, it was: %s\n' "$2" >&2; exit 1; }
}

npm install --prefix "$dir" --no-audit --no-fund --ignore-scripts --loglevel=error container-info@1.1.0 >/dev/null

cat >"$dir/of.cjs" <<'END'
const { containerId, podId } = require('container-info').parse(process.argv[2]);
console.log(containerId ? `container ${containerId.slice(0, 4)}…` : 'no container', podId ? `pod ${podId}` : 'no pod');
END
of() { node "$dir/of.cjs" "0::$1"; }
id=$(printf 'ab%.0s' {1..32})
uid=6d0b1a5c-1111-2222-3333-444455556666
echo 'container-info 1.1.0'
seen docker 'container abab… no pod' "$(of "/system.slice/docker-$id.scope")"
seen 'podman, the scope' 'container abab… no pod' "$(of "/machine.slice/libpod-$id.scope")"
seen 'podman, in a container' 'no container no pod' "$(of "/machine.slice/libpod-$id.scope/container")"
seen 'a pod, cgroupfs' "container abab… pod $uid" "$(of "/kubepods/burstable/pod$uid/$id")"
seen 'a pod, systemd' "container abab… pod ${uid//-/_}" \
  "$(of "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${uid//-/_}.slice/cri-containerd-$id.scope")"
