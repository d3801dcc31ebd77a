#!/bin/sh
# install.sh [PREFIX]: installs tsrun from an unpacked release (the directory of this script) below PREFIX, by default
# /usr/local. Needs root only if writing to PREFIX does. To remove it, delete the files that this prints.
set -eu
from=$(cd "$(dirname "$0")" && pwd)
prefix=${1:-/usr/local}
case $prefix in
  -*)
    echo "usage: install.sh [PREFIX]" >&2
    exit 2
    ;;
esac
[ -x "$from/tsrun" ] || {
  echo "install.sh: there is no executable beside this script: it belongs into an unpacked release" >&2
  exit 1
}

# put MODE FILE TO: under another name first, because an old tsrun may be running.
put() {
  mkdir -p "$(dirname "$prefix/$3")"
  cp "$from/$2" "$prefix/$3.new"
  chmod "$1" "$prefix/$3.new"
  into_place "$3"
}

# put_link TARGET TO
put_link() {
  mkdir -p "$(dirname "$prefix/$2")"
  rm -f "$prefix/$2.new"
  ln -s "$1" "$prefix/$2.new"
  into_place "$2"
}

into_place() {
  mv -f "$prefix/$1.new" "$prefix/$1"
  echo "$prefix/$1"
}

put 755 tsrun bin/tsrun
# containerd's shim; the link comes last, when all that it leads to is there.
for file in shim.mjs shim-engine.mjs library-worker.cjs Release/tsrun.node; do
  put 644 "shim/$file" "lib/tsrun/$file"
done
for file in tsrun-shim-keeper containerd-shim-tsrun-v2; do
  put 755 "shim/Release/$file" "lib/tsrun/Release/$file"
done
put_link ../lib/tsrun/Release/containerd-shim-tsrun-v2 bin/containerd-shim-tsrun-v2
put 644 tsrun.1 share/man/man1/tsrun.1
put 644 completions/tsrun.bash share/bash-completion/completions/tsrun
put 644 completions/_tsrun share/zsh/site-functions/_tsrun
put 644 completions/tsrun.fish share/fish/vendor_completions.d/tsrun.fish
put 644 LICENSE share/doc/tsrun/LICENSE
put 644 NOTICE share/doc/tsrun/NOTICE
put 644 README.md share/doc/tsrun/README.md
for page in "$from"/docs/*.md; do
  put 644 "docs/${page##*/}" "share/doc/tsrun/docs/${page##*/}"
done
