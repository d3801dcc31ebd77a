#!/bin/sh
# Runs inside the demo's container, in busybox's shell, and shows what a process there sees.

title() { printf '\n-- %s\n' "$*"; }

title 'It is process 1, and there are no others but its own children'
ps -o pid,comm

title 'It has its own host name'
hostname

title 'It is root, with few capabilities and no way to get more'
id
grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status

title 'Its root directory is the rootfs of the bundle, and read-only'
ls /
touch /file 2>&1

title 'Its mounts'
mount | cut -c 1-100

title 'Its network is a loopback device of its own, which is up'
ip -oneline address

title 'Its cgroup, seen from inside, is the root'
grep '^0:' /proc/self/cgroup || cat /proc/self/cgroup

title 'What the host hides from it is empty'
wc -c /proc/keys /proc/timer_list
