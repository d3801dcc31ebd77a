#!/bin/bash
# snapshot.sh TOOLS ROOT OUT: boots ROOT in qemu up to the point where a job would start, and writes to the directory OUT
#   ram  the guest's memory   state  the rest of the machine   root.qcow2  what the boot wrote to ROOT/root.ext4
#
# Runs in a mount and a pid namespace of its own, like launch.sh.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=qemu.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/qemu.sh"

tools=$1
out=$3

# Seconds; 8 are enough on an idle machine.
patience=400

main() {
  mount -t tmpfs -o mode=0755 tsrun-vm "$tools/job"
  qemu_prepare "$tools" "$2" "$out"
  chroot "$tools" qemu-img create -q -f qcow2 -b /image/root.ext4 -F raw /snapshot/root.qcow2
  # Only its size matters: the guest does not look at it before it is restored.
  truncate -s 8G "$tools/job/job.ext4"
  boot
  await_ready
  save
}

boot() {
  mkfifo "$tools"/job/{ctl,monitor}.{in,out}
  qemu_command "$tools" on \
    -drive file=/snapshot/root.qcow2,format=qcow2,if=none,id=root \
    -chardev null,id=tty -chardev null,id=out -chardev null,id=err \
    -chardev pipe,id=ctl,path=/job/ctl \
    -monitor pipe:/job/monitor &
  exec 7<>"$tools/job/ctl.out" 8<>"$tools/job/monitor.in" 9<>"$tools/job/monitor.out"
}

await_ready() {
  local word='' started=$SECONDS
  until read -r -t 1 word <&7; do
    still_runs
    ((SECONDS - started < patience)) || die "the guest was not ready within $patience s"
  done
  [[ $word == ready ]] || die "the guest said: $word"
}

# Only the state: the memory is in its file already, which x-ignore-shared leaves alone.
save() {
  local started=$SECONDS
  printf '%s\n' 'migrate file:/snapshot/state' quit >&8
  while kill -0 $! 2>/dev/null; do
    ((SECONDS - started < patience)) || die 'qemu did not write the snapshot'
    sleep 0.1
  done
  [[ -s $out/state ]] || die "no snapshot; qemu said: $(timeout 1 cat <&9)"
}

still_runs() { kill -0 $! 2>/dev/null || die 'qemu ended before the guest was ready'; }

die() {
  tail -n 30 "$tools/job/console" >&2 || true
  echo "vm: $*" >&2
  exit 1
}

main "$@"
