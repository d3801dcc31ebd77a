/** Mounts a bundle's root filesystem as an engine describes it: layers, and options as mount(8) has them. */
import { closeSync, mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { addon } from '../addon.ts';
import { TsrunError } from '../errors.ts';
import { gatherHostFacts } from '../host/facts.ts';
import { layersOfLowerdir } from '../linux/overlay.ts';
import { layersOf } from '../lower/mounts/mount-by-flags.ts';

export interface RootfsMount {
  readonly type?: string;
  readonly source?: string;
  readonly target?: string;
  readonly options?: readonly string[];
}

/** MS_* of mount(2): those that an option sets, and those that it clears. */
const flagsOf: Readonly<Record<string, readonly [set: number, clear: number]>> = {
  defaults: [0, 0],
  ro: [1, 0],
  rw: [0, 1],
  nosuid: [2, 0],
  suid: [0, 2],
  nodev: [4, 0],
  dev: [0, 4],
  noexec: [8, 0],
  exec: [0, 8],
  sync: [16, 0],
  async: [0, 16],
  dirsync: [128, 0],
  nosymfollow: [256, 0],
  noatime: [1024, 0],
  atime: [0, 1024],
  nodiratime: [2048, 0],
  diratime: [0, 2048],
  bind: [4096, 0],
  rbind: [4096 | 16384, 0],
  relatime: [1 << 21, 0],
  norelatime: [0, 1 << 21],
  strictatime: [1 << 24, 0],
  nostrictatime: [0, 1 << 24],
  lazytime: [1 << 25, 0],
};

const bind = 4096;
const recursive = 16384;
const remount = 32;
/** What belongs to each mount of a filesystem; the same numbers are MOUNT_ATTR_* of fsmount(2). */
const ofMount = 15;

/** The longest options that mount(2) takes: a page of memory, with a zero. */
const longestData = 4095;

/** More mounts one above the other than any engine makes. */
const mostMounts = 64;

/** @throws TsrunError or a system error; then nothing stays mounted */
export function mountRootfs(bundle: string, mounts: readonly RootfsMount[]): void {
  const rootfs = join(bundle, 'rootfs');
  if (mounts.length > 0) mkdirSync(rootfs, { recursive: true, mode: 0o711 });
  try {
    for (const mount of mounts) mountOne(bundle, rootfs, mount);
  } catch (error) {
    unmountRootfs(bundle);
    throw error;
  }
}

/** Unmounts everything there, one above the other; if nothing is mounted, that is no error. */
export function unmountRootfs(bundle: string): void {
  for (let left = mostMounts; left > 0 && addon().unmount(join(bundle, 'rootfs')); left--);
}

interface Parsed {
  readonly flags: number;
  readonly data: readonly string[];
  /** Lines of uid_map and gid_map; empty without a mapping. */
  readonly uidMap: string;
  readonly gidMap: string;
}

function mountOne(bundle: string, rootfs: string, mount: RootfsMount): void {
  const { type = '', source = '', target = '', options = [] } = mount;
  if (target !== '') throw new TsrunError(`cannot mount ${source}: targets in the root filesystem are not supported`);
  const parsed = parse(options);
  try {
    if (type === 'bind' || parsed.flags & bind) mountBind(source, rootfs, parsed);
    else if (type === 'overlay') mountOverlay(bundle, source, rootfs, parsed);
    else if (parsed.uidMap !== '') throw new TsrunError(`no mapping of users for the type ${type}`);
    else addon().mount(source, rootfs, type, parsed.flags, parsed.data.join(','));
  } catch (error) {
    throw new TsrunError(`cannot mount ${source || type} on ${rootfs}: ${(error as Error).message}`, { cause: error });
  }
}

function parse(options: readonly string[]): Parsed {
  let flags = 0;
  const data: string[] = [];
  const maps = { uidmap: '', gidmap: '' };
  for (const option of options) {
    const [, name, map] = /^(uidmap|gidmap)=(.*)$/.exec(option) ?? [];
    const change = Object.hasOwn(flagsOf, option) ? flagsOf[option] : undefined;
    if (name !== undefined) maps[name as keyof typeof maps] = linesOf(option, map ?? '');
    else if (change !== undefined) flags = (flags | change[0]) & ~change[1];
    else if (option === 'loop') throw new TsrunError('the mount option loop is not supported');
    else data.push(option);
  }
  return { flags, data, uidMap: maps.uidmap, gidMap: maps.gidmap };
}

/** CONTAINER:HOST:LENGTH, and more of them after commas -> lines of uid_map. */
function linesOf(option: string, map: string): string {
  const parts = map.split(',').map((part) => part.split(':'));
  const isValid = parts.every((part) => part.length === 3 && part.every((number) => /^\d+$/.test(number)));
  if (!isValid) throw new TsrunError(`the mount option ${option} is not CONTAINER:HOST:LENGTH`);
  return parts.map((part) => `${part.join(' ')}\n`).join('');
}

function mountBind(source: string, rootfs: string, { flags, data, uidMap, gidMap }: Parsed): void {
  if (data.length > 0) throw new TsrunError(`unknown options of a bind mount: ${data.join(',')}`);
  if (uidMap === '') addon().mount(source, rootfs, '', bind | (flags & recursive), '');
  else withMapping(uidMap, gidMap, (namespace) => placeMapped(source, rootfs, namespace, (flags & recursive) !== 0));
  const attributes = flags & ~recursive & ~bind;
  if (attributes !== 0) addon().mount('', rootfs, '', remount | bind | attributes, '');
}

function mountOverlay(bundle: string, source: string, rootfs: string, parsed: Parsed): void {
  const { flags, data, uidMap, gidMap } = parsed;
  if (uidMap === '') return overlay(source, rootfs, flags, data);
  // Overlay maps no users itself, but takes layers that are mapped already (Linux 5.19).
  const places: string[] = [];
  const lowerdir = data.find((option) => option.startsWith('lowerdir='))?.slice('lowerdir='.length) ?? '';
  const layers = layersOfLowerdir(lowerdir);
  if (layers.data.length > 0) throw new TsrunError('no mapping of users for an overlay with data-only layers');
  mkdirSync(join(bundle, 'layers'), { mode: 0o700 });
  try {
    withMapping(uidMap, gidMap, (namespace) => {
      for (const [number, layer] of layers.lower.entries()) {
        const place = join(bundle, 'layers', String(number));
        mkdirSync(place);
        places.push(place);
        placeMapped(layer, place, namespace, false);
      }
    });
    const others = data.filter((option) => !option.startsWith('lowerdir='));
    overlay(source, rootfs, flags, [`lowerdir=${places.join(':')}`, ...others]);
  } finally {
    // The overlay has its own copies of these mounts.
    for (const place of places) {
      addon().unmount(place);
      rmdirSync(place);
    }
    rmdirSync(join(bundle, 'layers'));
  }
}

function overlay(source: string, rootfs: string, flags: number, data: readonly string[]): void {
  const text = data.join(',');
  if (Buffer.byteLength(text) <= longestData) return addon().mount(source, rootfs, 'overlay', flags, text);
  // One by one they may be as many as overlay allows.
  const host = gatherHostFacts();
  const parameters = data.flatMap((option) => layersOf({ host }, option) ?? [option]);
  addon().mountByParameters(rootfs, 'overlay', [`source=${source}`, ...parameters], flags & ofMount);
}

function withMapping(uidMap: string, gidMap: string, use: (namespace: number) => void): void {
  if (gidMap === '') throw new TsrunError('the mount option uidmap needs gidmap');
  const namespace = addon().makeUserNamespace(uidMap, gidMap);
  try {
    use(namespace);
  } finally {
    closeSync(namespace);
  }
}

function placeMapped(source: string, target: string, namespace: number, isRecursive: boolean): void {
  const tree = addon().openTree(source, isRecursive, false);
  try {
    addon().mapTree(tree, namespace, isRecursive);
    addon().placeTree(tree, target);
  } finally {
    closeSync(tree);
  }
}
