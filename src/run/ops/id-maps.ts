import { readFileSync, writeFileSync } from 'node:fs';
import { addon } from '../../addon.ts';
import { errorCode, systemHint, TsrunError } from '../../errors.ts';
import type { CheckIdMapsOp, WriteIdMapsOp } from '../../generated/ops.ts';
import { ownCapabilities } from '../../host/facts.ts';
import { hasCapability } from '../../linux/capabilities.ts';

type Kind = 'uid' | 'gid';

/**
 * Maps IDs in the new user namespace of process `pid`. Groups come first: newuidmap(1) looks only at the process's
 * owner, and a process without mapped groups is of no use to anyone.
 *
 * @throws TsrunError that names the mapping and, where newuidmap(1) refuses, subuid(5)
 */
export function writeIdMaps(op: WriteIdMapsOp, pid: number): void {
  if (op.denySetgroups) write(pid, 'gid', 'setgroups', 'deny');
  map(op.gids, op.gidHelper, 'gid', pid);
  map(op.uids, op.uidHelper, 'uid', pid);
}

function map(lines: readonly string[], helper: boolean, kind: Kind, pid: number): void {
  if (helper) return runHelper(kind, pid, lines);
  // One write, because the kernel takes the whole map at once.
  write(pid, kind, `${kind}_map`, `${lines.join('\n')}\n`);
}

function write(pid: number, kind: Kind, file: string, value: string): void {
  try {
    writeFileSync(`/proc/${pid}/${file}`, value);
  } catch (error) {
    throw new TsrunError(`cannot write ${file}: ${errorCode(error)}: ${value.trim()}`, {
      about: `/linux/${kind}Mappings`,
      hint: mapHint(errorCode(error), value),
    });
  }
}

/** The kernel says EPERM for a range that may not be mapped. */
export function mapHint(code: string, value: string, capabilities = ownCapabilities()): string | undefined {
  if (code !== 'EPERM') return systemHint({ code });
  return lacksSetfcap(value, capabilities)
    ? 'to map ID 0 of its own user namespace the runtime needs CAP_SETFCAP (Linux 5.12): give it to the container that tsrun runs in, or run tsrun as another user'
    : 'every hostID must be mapped in the runtime’s own user namespace too';
}

/**
 * user_namespaces(7): without CAP_SETFCAP, a process may not map the parent's root, as it could then give files
 * capabilities there.
 */
function lacksSetfcap(map: string, capabilities: bigint): boolean {
  const mapsRoot = map.split('\n').some((line) => line.split(' ')[1] === '0');
  return mapsRoot && !hasCapability(capabilities, 'CAP_SETFCAP');
}

/** @throws TsrunError with what the helper says */
function runHelper(kind: Kind, pid: number, lines: readonly string[]): void {
  const helper = `new${kind}map`;
  const at = `/linux/${kind}Mappings`;
  const { code, stderr } = start(at, helper, [String(pid), ...lines.flatMap((line) => line.split(' '))]);
  if (code === 0) return;
  throw new TsrunError(`${helper} refused ${lines.join(', ')}: ${stderr.trim() || 'it gave no reason'}`, {
    about: at,
    hint: helperHint(helper, kind, stderr),
  });
}

/** A hint for what shadow's helpers said. */
export function helperHint(helper: string, kind: Kind, said: string): string {
  if (/Operation not permitted/.test(said)) {
    return `${helper} has no privilege: it needs setuid root or file capabilities, a mount without nosuid, and no no_new_privs`;
  }
  return `each range of hostID must be yours in /etc/sub${kind}, or be your own ID`;
}

function start(at: string, helper: string, args: readonly string[]) {
  try {
    return addon().runProgram([helper, ...args]);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT')
      throw new TsrunError(`cannot start ${helper}: ${errorCode(error)}`, { about: at });
    throw new TsrunError(`needs ${helper}, which is not installed: an ordinary user may map one ID only`, {
      about: at,
      hint: 'install uidmap (shadow-utils), or map your own ID with size 1',
    });
  }
}

/** @throws TsrunError when the joined namespace maps other IDs than the config says */
export function checkIdMaps(op: CheckIdMapsOp, pid: number): void {
  for (const [kind, wanted] of [
    ['uid', op.uids],
    ['gid', op.gids],
  ] as const) {
    if (wanted.length === 0) continue;
    const found = readMap(pid, kind);
    if (sorted(found) === sorted(wanted)) continue;
    throw new TsrunError(`the joined user namespace maps ${found.join(', ')}, not ${wanted.join(', ')}`, {
      about: `/linux/${kind}Mappings`,
      hint: 'leave the mappings out: those of the namespace are used',
    });
  }
}

function readMap(pid: number, kind: Kind): string[] {
  const text = readFileSync(`/proc/${pid}/${kind}_map`, 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.trim().replaceAll(/\s+/g, ' '));
}

function sorted(lines: readonly string[]): string {
  return [...lines].sort().join('\n');
}
