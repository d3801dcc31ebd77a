#!/bin/bash
# Values that the Python SDK of docker takes and changes. One guesses what the docker command does, or an error: cpuset_cpus=0
# is dropped, so that a container for CPU 0 runs on all; a device with permissions and no second path, "/dev/a:r", gets the
# path "r" and all permissions; one device as a string is a device for each letter; a mount "a:/b:rw,z" is read-only.
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

debian 's/six/python3-six_1.16.0-4_all.deb' \
  fd189e9cecbcf17a1fc20aec30055c8afa9c1eec00cd6e7ab385087a2ab3b0d3
debian 'p/python-idna/python3-idna_3.3-1+deb12u1_all.deb' \
  0bf81fb1906d3aa607482d09aa3bcbab5c263242b1fd1d93be39658fa783af1a
debian 'p/python-certifi/python3-certifi_2022.9.24-1_all.deb' \
  121abb6d0af69b57ce7202be38b2db9150e5d627bbaab6c17fe10650d2ced4fc
debian 'c/chardet/python3-chardet_5.1.0+dfsg-2_all.deb' \
  271227b4ca709db673d8bff58b64f4a590ab17b50a9616d49aacc459bbd05f85
debian 'p/python-urllib3/python3-urllib3_1.26.12-1+deb12u4_all.deb' \
  9dd6fef10317e437f2195cb5ea8b38d8e39e02106c5fda7b16d58b4bb9a85886
debian 'r/requests/python3-requests_2.28.1+dfsg-1_all.deb' \
  c75b5c05d8d4a813bd83c3d432ffe65a2ca13e771bc91d4b9787690097598603
debian 'w/websocket-client/python3-websocket_1.2.3-1_all.deb' \
  18ecef178ef54685305fffd03c9d7fca2d73451bd51e0f93921e4006099a0c7d
debian 'p/python-docker/python3-docker_5.0.3-1_all.deb' \
  1870464a9429f2fd3b4edc47c0292de7b39872675e9865363d01f43ff7d72c0c

# said EXPRESSION: its value.
said() {
  PYTHONPATH=$dir/usr/lib/python3/dist-packages python3 -S -c "
from docker.types import HostConfig, Mount
from docker.utils import parse_devices
print($1)"
}
echo "docker $(said '__import__("docker").__version__')"
seen 'cpuset_cpus=0' None "$(said "HostConfig(version='1.41', cpuset_cpus=0).get('CpusetCpus')")"
seen 'cpuset_cpus="0"' 0 "$(said "HostConfig(version='1.41', cpuset_cpus='0').get('CpusetCpus')")"
seen '/dev/a:r' "{'PathOnHost': '/dev/a', 'PathInContainer': 'r', 'CgroupPermissions': 'rwm'}" \
  "$(said "parse_devices(['/dev/a:r'])[0]")"
seen 'devices="/dev/a"' 6 "$(said "len(HostConfig(version='1.41', devices='/dev/a')['Devices'])")"
seen 'the mount a:/b:rw' False "$(said "Mount.parse_mount_string('a:/b:rw')['ReadOnly']")"
seen 'the mount a:/b:rw,z' True "$(said "Mount.parse_mount_string('a:/b:rw,z')['ReadOnly']")"
