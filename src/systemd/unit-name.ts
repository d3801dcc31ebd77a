import { join } from 'node:path';
import { TsrunError } from '../errors.ts';

/** A container's unit: a scope in a slice. */
export interface ScopeName {
  readonly slice: string;
  readonly scope: string;
}

/**
 * The unit that linux.cgroupsPath names with --systemd-cgroup: slice:prefix:name is the scope prefix-name.scope in the
 * slice, as in runc and crun. Without a path it is tsrun-ID.scope in the default slice.
 *
 * @throws TsrunError for another form, and for a slice, because a slice cannot hold processes
 */
export function scopeName(cgroupsPath: string | undefined, id: string, user: boolean): ScopeName {
  const parts = cgroupsPath ? cgroupsPath.split(':') : ['', 'tsrun', id];
  const [slice, prefix, name] = parts;
  if (parts.length !== 3 || slice === undefined || prefix === undefined || !name) {
    throw new TsrunError(
      `expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got ${JSON.stringify(cgroupsPath)} instead`,
      { about: '/linux/cgroupsPath', hint: 'such as system.slice:tsrun:web; or leave --systemd-cgroup out' },
    );
  }
  const scope = `${prefix === '' ? '' : `${prefix}-`}${name}.scope`;
  demandUnitName(scope);
  return { slice: sliceName(slice, user), scope };
}

/**
 * Where systemd makes the scope, relative to the cgroup2 mount. Each dash in a slice's name leads one level deeper
 * (systemd.slice(5)), and a user's systemd has its own part of the tree.
 *
 * @param uid of the user whose systemd it is; undefined for the host's
 * @param own cgroup of the caller, which is below that of the user's systemd if that has started the caller
 */
export function scopePath({ slice, scope }: ScopeName, uid: number | undefined, own: string): string {
  const words = slice === '-.slice' ? [] : slice.slice(0, -'.slice'.length).split('-');
  const slices = words.map((_, index) => `${words.slice(0, index + 1).join('-')}.slice`);
  return join(uid === undefined ? '/' : userRoot(uid, own), ...slices, scope);
}

/**
 * Where logind puts it, unless the caller's cgroup shows another place: a systemd in a container, say, need not have a
 * user.slice.
 */
function userRoot(uid: number, own: string): string {
  const service = `/user@${uid}.service`;
  const at = `${own}/`.indexOf(`${service}/`);
  return at === -1 ? `/user.slice/user-${uid}.slice${service}` : own.slice(0, at + service.length);
}

function sliceName(slice: string, user: boolean): string {
  // Units of a user's systemd are in the user's slices; user.slice here is the root of those.
  if (slice === '') return user ? 'user.slice' : 'system.slice';
  demandUnitName(slice);
  if (/^(-|[^-/]+(-[^-/]+)*)\.slice$/.test(slice)) return slice;
  throw new TsrunError(`${JSON.stringify(slice)} is not the name of a slice`, {
    about: '/linux/cgroupsPath',
    hint: 'it ends in .slice, and each dash in it leads one slice deeper: machine-web.slice',
  });
}

/** systemd.unit(5): letters, digits and a few other characters, at most 255 in all. */
function demandUnitName(name: string): void {
  if (/^[\w:.\\@-]{1,255}$/.test(name) && !name.endsWith('.slice.scope')) return;
  throw new TsrunError(`${JSON.stringify(name)} is not the name of a unit`, {
    about: '/linux/cgroupsPath',
    hint: 'letters, digits and : - _ . \\ @ only; a container is a scope, not a slice',
  });
}
