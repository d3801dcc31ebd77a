import { TsrunError } from '../../errors.ts';
import { attr, propagationFlags, superblock } from '../../linux/mount-constants.ts';

/** Flags that have no parameter in fsconfig(2). */
const byFlagOnly = superblock.silent | superblock.iversion;

/** What an option does to the mount's attributes and to the filesystem's flags; a later option wins. */
interface Effect {
  readonly set?: number;
  readonly clear?: number;
  readonly on?: number;
  readonly off?: number;
}

/** Options of one mount (config.md, Linux mount options); with the prefix r they also apply to all mounts below it. */
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
  // Does nothing: the kernel has no mount that is neither relatime, noatime nor strictatime.
  norelatime: {},
  strictatime: { set: attr.strictatime, clear: attr.atimeMask },
  nostrictatime: { clear: attr.strictatime },
  nodiratime: { set: attr.nodiratime },
  diratime: { clear: attr.nodiratime },
  nosymfollow: { set: attr.nosymfollow },
  symfollow: { clear: attr.nosymfollow },
};

/** Options of the filesystem; they affect all of its mounts. */
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

/** All flags that one of them sets. */
const filesystemFlags = Object.values(filesystemOptions).reduce((all, { on = 0 }) => all | on, 0);

const recursiveOptions: Readonly<Record<string, Effect>> = Object.fromEntries(
  Object.entries(attributeOptions).map(([name, { set, clear }]) => [`r${name}`, { set, clear } as Effect]),
);

const otherOptions = ['bind', 'rbind', 'remount', 'defaults', 'tmpcopyup', 'copy-symlink', 'idmap', 'ridmap'] as const;

/** Every option that tsrun itself understands; all others are passed to the filesystem (features.md, mountOptions). */
export const knownMountOptions: readonly string[] = [
  ...Object.keys({ ...attributeOptions, ...filesystemOptions, ...recursiveOptions }),
  ...Object.keys(propagationFlags).flatMap((name) => [name, `r${name}`]),
  ...otherOptions,
].sort();

/** A change of attributes, and the options that asked for it. */
export interface AttributeChange {
  set: number;
  clear: number;
  /** How many options asked for it. */
  asked: number;
  /** Index of the last of them; -1 without one. */
  last: number;
}

export interface Propagation {
  readonly name: string;
  readonly flags: number;
  readonly recursive: boolean;
  readonly from: string;
}

/** An option that is passed to the filesystem. */
export interface Parameter {
  readonly text: string;
  /** Index of the option. */
  readonly option: number;
  /** Whether every filesystem knows it; only the filesystem itself knows what the others mean. */
  readonly generic: boolean;
}

/** A mount's options, sorted by what they mean. */
export interface MountOptions {
  bind: 'bind' | 'rbind' | undefined;
  remount: boolean;
  /** JSON pointer of `tmpcopyup`. */
  copyUp: string | undefined;
  /** JSON pointer of `copy-symlink`. */
  copyLink: string | undefined;
  idmap: { readonly recursive: boolean; readonly from: string } | undefined;
  readonly own: AttributeChange;
  readonly recursive: AttributeChange;
  propagation: Propagation[];
  /** The filesystem's MS_* flags that are set in the end. */
  superblock: number;
  /** In the form for fsconfig(2), in the listed order. */
  parameters: Parameter[];
}

/** Whether they hold no pointer, so that another mount with the same list of options can have them, too. */
export function areShareable({ copyUp, copyLink, idmap, propagation }: MountOptions): boolean {
  return copyUp === undefined && copyLink === undefined && idmap === undefined && propagation.length === 0;
}

/** Never changed: most mounts need no list of their own. */
const noPropagation: Propagation[] = [];
const noParameters: Parameter[] = [];

/** Sorts the options of the mount at the pointer `from`. */
export function sortOptions(options: readonly string[], from: string): MountOptions {
  const sorted: MountOptions = {
    bind: undefined,
    remount: false,
    copyUp: undefined,
    copyLink: undefined,
    idmap: undefined,
    own: { set: 0, clear: 0, asked: 0, last: -1 },
    recursive: { set: 0, clear: 0, asked: 0, last: -1 },
    propagation: noPropagation,
    superblock: 0,
    parameters: noParameters,
  };
  // A config may have hundreds of mounts, and most options need no pointer: it is made where one is wanted.
  for (let index = 0; index < options.length; index++) {
    const option = options[index] as string;
    // mount(2) ignores an empty option between two commas; podman writes such an entry.
    if (option !== '') sortOption(sorted, option, from, index);
  }
  return sorted;
}

/** What each option means, found with one look-up because a config may have thousands of them. */
type Meaning =
  | { readonly kind: 'effect' | 'recursive'; readonly effect: Effect }
  | { readonly kind: 'propagation'; readonly flags: number; readonly recursive: boolean }
  | { readonly kind: (typeof otherOptions)[number] };

const meanings: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ...otherOptions.map((kind) => [kind, { kind }] as const),
  ...Object.entries(propagationFlags).flatMap(([name, flags]) => [
    [name, { kind: 'propagation', flags, recursive: false }] as const,
    [`r${name}`, { kind: 'propagation', flags, recursive: true }] as const,
  ]),
  ...Object.entries(recursiveOptions).map(([name, effect]) => [name, { kind: 'recursive', effect }] as const),
  ...Object.entries({ ...filesystemOptions, ...attributeOptions }).map(
    ([name, effect]) => [name, { kind: 'effect', effect }] as const,
  ),
]);

/** JSON pointer of the option with this index in the mount at the pointer `from`. */
export function optionPointer(from: string, index: number): string {
  return `${from}/options/${index}`;
}

function addParameter(sorted: MountOptions, parameter: Parameter): void {
  if (sorted.parameters === noParameters) sorted.parameters = [];
  sorted.parameters.push(parameter);
}

function sortOption(sorted: MountOptions, text: string, from: string, index: number): void {
  const meaning = meanings.get(text);
  if (meaning === undefined) {
    return addParameter(sorted, { text, option: index, generic: false });
  }
  switch (meaning.kind) {
    case 'effect':
      return applyEffect(sorted, meaning.effect, text, index);
    case 'recursive':
      return applyAttributes(sorted.recursive, meaning.effect, index);
    case 'propagation': {
      const { flags, recursive } = meaning;
      if (sorted.propagation === noPropagation) sorted.propagation = [];
      sorted.propagation.push({ name: text, flags, recursive, from: optionPointer(from, index) });
      return;
    }
    case 'bind':
    case 'rbind':
      sorted.bind = sorted.bind === 'rbind' ? 'rbind' : meaning.kind;
      return;
    case 'remount':
      sorted.remount = true;
      return;
    case 'tmpcopyup':
      sorted.copyUp = optionPointer(from, index);
      return;
    case 'copy-symlink':
      sorted.copyLink = optionPointer(from, index);
      return;
    case 'idmap':
    case 'ridmap':
      sorted.idmap = { recursive: meaning.kind === 'ridmap', from: optionPointer(from, index) };
      return;
    case 'defaults':
      // A mount has this by default (mount(8)), so there is nothing to do.
      return;
  }
}

function applyEffect(sorted: MountOptions, effect: Effect, text: string, index: number): void {
  const { set, clear, on = 0, off = 0 } = effect;
  if (set !== undefined || clear !== undefined) applyAttributes(sorted.own, effect, index);
  if ((on | off) === 0) return;
  sorted.superblock = (sorted.superblock & ~off) | on;
  if (((on | off) & byFlagOnly) === 0) addParameter(sorted, { text, option: index, generic: true });
}

function applyAttributes(change: AttributeChange, { set = 0, clear = 0 }: Effect, index: number): void {
  change.set = (change.set & ~clear) | set;
  change.clear = (change.clear & ~set) | clear;
  // mount_setattr(2): the access time setting can only be cleared as a whole.
  if ((change.set | change.clear) & attr.atimeMask) change.clear |= attr.atimeMask;
  change.asked++;
  change.last = index;
}

/** Whether only mount(2) can make a filesystem with these options. */
export function needsMountFlags(options: MountOptions): boolean {
  return (options.superblock & byFlagOnly) !== 0;
}

/**
 * Options that a mount cannot have on its own if it shares its filesystem with others; being read-only is none of
 * these.
 */
export function filesystemOnly({ superblock: flags }: MountOptions): string[] {
  if ((flags & filesystemFlags) === 0) return [];
  return Object.entries(filesystemOptions)
    .filter(([, { on = 0 }]) => (flags & on) !== 0)
    .map(([name]) => name);
}

/** @throws TsrunError for a filesystem option where there is no filesystem to give it to */
export function refuseData({ parameters }: MountOptions, from: string, why: string): void {
  const first = parameters.find(({ generic }) => !generic);
  if (first === undefined) return;
  throw new TsrunError(`unknown mount option ${JSON.stringify(first.text)}; ${why}`, {
    about: optionPointer(from, first.option),
  });
}
