#!/bin/bash
# migrate.sh from|to TALK: a machine's part of migrate.test.ts. A container with a server moves from one to the other, over
# the wire between them; its client is a process of the first. TALK is test/helpers-c/talk.c, compiled.
set -euo pipefail

here=10.9.0.1
there=10.9.0.2
served=10.9.0.100
port=7000
# Seconds that one machine waits for the other.
patience=400
flags=(--tcp-established --network-lock nftables --image-path /srv/images)

main() {
  mkdir -p /srv
  case $1 in
    from) move_from "$2" ;;
    to) move_to ;;
  esac
}

move_from() {
  local talk=$1 client before
  join_network "$here"
  make_bundle "$talk"
  tsrun create --bundle /srv/bundle served </dev/null &>/srv/server
  tsrun start served
  ip link set wire master br0
  "$talk" ask "$served" "$port" >/srv/answers 2>/srv/client &
  client=$!
  await_answers 10

  tsrun checkpoint "${flags[@]}" served
  ip link set wire nomaster
  [[ -z $(tsrun list --quiet) ]]
  before=$(answers)
  tar -C /srv -c bundle images | send 9000
  await_answers $((before + 10))
  kill "$client"
  send 9001 <<<moved
  echo "moved after answer $before; the same connection goes on"
}

move_to() {
  join_network "$there"
  receive 9000 | tar -C /srv -x
  tsrun restore --detach "${flags[@]}" --bundle /srv/bundle served </dev/null &>/srv/server || die "$(cat /srv/server)"
  # Only now may a packet for the container find its address here.
  ip link set wire master br0
  [[ $(receive 9001) == moved ]]
  [[ $(tsrun list --quiet) == served ]]
  tsrun delete --force served
  echo 'it was here at the end'
}

# A bridge with the other machine at its end, and a network namespace for the container, which has the same addresses in
# both machines, not plugged in yet.
join_network() {
  local attempt
  echo 1 >/sys/bus/pci/rescan
  modprobe virtio_net
  for ((attempt = 0; attempt < 1000; attempt++)); do
    [[ ! -e /sys/class/net/eth0 ]] || break
    sleep 0.05
  done
  ip link set lo up
  # Else its address would change with what is plugged in.
  ip link add br0 address "$(cat /sys/class/net/eth0/address)" type bridge
  ip address add "$1/24" dev br0
  ip link set eth0 master br0 up
  ip link set br0 up
  ip netns add pod
  ip link add wire type veth peer name eth0 netns pod
  ip link set wire up
  ip -n pod link set lo up
  ip -n pod address add "$served/24" dev eth0
  ip -n pod link set eth0 address 02:00:00:00:00:64 up
}

make_bundle() {
  mkdir -p /srv/bundle/rootfs/{bin,proc,sys,dev}
  cp "$1" /srv/bundle/rootfs/bin/talk
  cat >/srv/bundle/config.json <<EOF
{
  "ociVersion": "1.2.0",
  "root": { "path": "rootfs" },
  "process": { "args": ["/bin/talk", "serve", "$port"], "cwd": "/", "user": { "uid": 0, "gid": 0 } },
  "mounts": [
    { "destination": "/proc", "type": "proc", "source": "proc" },
    { "destination": "/dev", "type": "tmpfs", "source": "tmpfs" }
  ],
  "linux": {
    "cgroupsPath": "/served",
    "namespaces": [
      { "type": "pid" }, { "type": "mount" }, { "type": "ipc" }, { "type": "uts" },
      { "type": "network", "path": "/run/netns/pod" }
    ]
  }
}
EOF
}

# The machine knows no others, and both start at the same time.
send() {
  local attempt
  for ((attempt = 0; attempt < patience; attempt++)); do
    if { exec 4<>"/dev/tcp/$there/$1"; } 2>/dev/null; then
      cat >&4
      exec 4>&-
      return
    fi
    sleep 1
  done
  die "nobody listens on port $1"
}

receive() { timeout "$patience" busybox nc -l -p "$1" </dev/null; }

answers() { wc -l </srv/answers; }

await_answers() {
  local attempt
  for ((attempt = 0; attempt < patience * 5; attempt++)); do
    [[ ! -s /srv/client ]] || die "the client: $(cat /srv/client)"
    (($(answers) < $1)) || return 0
    sleep 0.2
  done
  die "the client has had $(answers) answers, and waits for $1"
}

die() {
  echo "migrate.sh: $*" >&2
  exit 1
}

main "$@"
