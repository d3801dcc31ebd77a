import { join } from 'node:path';
import { TsrunError } from '../../errors.ts';
import type { Op } from '../../generated/ops.ts';
import type { LinuxIntelRdt } from '../../generated/spec.ts';
import type { ResctrlFacts } from '../../host/resctrl.ts';
import type { Context } from '../context.ts';

const at = '/linux/intelRdt';

/** Names in resctrl's root that are not groups. */
const reserved: ReadonlySet<string> = new Set(['info', 'mon_data', 'mon_groups']);

/**
 * config-linux.md, IntelRdt. A process that joins the container joins its existing group.
 *
 * @throws TsrunError when resctrl is not mounted, or the processor lacks what is asked for
 */
export function lowerIntelRdt(context: Context, { joining = false } = {}): Op[] {
  const intelRdt = context.linux.intelRdt;
  if (intelRdt === undefined) return [];
  const resctrl = demandResctrl(context);
  const writes = schemataWrites(intelRdt, resctrl);
  const directory = groupDirectory(intelRdt.closID, context.options.id, resctrl);
  return [
    {
      op: 'join-resctrl',
      by: 'runtime',
      from: at,
      mount: resctrl.mount,
      directory,
      // "If closID is set, and none of l3CacheSchema, memBwSchema or schemata are set", the group must exist.
      mustExist: joining || (Boolean(intelRdt.closID) && writes.length === 0) || directory === resctrl.mount,
      schemata: joining ? [] : writes,
      monitoring: monitoringDirectory(intelRdt, directory, context.options.id, resctrl),
    },
  ];
}

function demandResctrl({ host }: Context): ResctrlFacts {
  if (host.resctrl !== null) return host.resctrl;
  throw new TsrunError('the resctrl filesystem is not mounted', {
    about: at,
    hint: 'mount -t resctrl resctrl /sys/fs/resctrl, if processor and kernel support it',
  });
}

/** `/` means the default group, which is resctrl's root. */
function groupDirectory(closID: string | undefined, id: string, { mount }: ResctrlFacts): string {
  const name = closID || id;
  if (name === '/') return mount;
  if (reserved.has(name)) throw new TsrunError(`resctrl reserves ${name} for itself`, { about: `${at}/closID` });
  return join(mount, name);
}

/** The writes to the schemata file, one line each: the schemas of L3 and MB first, then `schemata`. */
function schemataWrites(intelRdt: LinuxIntelRdt, resctrl: ResctrlFacts): string[] {
  const { l3CacheSchema = '', memBwSchema = '', schemata = [] } = intelRdt;
  // If there is a memBwSchema, it replaces the MB: lines of l3CacheSchema.
  const l3 = linesOf(l3CacheSchema).filter((line) => memBwSchema === '' || !line.startsWith('MB:'));
  const memory = linesOf(memBwSchema);
  const lines = schemata.flatMap(linesOf);
  demandResources(l3, `${at}/l3CacheSchema`, resctrl);
  demandResources(memory, `${at}/memBwSchema`, resctrl);
  demandResources(lines, `${at}/schemata`, resctrl);
  return [[...l3, ...memory], lines].filter((group) => group.length > 0).map((group) => `${group.join('\n')}\n`);
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function demandResources(lines: readonly string[], pointer: string, { resources }: ResctrlFacts): void {
  for (const line of lines) {
    const [name = ''] = line.split(':', 1);
    if (resources.includes(name.trim())) continue;
    throw new TsrunError(`this host has no resource ${JSON.stringify(name)}, only ${resources.join(', ')}`, {
      about: pointer,
    });
  }
}

function monitoringDirectory(
  { enableMonitoring }: LinuxIntelRdt,
  directory: string,
  id: string,
  { monitoring }: ResctrlFacts,
): string | null {
  if (enableMonitoring !== true) return null;
  if (!monitoring) throw new TsrunError(`this host's resctrl cannot monitor`, { about: `${at}/enableMonitoring` });
  return join(directory, 'mon_groups', id);
}
