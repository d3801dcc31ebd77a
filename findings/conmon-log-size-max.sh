#!/bin/bash
# What conmon does when a log of k8s-file reaches --log-size-max. One guesses a rotation, as with docker's max-size:
# log and log.1. The one file is begun anew and what was in it is gone, so that a container that prints 100 lines into
# a log of 1 KiB leaves the last few. The runtime here is a shell script that starts a program as its child and writes
# the pid file, which is all that conmon asks of it. Needs libglib2.0-0 and libsystemd0 on the machine.
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

debian 'c/conmon/conmon_2.1.6+ds1-1_amd64.deb' \
  2d4111853199dd8c7cbcda3da04f37d9b7f3a7b08dc1cee546a1e5518de8a596

cd "$dir"
mkdir exits bundle persist
cat >program <<'END'
for i in $(seq 1 100); do echo "line $i"; done
END
cat >runtime <<'END'
#!/bin/bash
# create --bundle BUNDLE --pid-file FILE ID; start, delete and the like have nothing to do.
[[ " $* " == *' create '* ]] || exit 0
while [[ $1 != --pid-file ]]; do shift; done
bash "${0%/*}/program" &
printf '%s' $! >"$2"
END
chmod 755 runtime

usr/bin/conmon --version | head -n 1
usr/bin/conmon --api-version 1 --cid one --cuuid one --name one --runtime "$dir/runtime" --bundle "$dir/bundle" \
  --container-pidfile "$dir/pid" --log-path "k8s-file:$dir/log" --log-size-max 1024 --exit-dir "$dir/exits" \
  --persist-dir "$dir/persist" --socket-dir-path "$dir/bundle" 2>/dev/null
while [[ ! -e exits/one ]]; do sleep 0.1; done

seen 'files of the log' log "$(compgen -G 'log*' | paste -sd ' ')"
seen 'the last line' 'line 100' "$(tail -n 1 log | cut -d ' ' -f 4-)"
seen 'the first line is there' no "$(grep -q 'line 1$' log && echo yes || echo no)"
