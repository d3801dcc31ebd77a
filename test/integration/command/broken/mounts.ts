/** Mistakes in mounts and devices. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Broken, wrong } from './broken.ts';

export const brokenMounts: Readonly<Record<string, Broken>> = {
  'a source that is not there': {
    edit: ({ mounts }) => mounts.push({ destination: '/data', source: '/srv/dta', options: ['bind'] }),
    property: /\/mounts\/7.*\/srv\/dta: no such file/,
    wayOut: /source of a bind mount must be there/,
    marked: /^("\/srv\/dta"|\{)$/,
  },
  'a bind mount without bind': {
    edit: ({ mounts }) => mounts.push({ destination: '/data', source: '/etc', type: 'bind' }),
    property: /\/mounts\/7\/type/,
    wayOut: /needs "bind" or "rbind" in its options/,
    marked: /^"bind"$/,
  },
  'a filesystem that nobody has': {
    edit: ({ mounts }) => mounts.push({ destination: '/data', source: 'x', type: 'tmpsf' }),
    property: /\/mounts\/7/,
    wayOut: /knows no filesystem type tmpsf: did you mean "tmpfs"/,
    marked: /^\{$/,
  },
  'a misspelt option of tmpfs': {
    edit: ({ mounts }) =>
      mounts.push({ destination: '/data', source: 'tmpfs', type: 'tmpfs', options: ['nosuid', 'siez=1m'] }),
    property: /\/mounts\/7.*siez/,
    wayOut: /neither an option of mount\(8\) nor one of tmpfs: did you mean "size"/,
    marked: /./,
  },
  'a size of tmpfs with a wrong unit': {
    edit: ({ mounts }) => mounts.push({ destination: '/data', source: 'tmpfs', type: 'tmpfs', options: ['size=5x'] }),
    property: /\/mounts\/7.*size/,
    wayOut: /size=64m/,
    marked: /./,
  },
  'a device where the image has something else': {
    edit: (spec, bundle) => {
      mkdirSync(join(bundle, 'rootfs/opt/fuse'), { recursive: true });
      spec.linux.devices = [{ type: 'c', path: '/opt/fuse', major: 10, minor: 229 }];
    },
    property: /\/linux\/devices\/0.*\/opt\/fuse/,
    wayOut: /remove it/,
    marked: /./,
  },
  'no destination': {
    edit: ({ mounts }) => mounts.push({ type: 'tmpfs', source: 'tmpfs' } as never),
    property: /\/mounts\/7/,
    wayOut: /add it, such as "destination"/,
    marked: /^\{$/,
  },
  'options that are no list': {
    edit: ({ mounts }) => mounts.push({ destination: '/data', type: 'tmpfs', source: 'tmpfs', options: 'ro' as never }),
    property: /\/mounts\/7/,
    wayOut: /did you mean \["ro"\]/,
    marked: /^"ro"$/,
  },
  'an option that bind mounts do not have': {
    edit: ({ mounts }) => mounts.push({ destination: '/data', source: '/srv', options: ['bind', 'rshraed'] }),
    property: /\/mounts\/7/,
    wayOut: /unknown mount option/,
    marked: /^"rshraed"$/,
  },
  'a file onto a directory': {
    edit: ({ mounts }) => mounts.push({ destination: '/tmp', source: '/etc/passwd', options: ['bind'] }),
    property: /\/mounts\/7/,
    wayOut: /name a file as destination, such as \/tmp\/passwd/,
    marked: /^\{$/,
  },
  'a bind mount without a source': {
    edit: ({ mounts }) => mounts.push({ destination: '/data', options: ['bind'] }),
    property: /\/mounts\/7/,
    wayOut: /needs a source/,
    marked: /^\{$/,
  },
  'an ID-mapped mount without mappings': {
    edit: ({ mounts }) => mounts.push({ destination: '/data', source: '/srv', options: ['bind', 'idmap'] }),
    property: /\/mounts\/7/,
    wayOut: /needs uidMappings and gidMappings/,
    marked: /^"idmap"$/,
  },
  'neither type nor bind': {
    edit: ({ mounts }) => mounts.push({ destination: '/data', source: '/srv' }),
    property: /\/mounts\/7/,
    wayOut: /needs "bind" or "rbind"/,
    marked: /^\{$/,
  },
  'a device type in full': wrong(
    '/linux/devices',
    [{ type: 'char', path: '/dev/fuse', major: 10, minor: 229 }],
    /\/linux\/devices\/0\/type/,
    /did you mean "c"/,
    /^"char"$/,
  ),
  'a device without numbers': wrong(
    '/linux/devices',
    [{ type: 'c', path: '/dev/fuse' }],
    /\/linux\/devices\/0/,
    /needs a major number/,
    /^\{$/,
  ),
  'a device with a relative path': wrong(
    '/linux/devices',
    [{ type: 'c', path: 'dev/fuse', major: 10, minor: 229 }],
    /\/linux\/devices\/0\/path/,
    /did you mean "\/dev\/fuse"/,
    /^"dev.fuse"$/,
  ),
};
