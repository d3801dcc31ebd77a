#!/bin/bash
# launch.sh TIER TOOLS IMAGE SNAPSHOT STEP...: makes the job disk and becomes the VM. Only qemu looks at SNAPSHOT.
#
# machine.ts starts it in mount and pid namespaces of its own. All its files are on a tmpfs of that mount namespace, so
# nothing stays behind, however it ends.
#
#   STEP   share:PATH  copies a file or directory to the job disk      hide:PATH  leaves its contents out
#          over:FROM:PATH  copies the directory FROM in place of PATH, which lies in another share
#          terminal:   the job talks to a terminal
#          wire:DIRECTORY:OWN:OTHER  qemu only: a network device joined with that of another VM by two sockets there
#   fds    3 job's stdin and stdout   4 job's stderr   5 the job's `run` script, read to its end
#          1 and 2 boot log
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=qemu.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/qemu.sh"

tier=$1
tools=$2
image=$3
snapshot=$4
shift 4
steps=("$@")

main() {
  mount -t tmpfs -o mode=0755 tsrun-vm "$tools/job"
  make_job_disk "$tools/job/stage" "$tools/job/job.ext4"
  "start_$tier"
}

# mkfs.ext4 copies a tree, so mounts put the wanted tree together.
make_job_disk() {
  local stage=$1 disk=$2 step path target
  mkdir -p "$stage/tree"
  cat <&5 >"$stage/run"
  : >"$stage/shares"
  for step in "${steps[@]}"; do
    path=${step#*:}
    target=$stage/tree$path
    case $step in
      share:*)
        bind "$path" "$target"
        echo "$path" >>"$stage/shares"
        ;;
      over:*) mount --bind "${path%%:*}" "$stage/tree${path#*:}" ;;
      terminal:) : >"$stage/terminal" ;;
      wire:*) bind_wire "${path%%:*}" ;;
      hide:*) [[ ! -d $target || -L $target ]] || mount -t tmpfs -o mode=0755 tsrun-vm "$target" ;;
    esac
  done
  # Sparse, and of a constant size, because a qemu snapshot contains the size.
  truncate -s 8G "$disk"
  mkfs.ext4 -q -F -m 0 -O ^has_journal -d "$stage" "$disk"
}

bind() {
  [[ -e $1 ]] || die "no such file or directory: $1"
  if [[ -d $1 ]]; then
    mkdir -p "$2"
  else
    mkdir -p "$(dirname "$2")"
    : >"$2"
  fi
  mount --bind "$1" "$2"
}

bind_wire() {
  mkdir "$tools/job/wire"
  mount --bind "$1" "$tools/job/wire"
}

# wire_device: qemu's arguments for the step wire. The snapshot does not know the device: the guest finds it when it looks
# at its PCI bus again. Without a ROM, which would be memory that the snapshot must have.
wire_device() {
  local step own other number
  for step in "${steps[@]}"; do
    [[ $step == wire:* ]] || continue
    IFS=: read -r _ _ own other <<<"$step"
    echo -netdev "dgram,id=wire,local.type=unix,local.path=/job/wire/$own,remote.type=unix,remote.path=/job/wire/$other"
    number=1
    [[ $own < $other ]] || number=2
    echo -device "virtio-net-pci,netdev=wire,addr=1e,romfile=,mac=52:54:00:00:00:0$number"
  done
}

# 3 GiB of memory, which the machine provides only as the guest uses it.  With c it does not
# lock the image, which a qemu that wakes up beside it would take for a writer.
start_uml() {
  mount --bind "$image" "$tools/image"
  mount -t proc proc "$tools/proc"
  mount --rbind /dev "$tools/dev"
  # Guest memory is a file there, mapped executable, which a machine's /dev/shm may forbid.
  mount -t tmpfs tsrun-vm "$tools/dev/shm"
  exec chroot "$tools" /usr/bin/linux.uml mem=3072M uml_dir=/job/ \
    ubd0c=/job/root.cow,/image/root.ext4 ubd1=/job/job.ext4 root=/dev/ubda rw rootflags=noinit_itable \
    con=null con0=null,fd:2 con1=fd:3,fd:3 con2=null,fd:4 \
    quiet loglevel=4 audit=0 selinux=0 apparmor=0 TERM=dumb \
    systemd.unit=tsrun-vm.target systemd.show_status=error \
    tsrun.job=/dev/ubdb tsrun.out=/dev/tty1 tsrun.tty=/dev/tty1 tsrun.err=/dev/tty2
}

# An older CPU model, without pointer authentication, which TCG would have to compute.
start_aarch64() {
  mount --bind "$image" "$tools/image"
  mount -t proc proc "$tools/proc"
  mount --rbind /dev "$tools/dev"
  local out=port tty=none
  [[ " ${steps[*]} " != *' terminal: '* ]] || { out=none tty=port; }
  pass_console_on
  TMPDIR=/job exec chroot "$tools" /usr/bin/qemu-system-aarch64 \
    -nodefaults -no-user-config -display none -serial file:/job/console \
    -M virt -accel tcg,thread=multi -cpu cortex-a57 -smp 2 -m 2048 \
    -kernel /image/vmlinuz -initrd /image/initrd -append 'quiet loglevel=4 panic=-1 console=ttyAMA0
      mitigations=off nokaslr cryptomgr.notests audit=0 selinux=0 apparmor=0 TERM=dumb
      tsrun.job=/dev/vdb tsrun.out=/dev/vport0p1 tsrun.err=/dev/vport0p2 tsrun.tty=/dev/hvc0' \
    -device virtio-serial-pci \
    -chardev "$(backend $tty),id=tty" -chardev "$(backend $out),id=out" -chardev socket,id=err,fd=4 \
    -device virtconsole,nr=0,chardev=tty \
    -device virtserialport,nr=1,chardev=out -device virtserialport,nr=2,chardev=err \
    -drive file=/image/root.ext4,format=raw,if=none,id=root,snapshot=on \
    -drive file=/job/job.ext4,format=raw,if=none,id=job \
    -device virtio-blk-pci,drive=root -device virtio-blk-pci,drive=job
}

# The guest wakes up where it waits for the date, and continues with the job.
start_qemu() {
  local out=port tty=none wire
  [[ " ${steps[*]} " != *' terminal: '* ]] || { out=none tty=port; }
  # shellcheck disable=SC2207 # no word has blanks
  wire=($(wire_device))
  qemu_prepare "$tools" "$image" "$snapshot"
  pass_console_on
  mkfifo "$tools"/job/ctl.{in,out}
  tell_the_date "$tools/job/ctl.in" &
  qemu_command "$tools" off \
    -drive file=/snapshot/root.qcow2,format=qcow2,if=none,id=root,snapshot=on \
    -chardev "$(backend $tty),id=tty" -chardev "$(backend $out),id=out" \
    -chardev socket,id=err,fd=4 \
    -chardev pipe,id=ctl,path=/job/ctl \
    "${wire[@]}" \
    -incoming file:/snapshot/state
}

pass_console_on() {
  mkfifo "$tools/job/console"
  cat "$tools/job/console" >&2 &
}

# An interrupt during a restore can be lost, and the guest would wait for ever. The next date wakes it up; those that it
# does not read do not matter.
tell_the_date() {
  local pause
  for pause in 0.1 0.1 0.2 0.4 0.8 1.6 3 6 12 24 48; do
    sleep "$pause"
    echo "$EPOCHREALTIME"
  done >"$1"
}

backend() {
  case $1 in
    port) echo socket,fd=3 ;;
    none) echo null ;;
  esac
}

die() {
  echo "vm: $*" >&2
  exit 1
}

main
