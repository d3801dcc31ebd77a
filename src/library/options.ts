/** The options of callers, and what workers get of them. */
import { isAbsolute, resolve } from 'node:path';
import { defaultRoot } from '../container/root.ts';
import { TsrunError } from '../errors.ts';
import type { Spec } from '../generated/spec.ts';
import type { CgroupManager } from '../lower/context.ts';
import { may, oneOf, ownCopy, type Shape } from './arguments.ts';
import type { CreateJob, Subject } from './jobs.ts';
import type { Stdio, StdioOptions } from './stdio.ts';

/** Options of every call that may take a while. */
export interface Abortable {
  /** Aborts the call: it throws ABORT_ERR once what it had made is undone. */
  readonly signal?: AbortSignal | undefined;
}

/** Where the state of containers is; `tsrun --root` has the same default. */
export interface RootOption {
  /** A directory (default: /run/tsrun, or $XDG_RUNTIME_DIR/tsrun for an ordinary user). */
  readonly root?: string | undefined;
}

/** A bundle, or a config and the root filesystem for it. */
export interface SubjectOptions {
  /** The bundle: a directory with config.json and the root filesystem. */
  readonly bundle?: string | undefined;
  /**
   * A config to use instead of the bundle's config.json. Without a bundle, its relative paths start at the working
   * directory.
   */
  readonly spec?: Spec | undefined;
  /** The root filesystem, instead of the one that `spec` names. */
  readonly rootfs?: string | undefined;
  /** The container's name (default: a new one). */
  readonly id?: string | undefined;
  /** Who makes the cgroup (default: cgroupfs, which is tsrun itself). */
  readonly cgroupManager?: CgroupManager | undefined;
  /** Whether a missing cgroup is no error (default: auto, which means for ordinary users). */
  readonly rootless?: 'true' | 'false' | 'auto' | undefined;
  /** MS_MOVE and chroot instead of pivot_root, for a root filesystem on a ramdisk. */
  readonly noPivot?: boolean | undefined;
  /** Keep this process's session keyring. */
  readonly noNewKeyring?: boolean | undefined;
}

export interface CreateOptions extends SubjectOptions, RootOption, Abortable {
  /** Standard streams (default: inherit). A container that outlives this process must not have pipes. */
  readonly stdio?: StdioOptions | undefined;
  /** Descriptors of this process that the container gets as 3, 4, … */
  readonly preserveFds?: readonly number[] | undefined;
  /** Path of a Unix socket that gets the master of the container's terminal, if /process/terminal asks for one. */
  readonly console?: string | undefined;
  /** Path of a Unix socket that gets a pidfd of the init process. */
  readonly pidfdSocket?: string | undefined;
  /** A file for the init process's pid. */
  readonly pidFile?: string | undefined;
}

export const abortable: Shape<Abortable> = { signal: may.signal };

const subjectShape: Shape<SubjectOptions> = {
  ...{ bundle: may.path, spec: may.object, rootfs: may.path, id: may.text },
  cgroupManager: oneOf('cgroupfs', 'systemd', 'disabled'),
  rootless: oneOf('true', 'false', 'auto'),
  ...{ noPivot: may.flag, noNewKeyring: may.flag },
};

/** Of plan and check. */
export const questionShape: Shape<SubjectOptions & Abortable> = { ...subjectShape, ...abortable };

export const rootShape: Shape<RootOption & Abortable> = { root: may.path, ...abortable };

export const createShape: Shape<CreateOptions> = {
  ...{ ...subjectShape, ...rootShape },
  ...{ stdio: may.stdio, preserveFds: may.numbers },
  ...{ console: may.path, pidfdSocket: may.path, pidFile: may.path },
};

/** The longest time, in milliseconds, that a timer of Node's waits; a longer one ends after 1 ms. */
export const longestTimer = 2 ** 31 - 1;

/** @throws TsrunError `EINVALIDARG` */
export function milliseconds(name: string, value: number): number {
  if ((value >= 0 && value <= longestTimer) || value === Number.POSITIVE_INFINITY) return value;
  const message = `${name}: expected milliseconds up to ${longestTimer}, or Infinity, found ${value}`;
  throw new TsrunError(message, { code: 'EINVALIDARG' });
}

let made = 0;

/** A name that no other container on this host has, except on purpose. */
export function newId(): string {
  return `${process.pid.toString(36)}-${process.hrtime.bigint().toString(36)}-${++made}`;
}

export function rootOf({ root }: RootOption): string {
  return root === undefined ? defaultRoot() : resolve(root);
}

export function subjectOf(options: SubjectOptions, root: string, descriptors = 3, pidFile?: string): Subject {
  const { bundle, id = newId(), cgroupManager, rootless, noPivot = false, noNewKeyring = false } = options;
  const spec = specOf(options);
  if (bundle === undefined && spec === undefined) {
    throw new TsrunError('a container needs a bundle, or a spec', { code: 'EINVALIDARG' });
  }
  return {
    spec,
    lowering: {
      id,
      // The state directory serves as a bundle, as it also has a config.json.
      bundle: bundle === undefined ? resolve(root, id) : resolve(bundle),
      ...{ cgroupManager, noPivot, noNewKeyring },
      rootless: rootless ?? 'auto',
      preserveFds: descriptors - 3,
      pidFile: pidFile === undefined ? undefined : resolve(pidFile),
    },
  };
}

/** Makes relative paths absolute: without a bundle they can only start at the working directory. */
function specOf({ bundle, spec: given, rootfs }: SubjectOptions): Spec | undefined {
  const spec = given && ownCopy(given, 'spec');
  const path = rootfs ?? spec?.root?.path;
  if (spec === undefined || path === undefined) {
    if (rootfs === undefined) return spec;
    throw new TsrunError('rootfs: goes with a spec', { code: 'EINVALIDARG' });
  }
  const isWhole = bundle !== undefined && rootfs === undefined;
  return { ...spec, root: { ...spec.root, path: isWhole || isAbsolute(path) ? path : resolve(path) } };
}

export function createJob(options: CreateOptions, root: string, descriptors: readonly number[]): CreateJob {
  return {
    ...subjectOf(options, root, descriptors.length, options.pidFile),
    root,
    consoleSocket: options.console === undefined ? undefined : resolve(options.console),
    pidfdSocket: options.pidfdSocket === undefined ? undefined : resolve(options.pidfdSocket),
    descriptors,
  };
}

export function withPreserved(stdio: StdioOptions | undefined, preserved: readonly number[] = []): StdioOptions {
  if (preserved.length === 0) return stdio ?? [];
  const list: (Stdio | undefined)[] = typeof stdio === 'object' ? [...stdio] : [stdio, stdio, stdio];
  while (list.length < 3) list.push(undefined);
  return [...list, ...preserved];
}
