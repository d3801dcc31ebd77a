# shellcheck shell=bash
# The qemu tier, for snapshot.sh and launch.sh: what a snapshot and its restore must have in common. Change anything here
# and the snapshot is made anew.

# MiB of guest memory; with every clone of the snapshot only what it changes is taken from the machine.
readonly qemu_memory=2048

# qemu_prepare TOOLS ROOT SNAPSHOT: mounts what qemu sees inside TOOLS.
qemu_prepare() {
  mount --bind "$2" "$1/image"
  mount --bind "$3" "$1/snapshot"
  mount --rbind /dev "$1/dev"
  mount -t proc proc "$1/proc"
}

# qemu_command TOOLS SHARE ARGUMENT...: SHARE is `on` when the guest's memory is to be written to the snapshot's file,
# `off` when it is only to be read from there.
#
# The boot log goes to /job/console. The ports are /dev/vport0p* because virtio-serial comes first of the virtio devices.
qemu_command() {
  local tools=$1 share=$2 append
  shift 2
  # No mitigations and no self tests: nothing hostile runs here, and TCG pays dearly for both.
  append='quiet loglevel=4 panic=-1 console=ttyS0 mitigations=off nokaslr no_timer_check tsc=reliable
    random.trust_cpu=on cryptomgr.notests audit=0 selinux=0 apparmor=1 security=apparmor
    systemd.unit=tsrun-vm.target systemd.show_status=error TERM=dumb
    tsrun.job=/dev/vdb tsrun.out=/dev/vport0p1 tsrun.err=/dev/vport0p2 tsrun.ctl=/dev/vport0p3 tsrun.tty=/dev/hvc0'
  TMPDIR=/job exec chroot "$tools" /usr/bin/qemu-system-x86_64 \
    -nodefaults -no-user-config -display none -serial file:/job/console \
    -accel tcg,thread=multi -cpu max -smp 2 -m "$qemu_memory" \
    -object "memory-backend-file,id=ram,size=${qemu_memory}M,mem-path=/snapshot/ram,share=$share" \
    -M pc,memory-backend=ram \
    -global migration.x-ignore-shared=on \
    -kernel /boot/vmlinuz -initrd /boot/initrd -append "${append//$'\n'/ }" \
    -device virtio-serial-pci \
    -device virtconsole,nr=0,chardev=tty \
    -device virtserialport,nr=1,chardev=out -device virtserialport,nr=2,chardev=err \
    -device virtserialport,nr=3,chardev=ctl \
    -drive file=/job/job.ext4,format=raw,if=none,id=job \
    -device virtio-blk-pci,drive=root -device virtio-blk-pci,drive=job \
    "$@"
}
