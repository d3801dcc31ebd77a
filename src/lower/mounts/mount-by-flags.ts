import { TsrunError } from '../../errors.ts';
import type { Op } from '../../generated/ops.ts';
import type { Context } from '../context.ts';
import { mountLabelParameters } from '../process/labels.ts';
import { attachOps, attributeOps } from './mount-ops.ts';
import { needsMountFlags } from './mount-options.ts';
import type { MountRequest } from './mount-request.ts';

/** Bytes of a key or a value that fsconfig(2) takes. */
const longestValue = 255;
/** Bytes that mount(2) takes for all options together: a page with its NUL. */
const longestData = 4095;

/** Whether only mount(2) can make this filesystem: for its flags, or as it takes more than fsconfig(2) for a value. */
export function needsMountCall({ options, mount }: MountRequest): boolean {
  return (
    needsMountFlags(options) || isLong(mount.source ?? '') || options.parameters.some(({ text }) => isTooLong(text))
  );
}

/** Whether fsconfig(2) refuses a parameter for its length. */
export function isTooLong(parameter: string): boolean {
  const equals = parameter.indexOf('=');
  if (equals < 0) return isLong(parameter);
  return isLong(parameter.slice(0, equals)) || isLong(parameter.slice(equals + 1));
}

function isLong(text: string): boolean {
  return text.length > longestValue || (text.length * 3 > longestValue && Buffer.byteLength(text) > longestValue);
}

/** A new filesystem through mount(2), which tells less of what it refuses. */
export function lowerByFlags(context: Context, request: MountRequest, type: string): Op[] {
  const { options, from, destination, mount } = request;
  if (options.copyUp !== undefined || options.idmap !== undefined || mount.uidMappings?.length) {
    const what = needsMountFlags(options) ? 'iversion and silent' : 'values of more than 255 bytes';
    throw new TsrunError(`${what} cannot be combined with tmpcopyup or idmap`, { about: `${from}/options` });
  }
  const own = options.parameters.filter(({ generic }) => !generic).map(({ text }) => text);
  const data = [...own, ...mountLabelParameters(context, type)].join(',');
  const size = Buffer.byteLength(data);
  if (size > longestData) {
    throw new TsrunError(`mount(2) takes ${longestData} bytes of options, found ${size}`, {
      about: `${from}/options`,
      hint: type === 'overlay' ? 'fewer or shorter directories in lowerdir' : undefined,
    });
  }
  return [
    {
      op: 'mount-by-flags',
      by: 'init',
      from,
      destination: destination.path,
      type,
      source: mount.source ?? '',
      flags: options.superblock,
      data,
      modeFromDestination: type === 'tmpfs' && !own.some((text) => text.startsWith('mode=')),
    },
    ...attributeOps(request, options.own, false),
    ...attributeOps(request, options.recursive, true),
    ...attachOps(context, request),
  ];
}

/**
 * A long `lowerdir` of an overlay as one parameter for each directory, which has no limit for them together.
 *
 * @returns undefined for a kernel or a value that does not have them
 */
export function layersOf({ host }: Context, parameter: string): string[] | undefined {
  const { major, minor } = host.kernel;
  if (!parameter.startsWith('lowerdir=') || major < 6 || (major === 6 && minor < 8)) return undefined;
  // Between the data-only layers, which follow the others, are two colons (overlayfs.rst).
  const [lower = '', ...data] = parameter.slice('lowerdir='.length).split(/(?<!\\)::/);
  const layers = [
    ...lower.split(/(?<!\\):/).map((path) => `lowerdir+=${unescaped(path)}`),
    ...data.map((path) => `datadir+=${unescaped(path)}`),
  ];
  return layers.some(isTooLong) ? undefined : layers;
}

/** Colons and commas mean nothing in a parameter of one directory. */
function unescaped(path: string): string {
  return path.replace(/\\(.)/gs, '$1');
}
