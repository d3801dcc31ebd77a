#!/bin/bash
# npm run demo: from a fresh checkout to a running container. Sets the machine up, builds, makes a bundle from
# busybox-static in a temporary directory, and runs a container that shows what it sees. Leaves nothing behind.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

main() {
  require_root
  step 'Setting up: what is missing of the Debian and npm packages'
  bash scripts/setup.sh build demo
  step 'Building: the command from TypeScript, what runs it from C++. The first time takes about two minutes'
  build cli 'build/tsrun.cjs, for Node'
  build native 'tsrun.node and tsrun-init, for Node'
  build standalone 'build/standalone/tsrun, one file that needs nothing of the machine'

  local bundle id
  bundle=$(mktemp -d "${TMPDIR:-/tmp}/tsrun-demo.XXXXXX")
  id=tsrun-demo-$$
  # shellcheck disable=SC2064 # the values of now
  trap "bin/tsrun delete --force $id; rm -rf '$bundle'" EXIT

  step "Making a bundle in $bundle: rootfs/ from busybox-static, config.json from \`tsrun spec\`"
  make_rootfs "$bundle/rootfs"
  bin/tsrun spec --bundle "$bundle"
  edit_config "$bundle/config.json"

  step 'What it would do, before anything is done: bin/tsrun plan (its first lines)'
  first_lines bin/tsrun plan --bundle "$bundle" "$id"
  step 'A mistake: cwd is "root" now. bin/tsrun check finds it, and so does run, before it does anything'
  cp "$bundle/config.json" "$bundle/right.json"
  sed -i 's|"cwd": "/"|"cwd": "root"|' "$bundle/config.json"
  bin/tsrun check --bundle "$bundle" || true
  bin/tsrun run --bundle "$bundle" "$id" || true
  mv "$bundle/right.json" "$bundle/config.json"

  step "Put right, and run: bin/tsrun run --bundle $bundle $id"
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

# build PART WHAT-IT-IS
build() {
  printf '%s\n' "$2"
  node scripts/build.mjs "$1"
}

first_lines() {
  "$@" | sed -n '1,12p;12a …'
}

step() {
  if [[ -t 1 ]]; then printf '\n\033[1m== %s\033[0m\n' "$*"; else printf '\n== %s\n' "$*"; fi
}

die() {
  echo "demo: $*" >&2
  exit 1
}

main
