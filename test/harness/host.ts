/** What this machine offers to tests, and the directory of the checkout. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout: the nearest directory above this file (or what it was bundled into) with package.json and tsconfig.json. */
export const repoRoot = findRepoRoot(dirname(fileURLToPath(import.meta.url)));

/** Only the image of our VM (docs/vm.md) has this file, so engines of a real machine are never touched. */
export const markOfVm = '/usr/lib/tsrun-vm/job';

/** Whether the tests run in our VM. */
export const isInVm = existsSync(markOfVm);

function findRepoRoot(from: string): string {
  if (existsSync(join(from, 'package.json')) && existsSync(join(from, 'tsconfig.json'))) return from;
  const parent = dirname(from);
  if (parent === from) throw new Error('the test is not inside a checkout of tsrun');
  return findRepoRoot(parent);
}

/** One line of /proc/PID/mountinfo, as far as tests need it; see proc_pid_mountinfo(5). */
export interface MountInfo {
  /** The directory of the filesystem that is mounted there. */
  root: string;
  mountPoint: string;
  fsType: string;
  source: string;
  /** Per-mount options such as `ro,nosuid`. */
  options: string[];
  /** Options of the superblock. */
  superOptions: string[];
  /** Propagation fields such as `shared:5`. */
  propagation: string[];
}

/** Parses the text of a mountinfo file. */
export function parseMountInfo(text: string): MountInfo[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [before = '', after = ''] = line.split(' - ', 2);
      const [, , , root = '', mountPoint = '', options = '', ...propagation] = before.split(' ').map(unescapePath);
      const [fsType = '', source = '', superOptions = ''] = after.split(' ').map(unescapePath);
      const split = (list: string) => list.split(',');
      return {
        root,
        mountPoint,
        fsType,
        source,
        options: split(options),
        superOptions: split(superOptions),
        propagation,
      };
    });
}

/** Decodes blanks, tabs, newlines and backslashes, which are in octal. */
function unescapePath(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** Where cgroup2 is mounted: /sys/fs/cgroup, /sys/fs/cgroup/unified on a hybrid host, or nowhere. */
export function cgroup2Mount(): string | undefined {
  const mounts = parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'));
  const places = mounts.filter(({ fsType }) => fsType === 'cgroup2').map(({ mountPoint }) => mountPoint);
  // A mount that another one covers (scripts/with-cgroup2.sh) is still listed.
  places.sort((a, b) => a.length - b.length);
  return places.find((place) => existsSync(join(place, 'cgroup.controllers')));
}

/** The cgroup2 controllers that containers can get, such as `memory`. */
export function cgroup2Controllers(): string[] {
  const mount = cgroup2Mount();
  if (mount === undefined) return [];
  return readFileSync(join(mount, 'cgroup.controllers'), 'utf8').split(/\s+/).filter(Boolean);
}

/** Numbers from linux/capability.h of the capabilities that tests ask for. */
const capabilityBits = {
  CAP_SYS_PTRACE: 19,
  CAP_SYS_ADMIN: 21,
  CAP_SYS_RESOURCE: 24,
  CAP_MKNOD: 27,
  CAP_BPF: 39,
} as const;

export type Capability = keyof typeof capabilityBits;

/** Whether this process has the capability in its effective set. */
export function hasCapability(name: Capability): boolean {
  const status = readFileSync('/proc/self/status', 'utf8');
  const mask = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  return ((mask >> BigInt(capabilityBits[name])) & 1n) === 1n;
}

/** Whether a program of this name is on the PATH. */
export function hasCommand(name: string): boolean {
  const path = process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin';
  return path.split(':').some((directory) => existsSync(join(directory, name)));
}
