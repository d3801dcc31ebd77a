import { TsrunError } from '../../errors.ts';
import { attr, propagationFlags, superblock } from '../../linux/mount-flags.ts';

/** Those that fsconfig(2) has no parameter for. */
const byFlagOnly = superblock.silent | superblock.iversion;

/** What an option does to the mount's attributes and to the filesystem's flags; a later option wins. */
interface Effect {
  readonly set?: number;
  readonly clear?: number;
  readonly on?: number;
  readonly off?: number;
}

/** Options of one mount (config.md, Linux mount options); with the prefix r they apply to all mounts below too. */
const attributeOptions: Readonly<Record<string, Effect>> = {
  ro: { set: attr.rdonly, on: superblock.rdonly },
  rw: { clear: attr.rdonly, off: superblock.rdonly },
  nosuid: { set: attr.nosuid },
  suid: { clear: attr.nosuid },
  nodev: { set: attr.nodev },
  dev: { clear: attr.nodev },
  noexec: { set: attr.noexec },
  exec: { clear: attr.noexec },
  noatime: { set: attr.noatime, clear: attr.atimeMask },
  atime: { clear: attr.noatime },
  relatime: { clear: attr.atimeMask },
  // The kernel knows no mount that is neither relatime, noatime nor strictatime.
  norelatime: {},
  strictatime: { set: attr.strictatime, clear: attr.atimeMask },
  nostrictatime: { clear: attr.strictatime },
  nodiratime: { set: attr.nodiratime },
  diratime: { clear: attr.nodiratime },
  nosymfollow: { set: attr.nosymfollow },
  symfollow: { clear: attr.nosymfollow },
};

/** Options of the filesystem, whichever mount of it they are given for. */
const filesystemOptions: Readonly<Record<string, Effect>> = {
  sync: { on: superblock.synchronous },
  async: { off: superblock.synchronous },
  dirsync: { on: superblock.dirsync },
  mand: { on: superblock.mandlock },
  nomand: { off: superblock.mandlock },
  lazytime: { on: superblock.lazytime },
  nolazytime: { off: superblock.lazytime },
  iversion: { on: superblock.iversion },
  noiversion: { off: superblock.iversion },
  silent: { on: superblock.silent },
  loud: { off: superblock.silent },
};

const recursiveOptions: Readonly<Record<string, Effect>> = Object.fromEntries(
  Object.entries(attributeOptions).map(([name, { set, clear }]) => [`r${name}`, { set, clear } as Effect]),
);

const otherOptions = ['bind', 'rbind', 'remount', 'defaults', 'tmpcopyup', 'copy-symlink', 'idmap', 'ridmap'] as const;

/** Every option that tsrun itself understands; all others go to the filesystem (features.md, mountOptions). */
export const knownMountOptions: readonly string[] = [
  ...Object.keys({ ...attributeOptions, ...filesystemOptions, ...recursiveOptions }),
  ...Object.keys(propagationFlags).flatMap((name) => [name, `r${name}`]),
  ...otherOptions,
].sort();

/** A change of attributes and where it was asked for. */
export interface AttributeChange {
  set: number;
  clear: number;
  /** JSON pointers of the options. */
  from: string[];
}

export interface Propagation {
  readonly name: string;
  readonly flags: number;
  readonly recursive: boolean;
  readonly from: string;
}

/** An option that goes to the filesystem. */
export interface Parameter {
  readonly text: string;
  readonly from: string;
  /** One that every filesystem knows; what the others mean, only the filesystem can tell. */
  readonly generic: boolean;
}

/** A mount's options, sorted by what they mean. */
export interface MountOptions {
  bind: 'bind' | 'rbind' | undefined;
  remount: boolean;
  /** Pointer of `tmpcopyup`. */
  copyUp: string | undefined;
  /** Pointer of `copy-symlink`. */
  copyLink: string | undefined;
  idmap: { readonly recursive: boolean; readonly from: string } | undefined;
  readonly own: AttributeChange;
  readonly recursive: AttributeChange;
  readonly propagation: Propagation[];
  /** MS_* flags of the filesystem that are on in the end. */
  superblock: number;
  /** As fsconfig(2) takes them, in the listed order. */
  readonly parameters: Parameter[];
}

/** Sorts the options of the mount at the pointer `from`. */
export function sortOptions(options: readonly string[], from: string): MountOptions {
  const sorted: MountOptions = {
    bind: undefined,
    remount: false,
    copyUp: undefined,
    copyLink: undefined,
    idmap: undefined,
    own: { set: 0, clear: 0, from: [] },
    recursive: { set: 0, clear: 0, from: [] },
    propagation: [],
    superblock: 0,
    parameters: [],
  };
  options.forEach((option, index) => {
    // mount(2) takes nothing between two commas for nothing; podman has such an entry.
    if (option !== '') sortOption(sorted, option, `${from}/options/${index}`);
  });
  return sorted;
}

function sortOption(sorted: MountOptions, text: string, from: string): void {
  const effect = lookUp(attributeOptions, text) ?? lookUp(filesystemOptions, text);
  const recursive = lookUp(recursiveOptions, text);
  const propagation = propagationOf(text, from);
  if (effect !== undefined) applyEffect(sorted, effect, { text, from, generic: true });
  else if (recursive !== undefined) applyAttributes(sorted.recursive, recursive, from);
  else if (propagation !== undefined) sorted.propagation.push(propagation);
  else if (!sortOther(sorted, text, from)) sorted.parameters.push({ text, from, generic: false });
}

function applyEffect(sorted: MountOptions, effect: Effect, option: Parameter): void {
  if (effect.set !== undefined || effect.clear !== undefined) applyAttributes(sorted.own, effect, option.from);
  const { on = 0, off = 0 } = effect;
  sorted.superblock = (sorted.superblock & ~off) | on;
  if ((on | off) !== 0 && ((on | off) & byFlagOnly) === 0) sorted.parameters.push(option);
}

function applyAttributes(change: AttributeChange, { set = 0, clear = 0 }: Effect, from: string): void {
  change.set = (change.set & ~clear) | set;
  change.clear = (change.clear & ~set) | clear;
  // mount_setattr(2): the access time setting is cleared as a whole.
  if ((change.set | change.clear) & attr.atimeMask) change.clear |= attr.atimeMask;
  change.from.push(from);
}

function propagationOf(text: string, from: string): Propagation | undefined {
  const recursive = text.startsWith('r');
  const flags = lookUp(propagationFlags, recursive ? text.slice(1) : text);
  return flags === undefined ? undefined : { name: text, flags, recursive, from };
}

function sortOther(sorted: MountOptions, text: string, from: string): boolean {
  switch (text) {
    case 'bind':
    case 'rbind':
      sorted.bind = sorted.bind === 'rbind' ? 'rbind' : text;
      return true;
    case 'remount':
      sorted.remount = true;
      return true;
    case 'tmpcopyup':
      sorted.copyUp = from;
      return true;
    case 'copy-symlink':
      sorted.copyLink = from;
      return true;
    case 'idmap':
    case 'ridmap':
      sorted.idmap = { recursive: text === 'ridmap', from };
      return true;
    default:
      // `defaults` is what a mount has without options (mount(8)): there is nothing to do for it.
      return text === 'defaults';
  }
}

/** Whether only mount(2) can make a filesystem with these options. */
export function needsMountFlags(options: MountOptions): boolean {
  return (options.superblock & byFlagOnly) !== 0;
}

/** Options that a mount which shares its filesystem with others cannot have on its own; read-only it can. */
export function filesystemOnly({ superblock: flags }: MountOptions): string[] {
  return Object.entries(filesystemOptions)
    .filter(([, { on = 0 }]) => (flags & on) !== 0)
    .map(([name]) => name);
}

/** @throws TsrunError for an option of the filesystem where there is none to give it to */
export function refuseData({ parameters }: MountOptions, why: string): void {
  const first = parameters.find(({ generic }) => !generic);
  if (first === undefined) return;
  throw new TsrunError(`unknown mount option ${JSON.stringify(first.text)}; ${why}`, { about: first.from });
}

/** The value of an own property: options come from config.json, and `toString` is none. */
function lookUp<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
