#!/bin/bash
# launch.sh TIER TOOLS IMAGE STEP...: makes the job disk and becomes the VM.
#
# machine.ts starts it in mount and pid namespaces of its own. All its files are on a tmpfs of that mount namespace:
# however it ends, nothing stays behind.
#
#   STEP   share:PATH  copies a file or directory to the job disk      hide:PATH  leaves its contents out
#   fds    3 job's stdin   4 job's stdout   5 job's stderr   6 the job's `run` script, read to its end
#          1 and 2 boot log
set -euo pipefail

tier=$1
tools=$2
image=$3
shift 3
steps=("$@")

# MiB. Taken from the machine only as the guest uses it.
memory=3072

main() {
  mount -t tmpfs -o mode=0755 tsrun-vm "$tools/job"
  make_job_disk "$tools/job/stage" "$tools/job/job.ext4"
  mount --bind "$image" "$tools/image"
  mount -t proc proc "$tools/proc"
  mount --rbind /dev "$tools/dev"
  # Guest memory of UML is a file here, mapped executable, which /dev/shm of a machine may forbid.
  mount -t tmpfs tsrun-vm "$tools/dev/shm"
  "start_$tier"
}

# mkfs.ext4 copies what it finds, so the tree to copy is put together by mounts.
make_job_disk() {
  local stage=$1 disk=$2 step path target
  mkdir -p "$stage/tree"
  cat <&6 >"$stage/run"
  : >"$stage/shares"
  for step in "${steps[@]}"; do
    path=${step#*:}
    target=$stage/tree$path
    case $step in
      share:*)
        bind "$path" "$target"
        echo "$path" >>"$stage/shares"
        ;;
      hide:*) [[ ! -d $target || -L $target ]] || mount -t tmpfs -o mode=0755 tsrun-vm "$target" ;;
    esac
  done
  # Sparse, and of a constant size, because a qemu snapshot remembers it.
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

# Words for the guest's kernel and systemd that both tiers share.
guest_words='quiet loglevel=4 audit=0 selinux=0 apparmor=0 TERM=dumb systemd.show_status=error
  systemd.unit=tsrun-vm.target rw rootflags=noinit_itable'

start_uml() {
  # shellcheck disable=SC2086 # one word each
  exec chroot "$tools" /usr/bin/linux.uml mem=${memory}M uml_dir=/job/ $guest_words \
    ubd0=/job/root.cow,/image/root.ext4 ubd1=/job/job.ext4 root=/dev/ubda \
    con=null con0=null,fd:2 con1=fd:3,fd:4 con2=null,fd:5 \
    tsrun.job=/dev/ubdb tsrun.out=/dev/tty1 tsrun.err=/dev/tty2
}

die() {
  echo "vm: $*" >&2
  exit 1
}

main
