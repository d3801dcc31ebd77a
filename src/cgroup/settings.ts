import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, systemHint, TsrunError } from '../errors.ts';
import type { CheckMemoryUseOp, Op, SetIoWeightOp, WriteCgroupFileOp } from '../generated/ops.ts';
import { ioWeightOf } from '../linux/cgroup-values.ts';
import { errnoWords } from '../linux/errno.ts';
import { writeAtOnce } from '../write.ts';

/** The ops that lowerResources makes. */
export type SettingOp = WriteCgroupFileOp | SetIoWeightOp | CheckMemoryUseOp;

export function isSettingOp(op: Op): op is SettingOp {
  return op.op === 'write-cgroup-file' || op.op === 'set-io-weight' || op.op === 'check-memory-use';
}

/**
 * Carries out one setting.
 *
 * @param directory the container's cgroup
 * @throws TsrunError that names property, file, value and the kernel's answer
 */
export function applySetting(directory: string, op: SettingOp): void {
  switch (op.op) {
    case 'write-cgroup-file':
      return writeCgroupFile(directory, op.file, op.value, op.from);
    case 'set-io-weight':
      return setIoWeight(directory, op);
    case 'check-memory-use':
      return checkMemoryUse(directory, op);
  }
}

/**
 * Carries out settings on a running container. One that the kernel finds inconsistent (a quota below the old burst) is
 * tried again after the rest, which may have made room for it.
 *
 * @throws TsrunError for the first one still refused
 */
export function applySettings(directory: string, ops: readonly SettingOp[]): void {
  const refused: SettingOp[] = [];
  for (const op of ops) {
    try {
      applySetting(directory, op);
    } catch (error) {
      const { cause } = error as { cause?: NodeJS.ErrnoException };
      if (cause?.code !== 'EINVAL') throw error;
      refused.push(op);
    }
  }
  for (const op of refused) applySetting(directory, op);
}

function writeCgroupFile(directory: string, file: string, value: string, from: string): void {
  try {
    writeAtOnce(join(directory, file), value);
  } catch (error) {
    throw writeFailed(file, value, from, error as NodeJS.ErrnoException);
  }
}

function setIoWeight(directory: string, { device, weight, from }: SetIoWeightOp): void {
  const value = Number(weight);
  try {
    writeAtOnce(join(directory, 'io.bfq.weight'), `${device} ${value}`);
  } catch (error) {
    // The file only exists with the BFQ scheduler, and a device's line is only accepted if BFQ drives the device.
    if (!['ENOENT', 'EOPNOTSUPP'].includes(errorCode(error))) {
      throw writeFailed('io.bfq.weight', `${device} ${value}`, from, error as NodeJS.ErrnoException);
    }
    writeCgroupFile(directory, 'io.weight', `${device} ${ioWeightOf(value)}`, from);
  }
}

function checkMemoryUse(directory: string, { limit, swap, from }: CheckMemoryUseOp): void {
  demandAbove(directory, 'memory.current', Number(limit), from);
  if (Number(swap) >= 0) demandAbove(directory, 'memory.swap.current', Number(swap), from);
}

function demandAbove(directory: string, file: string, limit: number, from: string): void {
  const used = Number(readFileSync(join(directory, file), 'utf8'));
  if (used <= limit) return;
  throw new TsrunError(`the new limit ${limit} is below ${file}, which is ${used}`, {
    about: from,
    hint: 'without checkBeforeUpdate the kernel reclaims memory, and kills processes, until the limit holds',
  });
}

function writeFailed(file: string, value: string, from: string, error: NodeJS.ErrnoException): TsrunError {
  const words = errnoWords(Math.abs(error.errno ?? 0));
  return new TsrunError(`write ${file} ${JSON.stringify(value)}: ${words}`, {
    about: from,
    hint: hintFor(file, error.code),
    cause: error,
  });
}

/** @param file the written file, in the container's cgroup */
export function hintFor(file: string, code: string | undefined): string | undefined {
  if (code === 'EACCES' || code === 'EPERM') {
    return 'this user may not write to the file: is the whole cgroup delegated, or does its mount belong to another user?';
  }
  if (code === 'ENOENT') {
    return file.startsWith('hugetlb.')
      ? 'see /sys/kernel/mm/hugepages for the page sizes of this machine'
      : `this kernel has no ${file}, or its controller is off in this cgroup`;
  }
  if (code === 'ENODEV' && file === 'rdma.max') return 'no RDMA device of this name: see /sys/class/infiniband';
  if (code === 'ENODEV' && file.startsWith('io.')) return 'no disk with this major:minor; partitions cannot be limited';
  if (code !== 'EINVAL' && code !== 'ERANGE') return systemHint({ code });
  if (file === 'cpu.max') return 'period: 1000 to 1000000 microseconds; quota: at least 1000';
  if (file === 'cpu.max.burst') return 'the burst may not be above the quota';
  if (file.startsWith('cpuset.')) return 'are they online, and in cpuset.*.effective of the cgroup above?';
  return undefined;
}
