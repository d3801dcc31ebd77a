#!/bin/bash
# Two rules of libseccomp for one system call, one with a comparison and one without, whose actions differ. One guesses
# that the narrower rule wins, or the first one, or that the second is refused with EEXIST as it is when two rules compare
# the same: the rule without a comparison wins, whichever came first, and the other is gone from the filter without an
# error. A profile that answers one call of a family with an errno of its own loses that answer this way.
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

debian 'libs/libseccomp/libseccomp2_2.5.4-1+deb12u1_amd64.deb' \
  108fe67957ca7cf9ba51d801118a1b37d404bea7b6e365025cd00779e9eca38d

export LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu
python3 - >"$dir/out" <<'END'
import ctypes, errno, os

class Comparison(ctypes.Structure):
    _fields_ = [('arg', ctypes.c_uint), ('op', ctypes.c_int), ('a', ctypes.c_uint64), ('b', ctypes.c_uint64)]

library = ctypes.CDLL('libseccomp.so.2')
library.seccomp_init.restype = ctypes.c_void_p
add = library.seccomp_rule_add_array
add.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.POINTER(Comparison)]
ALLOW, ERRNO, EQ, CLOSE = 0x7fff0000, 0x00050000, 4, 3

def filter_of(*rules):
    """Each rule is the errno, and the value of the first argument or None: what each returned, and the actions left."""
    context = library.seccomp_init(ALLOW)
    returned = []
    for number, value in rules:
        compared = [] if value is None else [Comparison(0, EQ, value, 0)]
        code = add(context, ERRNO | number, CLOSE, len(compared), (Comparison * 1)(*compared))
        returned.append('0' if code == 0 else errno.errorcode[-code])
    read, write = os.pipe()
    library.seccomp_export_pfc(ctypes.c_void_p(context), write)
    os.close(write)
    text = os.fdopen(read).read()
    print(' '.join(returned), '|', ' '.join(word for word in text.split() if word.startswith('ERRNO')))

filter_of((22, 5))
filter_of((22, 5), (1, None))
filter_of((1, None), (22, 5))
filter_of((22, 5), (1, 5))
END
mapfile -t out <"$dir/out"
echo "libseccomp $(basename "$(readlink -f "$LD_LIBRARY_PATH/libseccomp.so.2")"), close(2)"
seen 'EINVAL for descriptor 5' '0 | ERRNO(22);' "${out[0]}"
seen 'EINVAL for descriptor 5, then EPERM for all' '0 0 | ERRNO(1);' "${out[1]}"
seen 'EPERM for all, then EINVAL for descriptor 5' '0 0 | ERRNO(1);' "${out[2]}"
seen 'EINVAL for descriptor 5, then EPERM for descriptor 5' '0 EEXIST | ERRNO(22);' "${out[3]}"
