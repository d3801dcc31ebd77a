#!/bin/bash
# What is left of the default runtimes of containerd 1.7 when config.toml adds one for CRI. The rest of the plugin
# section keeps its defaults, so one guesses that runtimes.runc stays: the table of runtimes is replaced, runc is
# gone, and default_runtime_name still says runc. In the same way "runtimes.runc.options" alone empties runc's
# runtime_type. (containerd 2.1.9 merges both.)
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# debian FILE SHA256: unpacks a package of Debian's pool (amd64) into $dir.
debian() {
  curl -fsS --retry 3 -o "$dir/package" "http://deb.debian.org/debian/pool/main/$1"
  sha256sum --quiet -c - <<<"$2  $dir/package"
  dpkg-deb -x "$dir/package" "$dir"
}

# seen WHAT WANTED GOT: prints what was seen, and ends the script when it is no longer so.
seen() {
  printf '%s: %s\n' "$1" "$3"
  [[ $3 == "$2" ]] || { printf 'changed, it was: %s\n' "$2" >&2; exit 1; }
}

debian 'c/containerd/containerd_1.7.24~ds1-6+deb13u1_amd64.deb' \
  ed708deb96fe476a3bce4efa5c0538dfbcf717ab9a7c7944ba7260342c25899c

containerd=$dir/usr/bin/containerd
"$containerd" --version
section='plugins."io.containerd.grpc.v1.cri".containerd'

# dump TOML: the runtimes of the config as containerd sees it, and the default one.
dump() {
  printf 'version = 2\n%s\n' "$1" >"$dir/config.toml"
  "$containerd" --config "$dir/config.toml" config dump |
    sed -nE -e 's/.*containerd\.runtimes\.([a-z]+)\]$/runtime \1/p' -e 's/ *(default_runtime_name = .*)/\1/p' |
    sort | paste -sd ' '
}

seen 'nothing added' 'default_runtime_name = "runc" runtime runc' "$(dump '')"
seen 'runtimes.mine added' 'default_runtime_name = "runc" runtime mine' \
  "$(dump "[$section.runtimes.mine]
runtime_type = \"io.containerd.runc.v2\"")"

dump "[$section.runtimes.runc.options]
SystemdCgroup = true" >/dev/null
type=$("$containerd" --config "$dir/config.toml" config dump | sed -n '/containerd.runtimes.runc\]$/,/options\]$/s/ *runtime_type = //p')
seen "runc's runtime_type with SystemdCgroup set alone" '""' "$type"
