#!/bin/bash
# build.sh ensure-tools OUT           unpacks user-mode-linux, qemu and a stock kernel to the directory OUT
# build.sh ensure-root SET TOOLS OUT  makes OUT/root.ext4: Debian with the packages of SET and the modules of TOOLS
# build.sh ensure-aarch64-tools OUT     unpacks qemu for ARM to the directory OUT
# build.sh ensure-aarch64-root TOOLS OUT  makes OUT/{root.ext4,vmlinuz,initrd}: Debian's arm64, as aarch64/init wants it
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

# A virtual machine has none of it, and it is most of what a stock kernel brings.
without_hardware=()
for directory in sound drivers/{accel,ata,bluetooth,comedi,gpu,hid,hwmon,iio,input,media,mtd,platform,scsi,staging,usb} \
  drivers/net/{ethernet,wireless}; do
  without_hardware+=(--dpkgopt="path-exclude=/usr/lib/modules/*/kernel/$directory/*")
done

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
    ensure-aarch64-tools) build_aarch64_tools "$out.partial" ;;
    ensure-aarch64-root) build_aarch64_root "$2" "$out.partial" ;;
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
  bootstrap "$suite" "$out" "$(packages_of tools)" --variant=extract "${without_hardware[@]}"
  enterable "$out"
  ln -s ../"$(cd "$out" && echo usr/lib/modules/*/vmlinuz)" "$out/boot/vmlinuz"
  make_initrd "$out" "$out" "$out/boot/initrd"
}

# Gives a tree whose packages were only unpacked what they expect, and launch.sh its places for mounts.
enterable() {
  local out=$1
  ln -s usr/bin usr/sbin usr/lib usr/lib64 "$out"
  mkdir -p "$out"/{proc,run,boot,image,job,snapshot,dev/shm}
}

# make_initrd GUEST TOOLS OUT: what the stock kernel of GUEST cannot do without its modules is to reach its root. The
# programs of TOOLS run here.
make_initrd() {
  local guest=$1 tools=$2 out=$3 initrd=$3.tree module number=10
  mkdir -p "$initrd"/{bin,dev,root,modules}
  cp "$guest/usr/bin/busybox" "$initrd/bin"
  cp "$here/initrd-init" "$initrd/init"
  for module in $(modules_for_root "$guest"); do
    "$tools/usr/bin/busybox" unxz -c "$module" >"$initrd/modules/$number.ko"
    number=$((number + 1))
  done
  (cd "$initrd" && find . | "$tools/usr/bin/busybox" cpio --quiet -o -H newc >"$out")
  rm -r "$initrd"
}

# Files of the modules, each after those that it needs.
modules_for_root() {
  local guest=$1 version
  version=$(basename "$guest"/usr/lib/modules/*)
  depmod --basedir "$guest/usr" "$version"
  modprobe --dirname "$guest/usr" --set-version "$version" --show-depends --all virtio_blk ext4 |
    awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

build_aarch64_tools() {
  local out=$1
  echo "vm: unpacking qemu for ARM from Debian $suite (once; about half a minute)"
  bootstrap "$suite" "$out" "$(packages_of aarch64-tools)" --variant=extract
  enterable "$out"
}

# Nothing here can run what would configure the packages, so this does the little of it that a job needs.
build_aarch64_root() {
  local tools=$1 out=$2 tree=$2/tree
  echo "vm: building the Debian $suite image for ARM (once; about half a minute)"
  mkdir "$out"
  bootstrap "$suite" "$tree" "$(packages_of aarch64)" --variant=extract --architectures=arm64
  mkdir -p "$tree/usr/lib/tsrun-vm"
  cp "$tree/usr/share/base-passwd/passwd.master" "$tree/etc/passwd"
  cp "$tree/usr/share/base-passwd/group.master" "$tree/etc/group"
  printf '127.0.0.1 localhost\n::1 localhost\n' >"$tree/etc/hosts"
  ln -sf bash "$tree/usr/bin/sh"
  cp "$here/../aarch64/init" "$tree/usr/sbin/init"
  cp "$here/files/usr/lib/tsrun-vm/job" "$tree/usr/lib/tsrun-vm"
  mv "$tree"/usr/lib/modules/*/vmlinuz "$out/vmlinuz"
  make_initrd "$tree" "$tools" "$out/initrd"
  make_disk "$tree" "$out/root.ext4"
}

# Ample room for what a job writes: the file is sparse, and so is the layer over it that takes the writes.
make_disk() {
  truncate -s 16G "$2"
  mkfs.ext4 -q -F -m 0 -O ^has_journal -d "$1" "$2"
  rm -rf "$1"
}

build_root() {
  local set=$1 tools=$2 out=$3
  echo "vm: building the Debian $suite image with the package set '$set' (once; about a minute)"
  mkdir "$out"
  # cleanup/reproducible would undo the machine-id of customize.sh.
  bootstrap "$suite" "$out/tree" "$(packages_of base "$set")" --variant=minbase --skip=cleanup/reproducible \
    --customize-hook="'$here/customize.sh' \"\$1\" '$tools'"
  make_disk "$out/tree" "$out/root.ext4"
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
