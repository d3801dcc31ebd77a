import { TsrunError } from '../../errors.ts';
import type { Op } from '../../generated/ops.ts';
import { layersOfLowerdir } from '../../linux/overlay.ts';
import type { Context } from '../context.ts';
import { mountLabelParameters } from '../process/labels.ts';
import { attachOps, attributeOps } from './mount-ops.ts';
import { needsMountFlags } from './mount-options.ts';
import type { MountRequest } from './mount-request.ts';

/** The longest key or value that fsconfig(2) takes, in bytes. */
const longestValue = 255;
/** The longest text that mount(2) takes for all options together, in bytes: a page with its NUL. */
const longestData = 4095;

/**
 * Whether only mount(2) can make this filesystem, because of its flags, or because a value is too long for fsconfig(2).
 */
export function needsMountCall({ options, mount }: MountRequest): boolean {
  return (
    needsMountFlags(options) || isLong(mount.source ?? '') || options.parameters.some(({ text }) => isTooLong(text))
  );
}

/** Whether a parameter is too long for fsconfig(2). */
export function isTooLong(parameter: string): boolean {
  if (isSurelyShort(parameter)) return false;
  const equals = parameter.indexOf('=');
  if (equals < 0) return isLong(parameter);
  return isLong(parameter.slice(0, equals)) || isLong(parameter.slice(equals + 1));
}

function isLong(text: string): boolean {
  return text.length > longestValue || (!isSurelyShort(text) && Buffer.byteLength(text) > longestValue);
}

/** A character takes at most three bytes for each unit of its length. */
function isSurelyShort(text: string): boolean {
  return text.length * 3 <= longestValue;
}

/** Makes a new filesystem with mount(2), which says less about what it refuses. */
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
 * Splits a long `lowerdir` of an overlay into one parameter for each directory; their total length has no limit.
 *
 * @returns undefined for a kernel or a value that cannot be split
 */
export function layersOf({ host }: Pick<Context, 'host'>, parameter: string): string[] | undefined {
  const { major, minor } = host.kernel;
  if (!parameter.startsWith('lowerdir=') || major < 6 || (major === 6 && minor < 8)) return undefined;
  const { lower, data } = layersOfLowerdir(parameter.slice('lowerdir='.length));
  const layers = [...lower.map((path) => `lowerdir+=${path}`), ...data.map((path) => `datadir+=${path}`)];
  return layers.some(isTooLong) ? undefined : layers;
}
