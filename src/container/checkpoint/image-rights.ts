import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { TsrunError } from '../../errors.ts';
import type { LinuxIDMapping, Spec } from '../../generated/spec.ts';

/** Of a directory, entering it; of a file, reading it. */
const enter = 0o111;
const read = 0o444;

type Mappings = readonly LinuxIDMapping[];

/**
 * Checks that the root of a container with a user namespace of its own may read the images, because CRIU (4.2.1) opens
 * them with its rights. CRIU opens the directory before, so those above it do not matter.
 *
 * @throws TsrunError that names the first that it certainly may not read
 */
export function demandReadableImages(path: string, { linux }: Spec): void {
  if (!linux?.namespaces?.some((each) => each.type === 'user' && !each.path)) return;
  const root = new ContainerRoot(linux.uidMappings ?? [], linux.gidMappings ?? []);
  const images = readdirSync(path).filter((name) => name.endsWith('.img'));
  const unreadable = root.may(enter, path)
    ? images.map((name) => join(path, name)).find((image) => !root.may(read, image))
    : path;
  if (unreadable === undefined) return;
  throw new TsrunError(
    `--image-path ${path}: CRIU reads the images as the container's root, here user ${root.uid}, who may not read ${unreadable}`,
    { hint: `chmod -R a+rX ${path}, in a directory that only the host's root can enter` },
  );
}

class ContainerRoot {
  readonly #uids: Mappings;
  readonly #gids: Mappings;

  constructor(uids: Mappings, gids: Mappings) {
    this.#uids = uids;
    this.#gids = gids;
  }

  /** The host's number for it. */
  get uid(): number | undefined {
    return rootIn(this.#uids);
  }

  may(wanted: number, path: string): boolean {
    const { uid, gid, mode } = statSync(path);
    // Its capabilities count for what belongs to users and groups of its namespace (capable_wrt_inode_uidgid).
    if (isMapped(this.#uids, uid) && isMapped(this.#gids, gid)) return true;
    if (uid === this.uid) return (mode & wanted & 0o700) !== 0;
    if (gid === rootIn(this.#gids)) return (mode & wanted & 0o070) !== 0;
    // An access control list shows as rights of the group: then CRIU has to find out.
    return (mode & wanted & 0o077) !== 0;
  }
}

function rootIn(mappings: Mappings): number | undefined {
  return mappings.find(({ containerID, size }) => containerID === 0 && size > 0)?.hostID;
}

function isMapped(mappings: Mappings, id: number): boolean {
  return mappings.some(({ hostID, size }) => id >= hostID && id < hostID + size);
}
