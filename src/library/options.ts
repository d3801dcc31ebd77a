/** What callers give, and what workers get. */
import { isAbsolute, resolve } from 'node:path';
import { defaultRoot } from '../container/root.ts';
import { TsrunError } from '../errors.ts';
import type { Spec } from '../generated/spec.ts';
import type { CgroupManager } from '../lower/context.ts';
import type { CreateJob, Subject } from './jobs.ts';
import type { Stdio, StdioOptions } from './stdio.ts';

/** Of every call that may take a while. */
export interface Abortable {
  /** Gives the call up: it throws ABORT_ERR when what it had made is undone. */
  readonly signal?: AbortSignal | undefined;
}

/** Where the state of containers is; `tsrun --root` has the same default. */
export interface RootOption {
  /** A directory (default: /run/tsrun, or $XDG_RUNTIME_DIR/tsrun for an ordinary user). */
  readonly root?: string | undefined;
}

/** A bundle, or a config and the root filesystem that goes with it. */
export interface SubjectOptions {
  /** The bundle: a directory with config.json and the root filesystem. */
  readonly bundle?: string | undefined;
  /** A config in place of the bundle's config.json; without a bundle, paths in it count from the working directory. */
  readonly spec?: Spec | undefined;
  /** The root filesystem, in place of the one that `spec` names. */
  readonly rootfs?: string | undefined;
  /** The container's name (default: one that nobody has). */
  readonly id?: string | undefined;
  /** Who makes the cgroup (default: cgroupfs, which is tsrun itself). */
  readonly cgroupManager?: CgroupManager | undefined;
  /** Whether cgroups may be missing without an error (default: auto, which is for ordinary users). */
  readonly rootless?: 'true' | 'false' | 'auto' | undefined;
  /** MS_MOVE and chroot instead of pivot_root, for a root filesystem on a ramdisk. */
  readonly noPivot?: boolean | undefined;
  /** Keep this process's session keyring. */
  readonly noNewKeyring?: boolean | undefined;
}

export interface CreateOptions extends SubjectOptions, RootOption, Abortable {
  /** Standard streams (default: inherit). A container that is to outlive this process must not have pipes. */
  readonly stdio?: StdioOptions | undefined;
  /** Descriptors of this process that the container gets as 3, 4, … */
  readonly preserveFds?: readonly number[] | undefined;
  /** Path of a Unix socket that gets the master of the container's terminal, where /process/terminal asks for one. */
  readonly console?: string | undefined;
  /** Path of a Unix socket that gets a pidfd of the init process. */
  readonly pidfdSocket?: string | undefined;
  /** A file for the init process's pid. */
  readonly pidFile?: string | undefined;
}

let made = 0;

/** Of no other container on this host, but by intent. */
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
      // As its state directory has config.json, too.
      bundle: bundle === undefined ? resolve(root, id) : resolve(bundle),
      ...{ cgroupManager, noPivot, noNewKeyring },
      rootless: rootless ?? 'auto',
      preserveFds: descriptors - 3,
      pidFile: pidFile === undefined ? undefined : resolve(pidFile),
    },
  };
}

/** Without a bundle there is nothing else that a relative path could count from. */
function specOf({ bundle, spec, rootfs }: SubjectOptions): Spec | undefined {
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
