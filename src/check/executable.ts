/** Whether the kernel can execute a file of a root filesystem (execve(2)); this includes the program that loads it. */
import { posix } from 'node:path';
import type { CheckContext } from './context.ts';
import { resolveInRootfs } from './rootfs.ts';

/** What keeps a program from running, and what to do about it. */
export interface Obstacle {
  readonly message: string;
  readonly hint?: string | undefined;
}

/** BINPRM_BUF_SIZE: how much the kernel reads of a script's first line. */
const scriptHead = 256;

/** How many interpreters of interpreters the kernel follows. */
const maxScripts = 5;

/** e_machine of the programs that the kernel itself runs, for each of Node's architectures, with its 32-bit variant. */
const machines: Readonly<Record<string, readonly number[]>> = { x64: [62, 3], arm64: [183, 40] };

const machineNames: Readonly<Record<number, string>> = {
  3: '32-bit x86',
  8: 'MIPS',
  21: '64-bit POWER',
  22: 'IBM Z',
  40: '32-bit ARM',
  62: 'x86-64',
  183: '64-bit ARM',
  243: 'RISC-V',
  258: 'LoongArch',
};

/** @param path of an existing file in the container */
export function obstacleTo(context: CheckContext, path: string, depth = 0): Obstacle | undefined {
  const found = resolveInRootfs(context.rootfs, path);
  const head = found && context.probe.head(found.outside, scriptHead);
  // It cannot be looked at from here, or not by this user: running it will show.
  if (head === undefined || depth > maxScripts) return undefined;
  if (isElf(head)) return elfObstacle(context, path, found?.outside ?? '', head);
  const text = latin1(head);
  if (text.startsWith('#!')) return scriptObstacle(context, path, text, depth);
  if (hasHandlers(context)) return undefined;
  return {
    message: `${path} is neither an ELF program nor a script with #!`,
    hint: head.length === 0 ? 'it is empty' : 'a script needs a first line such as #!/bin/sh',
  };
}

function scriptObstacle(context: CheckContext, path: string, text: string, depth: number): Obstacle | undefined {
  const [line = ''] = text.slice(2).split('\n');
  // The kernel knows no other white space, so the \r of a Windows line end stays in the name.
  const [interpreter = ''] = line.replace(/^[ \t]+/, '').split(/[ \t]/);
  if (interpreter === '') return { message: `the first line of ${path} names no interpreter after #!` };
  const hint = line.endsWith('\r')
    ? 'its lines end as on Windows: with a carriage return, which is part of the name'
    : `the first line of ${path} names it: install it in the root filesystem`;
  // The kernel resolves a relative path from the working directory.
  const inside = posix.resolve(context.spec.process?.cwd ?? '/', interpreter);
  return missing(context, inside, `interpreter ${JSON.stringify(interpreter)} of ${path}`, hint, depth);
}

function missing(context: CheckContext, path: string, what: string, hint: string, depth: number): Obstacle | undefined {
  const state = stateOf(context, path);
  if (state === 'absent') return { message: `the ${what} is not in the root filesystem`, hint };
  if (state === 'no program') return { message: `the ${what} is not an executable file`, hint };
  return state === 'program' ? obstacleTo(context, path, depth + 1) : undefined;
}

export type State = 'program' | 'no program' | 'directory' | 'absent' | 'unknown';

/** What is at a path of the container; unknown where a mount may provide it, or this user may not look. */
export function stateOf({ spec, rootfs, probe }: CheckContext, path: string): State {
  const destinations = (spec.mounts ?? []).map(({ destination }) => posix.resolve('/', destination));
  const isMounted = (at: string) => destinations.some((mount) => at === mount || at.startsWith(`${mount}/`));
  const found = resolveInRootfs(rootfs, path);
  if (isMounted(path) || (found !== undefined && isMounted(found.inside))) return 'unknown';
  const kind = found === undefined ? 'missing' : probe.kindOf(found.outside);
  const states = { program: 'program', missing: 'absent', unreachable: 'unknown', directory: 'directory' } as const;
  return kind === 'file' || kind === 'other' ? 'no program' : states[kind];
}

/** Whether binfmt_misc runs other kinds of programs here, such as qemu's. */
function hasHandlers({ probe }: CheckContext): boolean {
  return probe.names('/proc/sys/fs/binfmt_misc').some((name) => name !== 'register' && name !== 'status');
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

const elfMagic = [0x7f, 0x45, 0x4c, 0x46];

function isElf(head: Uint8Array): boolean {
  return elfMagic.every((byte, index) => head[index] === byte);
}

function elfObstacle(context: CheckContext, path: string, outside: string, head: Uint8Array): Obstacle | undefined {
  const isLittle = head[5] === 1;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length < 64) return { message: `${path} is an ELF program that is cut off` };
  const machine = view.getUint16(18, isLittle);
  const own = machines[process.arch];
  if (own !== undefined && !own.includes(machine)) {
    if (hasHandlers(context)) return undefined;
    const name = machineNames[machine] ?? `machine ${machine}`;
    return {
      message: `${path} is a program for ${name}, and this machine is ${machineNames[own[0] ?? 0]}`,
      hint: 'take the image of this architecture, or have binfmt_misc run the others with qemu',
    };
  }
  const interpreter = interpreterOf(context, outside, view, isLittle);
  if (interpreter === undefined) return undefined;
  const hint =
    'it is linked against a C library that the root filesystem does not have: link it statically, or add that';
  // The loader of a program is itself a program and not a script: there is nothing more to check.
  return missing(context, interpreter, `ELF interpreter ${interpreter} of ${path}`, hint, maxScripts);
}

/** The path in PT_INTERP (elf(5)); undefined for a static program. */
function interpreterOf(
  { probe }: CheckContext,
  outside: string,
  view: DataView,
  isLittle: boolean,
): string | undefined {
  const is64 = view.getUint8(4) === 2;
  const table = is64 ? Number(view.getBigUint64(32, isLittle)) : view.getUint32(28, isLittle);
  const size = view.getUint16(is64 ? 54 : 42, isLittle);
  const count = view.getUint16(is64 ? 56 : 44, isLittle);
  const most = 1 << 20;
  if (size < 32 || table > most) return undefined;
  const bytes = probe.head(outside, table + size * count);
  if (bytes === undefined || bytes.length < table + size * count) return undefined;
  const headers = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = table; at < table + size * count; at += size) {
    if (headers.getUint32(at, isLittle) !== 3) continue;
    const offset = is64 ? Number(headers.getBigUint64(at + 8, isLittle)) : headers.getUint32(at + 4, isLittle);
    const length = is64 ? Number(headers.getBigUint64(at + 32, isLittle)) : headers.getUint32(at + 16, isLittle);
    if (offset > most || length > 4096) return undefined;
    const text = probe.head(outside, offset + length)?.subarray(offset);
    return text && latin1(text).replace(/\0.*$/s, '');
  }
  return undefined;
}
