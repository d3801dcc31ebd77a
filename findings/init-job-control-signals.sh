#!/bin/bash
# The signals of job control and the small inits that containers have as pid 1. Gunicorn and unicorn add and remove workers at
# TTIN and TTOU, so one guesses that an init passes them on, as it does with TERM, USR1 and real-time signals: tini drops both
# and passes TSTP on, catatonit drops all three, and dumb-init stops the program instead, which then answers nothing until
# there is a CONT. Needs root, for a PID namespace.
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

debian 't/tini/tini_0.19.0-1+b3_amd64.deb' \
  7d1947665fa40e55f218fefad773dc6de66458d0b39eaa292cdcadfc7c996632
debian 'd/dumb-init/dumb-init_1.2.5-2_amd64.deb' \
  a8eae71eb01d0b1c378708a8dbef0247615e9f9d43dd7b37ca77958963360afd
debian 'c/catatonit/catatonit_0.1.7-1+b2_amd64.deb' \
  3ee3137f8499a0b9a77172f57acf73f6da5bd1efd477fb307bb96399b338fc64

# Runs an init as pid 1 of a namespace with a program that tells when the signal is there.
cat >"$dir/try.py" <<'END'
import os, subprocess, sys, time
init, number = sys.argv[1], sys.argv[2]
program = f'''import signal
signal.signal({number}, lambda *_: print("passed on", flush=True))
print("ready", flush=True)
while True: signal.pause()'''
unshare = subprocess.Popen(['unshare', '--pid', '--fork', '--kill-child', init, '--', sys.executable, '-c', program],
                           stdout=subprocess.PIPE, text=True, start_new_session=True)
unshare.stdout.readline()
children = lambda pid: open(f'/proc/{pid}/task/{pid}/children').read().split()
pid1 = children(unshare.pid)[0]
child = children(pid1)[0]
os.kill(int(pid1), int(number))
time.sleep(0.5)
state = open(f'/proc/{child}/stat').read().rsplit(')', 1)[1].split()[0]
unshare.kill()
said = unshare.stdout.read().strip()
print('stopped' if state == 'T' else said or 'dropped')
END

# does INIT: what becomes of each signal.
does() { for signal in TERM RTMIN+3 TSTP TTIN TTOU; do
  echo "$signal $(python3 "$dir/try.py" "$dir/usr/bin/$1" "$(kill -l "$signal")")"
done | paste -sd , | sed 's/,/, /g'; }
"$dir/usr/bin/tini" --version
seen tini 'TERM passed on, RTMIN+3 passed on, TSTP passed on, TTIN dropped, TTOU dropped' "$(does tini)"
seen catatonit 'TERM passed on, RTMIN+3 passed on, TSTP dropped, TTIN dropped, TTOU dropped' "$(does catatonit)"
seen dumb-init 'TERM passed on, RTMIN+3 passed on, TSTP stopped, TTIN stopped, TTOU stopped' "$(does dumb-init)"
