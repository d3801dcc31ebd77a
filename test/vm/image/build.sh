#!/bin/bash
# build.sh ensure-tools OUT           unpacks user-mode-linux, qemu and a stock kernel to the directory OUT
# build.sh ensure-root SET TOOLS OUT  makes OUT/root.ext4: Debian with the packages of SET and the modules of TOOLS
# build.sh ensure-snapshot TOOLS ROOT OUT  boots ROOT in qemu and keeps the machine as it is then; see snapshot.sh
# build.sh ensure-tree SUITE SET OUT    unpacks Debian SUITE with the packages of SET to the directory OUT, to be entered
#
# Called by image.ts in a pid namespace of its own, so that nothing outlives it. One process at a time builds; OUT gets
# its name when it is complete, so what a failed or killed build leaves is never used and is removed by the next one.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")

# Of the VM. A tree can be of another.
suite=forky
mirror=http://deb.debian.org/debian
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

main() {
  local out=${*: -1} cache
  cache=$(dirname "$out")
  mkdir -p "$cache"
  take_lock "$cache/build.lock"
  # Another process may have built it while this one waited.
  [[ ! -d $out ]] || exit 0

  rm -rf "$cache"/*.partial
  # Old ones go only when a new one comes; each use renews a directory's time.
  find "$cache" -mindepth 1 -maxdepth 1 -type d -mtime +7 -exec rm -rf {} +
  require_space "$cache"
  local started=$SECONDS
  case $1 in
    ensure-tools) build_tools "$out.partial" ;;
    ensure-root) build_root "$2" "$3" "$out.partial" ;;
    ensure-snapshot) build_snapshot "$2" "$3" "$out.partial" ;;
    ensure-tree) build_tree "$2" "$3" "$out.partial" ;;
  esac
  mv "$out.partial" "$out"
  echo "vm: built $out in $((SECONDS - started)) s"
}

take_lock() {
  exec 9>"$1"
  flock --nonblock 9 || {
    echo 'vm: another process is building, waiting for it'
    flock 9
  }
}

# The largest, a tree with all engines, has its packages beside it while it is built.
require_space() {
  local wanted=2000 free
  free=$(df --output=avail --block-size=1M "$1" | tail -n 1)
  ((free >= wanted)) && return
  echo "vm: $1 has ${free// /} MB of free space, and building takes up to $wanted MB." >&2
  echo 'vm: make room there, or name another directory in TSRUN_CACHE' >&2
  exit 1
}

# mmdebstrap uses no apt configuration of this machine, so other suites than the machine's own leave no trace on it.
bootstrap() {
  local suite=$1 target=$2 packages=$3
  shift 3
  # A mirror may be frozen at a date long past, whose Release file has run out; its signature is checked all the same.
  mmdebstrap --mode=root --quiet --keyring="$keyring" --include="$packages" \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Retries "3"' \
    --aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/info/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    "$@" "$suite" "$target" "deb $mirror $suite main"
}

# The packages of all these sets.
packages_of() {
  (cd "$here/packages" && sed '/^#/d; /^$/d' "${@/%/.txt}") | sort -u | paste -sd,
}

# The tree is only ever used by chroot: these programs want a newer C library than this machine may have.
build_tools() {
  local out=$1
  echo "vm: unpacking user-mode-linux, qemu and a kernel from Debian $suite (once; about half a minute)"
  bootstrap "$suite" "$out" "$(packages_of tools)" --variant=extract
  ln -s usr/bin usr/sbin usr/lib usr/lib64 "$out"
  mkdir -p "$out"/{proc,run,boot,image,job,snapshot,dev/shm}
  ln -s ../"$(cd "$out" && echo usr/lib/modules/*/vmlinuz)" "$out/boot/vmlinuz"
  make_initrd "$out"
}

# The stock kernel can do all that it takes to reach its root, but for the disk's driver.
make_initrd() {
  local out=$1 initrd
  initrd=$out/initrd
  mkdir -p "$initrd"/{bin,dev,root}
  cp "$out/usr/bin/busybox" "$initrd/bin"
  cp "$here/initrd-init" "$initrd/init"
  "$out/usr/bin/busybox" unxz -c "$out"/usr/lib/modules/*/kernel/drivers/block/virtio_blk.ko.xz >"$initrd/virtio_blk.ko"
  (cd "$initrd" && find . | bin/busybox cpio --quiet -o -H newc >"$out/boot/initrd")
  rm -r "$initrd"
}

build_root() {
  local set=$1 tools=$2 out=$3
  echo "vm: building the Debian $suite image with the package set '$set' (once; about a minute)"
  mkdir "$out"
  # cleanup/reproducible would undo the machine-id of customize.sh.
  bootstrap "$suite" "$out/tree" "$(packages_of base "$set")" --variant=minbase --skip=cleanup/reproducible \
    --customize-hook="'$here/customize.sh' \"\$1\" '$tools'"
  # Ample room for what a job writes: the file is sparse, and so is the layer over it that takes the writes.
  truncate -s 16G "$out/root.ext4"
  mkfs.ext4 -q -F -m 0 -O ^has_journal -d "$out/tree" "$out/root.ext4"
  rm -rf "$out/tree"
}

build_snapshot() {
  local tools=$1 root=$2 out=$3
  echo 'vm: booting qemu for a snapshot (once; about half a minute)'
  mkdir "$out"
  "$here/../snapshot.sh" "$tools" "$root" "$out"
}

# Without kernel, modules and units that boot: whoever enters it (test/clients/engine-tree.ts) lays an overlay on it.
build_tree() {
  local suite=$1 set=$2 out=$3
  echo "vm: unpacking Debian $suite with the package set '$set' (once; about a minute, 950 MB)"
  bootstrap "$suite" "$out" "$(packages_of "$set")" --variant=minbase --customize-hook="'$here/add-user.sh' \"\$1\""
}

main "$@"
