#!/bin/bash
# Which limits of a compose file podman-compose hands on. One guesses that a property of the compose specification is
# either passed to podman or refused: these are read without a word and lost, so that the container runs without them.
# Those beside them, and the newer form under deploy.resources, do arrive. A podman of two lines stands in for the real one.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# debian FILE SHA256: unpacks a package of Debian's pool into $dir.
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

debian p/podman-compose/podman-compose_1.3.0-1_all.deb \
  7e8cdb41e2bcc66de139777fcc3278134997cd5630f5d41508110278bae593bf
debian p/pyyaml/python3-yaml_6.0.2-1+b2_amd64.deb \
  0019c4e7848c83a0d6bcb78cca902b5cdb1714aa6370ba01955b1fed6f667056
debian p/python-dotenv/python3-dotenv_1.0.1-1_all.deb \
  119670533dbc8e9e89ee1b09415879b70c30fd444f88da7d2fc2032adcd4be75
export PYTHONPATH=$dir/usr/lib/python3/dist-packages PYTHONDONTWRITEBYTECODE=1

cat >"$dir/usr/bin/podman" <<'END'
#!/bin/sh
case "$1" in --version) echo podman version 5.4.0 ;; create) echo "$*" >&2 ;; ps) echo '[]' ;; esac
END
chmod +x "$dir/usr/bin/podman"
PATH=$dir/usr/bin:$PATH

# created [PROPERTY]: the arguments of `podman create`; added PROPERTY: what the property adds to them.
created() {
  { printf 'services:\n  web:\n    image: example\n    network_mode: none\n'; printf '    %s\n' "$@"; } >"$dir/compose.yaml"
  python3 "$dir/usr/bin/podman-compose" -p demo -f "$dir/compose.yaml" up --no-start 2>&1 | grep '^create ' |
    sed -E 's/ --label [^ ]+//g'
}
bare=$(created)
added() { diff <(tr ' ' '\n' <<<"$bare") <(created "$1" | tr ' ' '\n') | sed -n 's/^> //p' | paste -sd ' '; }

python3 "$dir/usr/bin/podman-compose" --version 2>&1 | sed -n 1p
seen 'mem_limit: 64m' '-m 64m' "$(added 'mem_limit: 64m')"
seen 'cpus: 0.5' '--cpus 0.5' "$(added 'cpus: 0.5')"
for property in 'pids_limit: 10' 'cpuset: "0"' 'memswap_limit: 128m' 'mem_swappiness: 5' 'cpu_quota: 50000' 'oom_score_adj: 500' \
  'blkio_config: {weight: 300}' 'cgroup_parent: /limited'; do
  seen "$property" '' "$(added "$property")"
done
