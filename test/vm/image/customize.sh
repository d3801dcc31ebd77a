#!/bin/bash
# customize.sh TREE TOOLS: turns a fresh Debian tree into the guest: kernel modules, our files, no units that a VM of
# a few seconds has no use for (with them a boot in qemu takes 32 s, without them 8 s).
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
tree=$1
tools=$2

main() {
  copy_modules
  cp -r --no-preserve=ownership "$here/files/." "$tree"
  mask_generators
  mask_units
  name_the_machine
  "$here/add-user.sh" "$tree"
}

copy_modules() {
  mkdir -p "$tree/usr/lib/modules"
  cp -r "$tools"/usr/lib/modules/. "$tools"/usr/lib/uml/modules/. "$tree/usr/lib/modules"
  rm -f "$tree"/usr/lib/modules/*/vmlinuz
  local version
  for version in "$tree"/usr/lib/modules/*; do
    chroot "$tree" depmod "${version##*/}"
  done
}

# Each costs a process or more at every boot; there is no fstab, no crypttab and no getty to generate units for.
mask_generators() {
  local generator dir
  for dir in system-generators system-environment-generators user-generators; do
    mkdir -p "$tree/etc/systemd/$dir"
    for generator in "$tree/usr/lib/systemd/$dir"/*; do
      [[ ! -e $generator ]] || ln -s /dev/null "$tree/etc/systemd/$dir/${generator##*/}"
    done
  done
}

# journald, dbus and logind stay: engines and the systemd cgroup driver talk to them.
mask_units() {
  local unit
  while read -r unit; do
    ln -s /dev/null "$tree/etc/systemd/system/$unit"
  done < <(sed '/^#/d; /^$/d' "$here/masked-units.txt")
}

name_the_machine() {
  echo tsrun-vm >"$tree/etc/hostname"
  printf '127.0.0.1 localhost tsrun-vm\n::1 localhost\n' >"$tree/etc/hosts"
  # A boot without one counts as a first boot, which enables every preset unit.
  echo 7473727564766d0000000000000000aa >"$tree/etc/machine-id"
}

main
