import { TsrunError } from '../errors.ts';
import type { Op, UnitProperty } from '../generated/ops.ts';
import type { StringMap } from '../generated/spec.ts';
import { ioWeightOf, kernelNumber } from '../linux/cgroup-values.ts';
import { uint64 } from './property.ts';
import { parseVariant } from './variant.ts';

/** Files whose property is a 64-bit number or infinity, with the smallest number that systemd takes. */
const plainProperties: Readonly<Record<string, readonly [name: string, least: bigint]>> = {
  'memory.max': ['MemoryMax', 1n],
  'memory.high': ['MemoryHigh', 1n],
  'memory.low': ['MemoryLow', 0n],
  'memory.min': ['MemoryMin', 0n],
  'memory.swap.max': ['MemorySwapMax', 0n],
  'memory.zswap.max': ['MemoryZSwapMax', 0n],
  // With 1 init cannot fork, just as with 0, and the file itself has the 0.
  'pids.max': ['TasksMax', 1n],
};

/** Files that systemd writes anew whenever any property of the unit is set. */
export const systemdFiles: readonly string[] = [
  ...Object.keys(plainProperties),
  ...['memory.zswap.writeback', 'memory.oom.group', 'cpu.idle', 'cpu.weight', 'cpu.max', 'cpuset.cpus', 'cpuset.mems'],
  ...['io.weight', 'io.bfq.weight', 'io.max'],
];

/** For cpu.weight and io.weight (cgroup-v2.rst, Weights), and for their properties. */
const mostWeight = 10_000n;

const ioProperties: Readonly<Record<string, string>> = {
  rbps: 'IOReadBandwidthMax',
  wbps: 'IOWriteBandwidthMax',
  riops: 'IOReadIOPSMax',
  wiops: 'IOWriteIOPSMax',
};

/**
 * The limits of a container as properties of its unit. systemd rewrites its units' files at any time (at every
 * daemon-reload), and would undo limits that it does not know. It leaves files alone that have no property. A value
 * that the kernel refuses gets no property either: the error about the file names the place in the config.
 *
 * @param bfq whether cgroups have an io.bfq.weight, which then holds the weight of blockIO
 */
export function unitProperties(settings: readonly Op[], bfq: boolean): UnitProperty[] {
  return settings.flatMap((op) => ofSetting(op, bfq).map((property) => ({ ...property, from: op.from })));
}

function ofSetting(op: Op, bfq: boolean): UnitProperty[] {
  if (op.op !== 'set-io-weight') return op.op === 'write-cgroup-file' ? ofFile(op.file, op.value) : [];
  const weight = Number(op.weight);
  return [ioWeight(op.device, bfq ? unitWeightOfBfq(weight) : ioWeightOf(weight))];
}

/**
 * The property for memory.oom.group, which systemd accepts only when it makes the scope. If the kernel then kills a
 * process in the scope, systemd ends the whole scope, as the kernel does.
 */
export function oomPolicy(settings: readonly Op[]): UnitProperty[] {
  const group = settings.findLast((op) => op.op === 'write-cgroup-file' && op.file === 'memory.oom.group');
  const isSet = group?.op === 'write-cgroup-file' && group.value.trim() === '1';
  return isSet ? [{ name: 'OOMPolicy', type: 's', value: 'kill', from: group.from }] : [];
}

function ofFile(file: string, value: string): UnitProperty[] {
  const plain = plainProperties[file];
  if (plain !== undefined) return plainProperty(plain, kernelNumber(value, file.startsWith('memory.')));
  switch (file) {
    case 'cpu.weight':
      return weight('CPUWeight', kernelNumber(value, false));
    case 'cpu.max':
      return bandwidth(value);
    case 'cpu.idle':
      // To systemd, SCHED_IDLE is a weight of 0.
      return value.trim() === '1' ? [uint64('CPUWeight', '0')] : [];
    case 'cpuset.cpus':
      return bitMask('AllowedCPUs', value);
    case 'cpuset.mems':
      return bitMask('AllowedMemoryNodes', value);
    case 'io.max':
      return ioMax(value);
    case 'io.weight':
      return ioWeights(value, (weight) => weight);
    case 'io.bfq.weight':
      return ioWeights(value, unitWeightOfBfq);
    case 'memory.zswap.writeback':
      return [{ name: 'MemoryZSwapWriteback', type: 'b', value: value.trim() === '1' }];
    default:
      return [];
  }
}

function plainProperty([name, least]: readonly [string, bigint], value: bigint | 'max' | undefined): UnitProperty[] {
  if (value === undefined) return [];
  return [uint64(name, String(value === 'max' || value > least ? value : least))];
}

function weight(name: string, value: bigint | 'max' | undefined): UnitProperty[] {
  return typeof value === 'bigint' && value >= 1n && value <= mostWeight ? [uint64(name, String(value))] : [];
}

/** `QUOTA PERIOD` as microseconds of CPU per second. systemd keeps it in steps of 100 us; the file stays exact. */
function bandwidth(value: string): UnitProperty[] {
  const [, quota, period = '100000'] = /^\s*(max|\d{1,19})(?:\s+(\d{1,19}))?\s*$/.exec(value) ?? [];
  // The range that the kernel accepts (Documentation/scheduler/sched-bwc.rst).
  if (quota === undefined || Number(quota) < 1000 || Number(period) < 1000 || Number(period) > 1_000_000) return [];
  if (quota === 'max') return [uint64('CPUQuotaPerSecUSec', 'max')];
  // Rounded up, because the unit may not be below the value for the file.
  const perSecond = roundUp(BigInt(quota) * 1_000_000n, BigInt(period)) / BigInt(period);
  return [uint64('CPUQuotaPerSecUSec', roundUp(perSecond, 100n).toString()), uint64('CPUQuotaPeriodUSec', period)];
}

/** Rounds up to the next multiple. */
export function roundUp(number: bigint, step: bigint): bigint {
  return ((number + step - 1n) / step) * step;
}

/** More CPUs than any kernel can be built for. */
const mostBits = 65_535;

/** A list such as 0-3,7 as bits, lowest byte first. */
function bitMask(name: string, list: string): UnitProperty[] {
  // For other forms, which only the kernel knows, systemd leaves all CPUs of the slice.
  if (!/^[\d,\s-]*$/.test(list)) return [];
  const bytes: number[] = [];
  for (const range of list.split(',').filter((part) => part.trim() !== '')) {
    const [first = 0, last = first] = range.split('-').map(Number);
    if (last > mostBits)
      throw new TsrunError(`there is no CPU or memory node ${last}`, { about: '/linux/resources/cpu' });
    for (let bit = first; bit <= last; bit++) {
      while (bytes.length <= bit >> 3) bytes.push(0);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7));
    }
  }
  return [{ name, type: 'ay', value: bytes }];
}

/** A line of io.weight: `WEIGHT`, `default WEIGHT` or `MAJOR:MINOR WEIGHT`. */
function ioWeights(line: string, unitWeight: (weight: number) => number): UnitProperty[] {
  const words = line.trim().split(/\s+/);
  const [device = 'default', weight = ''] = words.length === 1 ? ['default', ...words] : words;
  // Other words, such as `default`, remove a device's own weight; systemd never had that one.
  const isWeight = /^\d{1,5}$/.test(weight) && Number(weight) >= 1 && Number(weight) <= mostWeight;
  return isWeight ? [ioWeight(device, unitWeight(Number(weight)))] : [];
}

/** The weight of a unit (1 to 10000) that systemd turns into this io.bfq.weight (1 to 1000); both default to 100. */
function unitWeightOfBfq(weight: number): number {
  return weight <= 100 ? weight : 100 + (weight - 100) * 11;
}

function ioWeight(device: string, weight: number): UnitProperty {
  if (device === 'default') return uint64('IOWeight', String(weight));
  return { name: 'IODeviceWeight', type: 'a(st)', value: [[`/dev/block/${device}`, String(weight)]] };
}

/** A line of io.max. */
function ioMax(line: string): UnitProperty[] {
  const [device = '', ...pairs] = line.trim().split(/\s+/);
  return pairs.flatMap((pair) => {
    const [key = '', value = ''] = pair.split('=');
    const name = ioProperties[key];
    if (name === undefined || !/^(max|\d{1,20})$/.test(value)) return [];
    return [{ name, type: 'a(st)', value: [[`/dev/block/${device}`, uint64(name, value).value]] }];
  });
}

export const annotationPrefix = 'org.systemd.property.';

/**
 * Annotations org.systemd.property.NAME: any property of the unit, with its value as GVariant text. NAMESec takes
 * seconds and sets NAMEUSec, as in unit files.
 *
 * @throws TsrunError for an invalid name or value
 */
export function annotatedProperties(annotations: StringMap): UnitProperty[] {
  return Object.entries(annotations)
    .filter(([key]) => key.startsWith(annotationPrefix))
    .map(([key, text]) => annotatedProperty(key.slice(annotationPrefix.length), text));
}

function annotatedProperty(name: string, text: string): UnitProperty {
  const from = `/annotations/${annotationPrefix}${name}`;
  if (!/^[A-Z][A-Za-z0-9]{2,}$/.test(name)) {
    throw new TsrunError(`not the name of a unit's property`, { about: from, hint: 'such as TimeoutStopUSec' });
  }
  try {
    const { type, value } = parseVariant(text);
    const property = /[^U]Sec$/.test(name) ? inMicroseconds(name, type, value) : { name, type, value };
    return { ...property, from };
  } catch (error) {
    if (!(error instanceof TsrunError)) throw error;
    throw new TsrunError(error.message, { about: from, hint: error.hint });
  }
}

function inMicroseconds(name: string, type: string, value: unknown): UnitProperty {
  if (!'ynqiuxtd'.includes(type) || Number(value) < 0) throw new TsrunError('expected a number of seconds');
  const microseconds = type === 'd' ? BigInt(Math.round(Number(value) * 1e6)) : BigInt(value as string) * 1_000_000n;
  return { name: name.replace(/Sec$/, 'USec'), type: 't', value: microseconds.toString() };
}
