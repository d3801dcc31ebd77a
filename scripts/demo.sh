#!/bin/bash
# npm run demo: from a fresh checkout to a running container. Sets the machine up, builds, makes a bundle out of
# busybox-static in a temporary directory, and runs a container that shows what it sees. Leaves nothing behind.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

main() {
  require_root
  step 'Setting up: what is missing of the Debian and npm packages'
  bash scripts/setup.sh build demo
  step 'Building: build/tsrun.cjs from TypeScript, tsrun.node and tsrun-init from C++'
  node scripts/build.mjs

  local bundle id
  bundle=$(mktemp -d "${TMPDIR:-/tmp}/tsrun-demo.XXXXXX")
  id=tsrun-demo-$$
  # shellcheck disable=SC2064 # the values of now
  trap "bin/tsrun delete --force $id; rm -rf '$bundle'" EXIT

  step "Making a bundle in $bundle: rootfs/ from busybox-static, config.json from \`tsrun spec\`"
  make_rootfs "$bundle/rootfs"
  bin/tsrun spec --bundle "$bundle"
  edit_config "$bundle/config.json"

  step "Running it: bin/tsrun run --bundle $bundle $id"
  bin/tsrun run --bundle "$bundle" "$id"
  step 'The container has ended; its cgroup, mounts and state are gone:'
  bin/tsrun list
}

require_root() {
  [[ $(uname -s) == Linux ]] || die "tsrun runs on Linux only; this is $(uname -s)"
  ((EUID == 0)) || die 'the demo needs root, for the namespaces and mounts of its container. Run: sudo npm run demo'
}

make_rootfs() {
  mkdir -p "$1"/{bin,dev,etc,proc,root,sys,tmp}
  cp "$(command -v busybox)" "$1/bin/busybox"
  chroot "$1" /bin/busybox --install -s /bin
  echo 'root:x:0:0:root:/root:/bin/sh' >"$1/etc/passwd"
  echo 'root:x:0:' >"$1/etc/group"
  cp scripts/lib/demo-inside.sh "$1/bin/demo"
}

# `tsrun spec` writes a config for a shell in a terminal; the demo runs its own script and needs no terminal.
edit_config() {
  node -e '
    const fs = require("node:fs");
    const spec = JSON.parse(fs.readFileSync(process.argv[1], "utf8"));
    spec.process.terminal = false;
    spec.process.args = ["sh", "/bin/demo"];
    fs.writeFileSync(process.argv[1], JSON.stringify(spec, null, 2));
  ' "$1"
}

step() {
  if [[ -t 1 ]]; then printf '\n\033[1m== %s\033[0m\n' "$*"; else printf '\n== %s\n' "$*"; fi
}

die() {
  echo "demo: $*" >&2
  exit 1
}

main
