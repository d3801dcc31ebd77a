#!/bin/bash
# libseccomp's SCMP_CMP_MASKED_EQ with a value that has bits outside the mask. (argument & 0x0f) is never 0x1f, so one
# guesses a rule that never matches, or an error: the value is cut to the mask, and the rule matches 0x0f.
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
import ctypes, os

class Comparison(ctypes.Structure):
    _fields_ = [('arg', ctypes.c_uint), ('op', ctypes.c_int), ('mask', ctypes.c_uint64), ('value', ctypes.c_uint64)]

library = ctypes.CDLL('libseccomp.so.2')
library.seccomp_init.restype = ctypes.c_void_p
add = library.seccomp_rule_add_array
add.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.POINTER(Comparison)]
ALLOW, ERRNO, MASKED_EQ, WRITE = 0x7fff0000, 0x00050000, 7, 1
for value in 0x0f, 0x1f:
    context = library.seccomp_init(ALLOW)
    code = add(context, ERRNO | 1, WRITE, 1, ctypes.byref(Comparison(0, MASKED_EQ, 0x0f, value)))
    read, write = os.pipe()
    library.seccomp_export_pfc(ctypes.c_void_p(context), write)
    os.close(write)
    lines = os.fdopen(read).read().splitlines()
    print(code, next(line.strip() for line in lines if '$a0.lo32' in line))
END
mapfile -t out <"$dir/out"
echo "libseccomp $(basename "$(readlink -f "$LD_LIBRARY_PATH/libseccomp.so.2")"), write(2), first argument"
seen 'mask 0x0f, value 0x0f' "0 if (\$a0.lo32 & 0x0000000f == 15)" "${out[0]}"
seen 'mask 0x0f, value 0x1f' "0 if (\$a0.lo32 & 0x0000000f == 15)" "${out[1]}"
