import { appendPointer } from '../../config/read/pointer.ts';
import { TsrunError } from '../../errors.ts';
import type { LinuxHugepageLimit, LinuxPids, LinuxRdma, StringMap } from '../../generated/spec.ts';
import { decimal, decimalOrMax, type Setting, write } from './setting.ts';

/** linux.resources.pids. A limit of 0 is a real one: no more processes may start. */
export function lowerPids(pids: LinuxPids | undefined): Setting[] {
  if (pids === undefined) return [];
  return [write('pids', 'pids/limit', 'pids.max', decimalOrMax(pids.limit))];
}

/** linux.resources.hugepageLimits: the reservation first, so that mmap(2) fails instead of a later use with SIGBUS. */
export function lowerHugepages(limits: readonly LinuxHugepageLimit[]): Setting[] {
  return limits.flatMap(({ pageSize, limit }, index) => {
    const from = `hugepageLimits/${index}`;
    const value = decimal(limit);
    return [
      write('hugetlb', from, `hugetlb.${pageSize}.rsvd.max`, value),
      write('hugetlb', from, `hugetlb.${pageSize}.max`, value),
    ];
  });
}

/** linux.resources.rdma, by device name. */
export function lowerRdma(devices: Record<string, LinuxRdma>): Setting[] {
  return Object.entries(devices).map(([device, { hcaHandles, hcaObjects }]) => {
    const from = appendPointer('rdma', device);
    if (/\s/.test(device) || device === '') {
      throw new TsrunError('not the name of an RDMA device', {
        about: `/linux/resources/${from}`,
        hint: 'see rdma link',
      });
    }
    const handles = hcaHandles === undefined ? [] : [`hca_handle=${decimal(hcaHandles)}`];
    const objects = hcaObjects === undefined ? [] : [`hca_object=${decimal(hcaObjects)}`];
    return write('rdma', from, 'rdma.max', [device, ...handles, ...objects].join(' '));
  });
}

/** Core files that are not parameters: writing them would move, kill or stop processes, init included. */
const notParameters: Readonly<Record<string, string>> = {
  'cgroup.procs': 'it moves processes',
  'cgroup.threads': 'it moves threads',
  'cgroup.type': 'a container needs a cgroup that is a domain',
  'cgroup.kill': 'it kills the container; use tsrun kill',
  'cgroup.freeze': 'it would stop the container before it is made; use tsrun pause',
};

/** linux.resources.unified: any file of the cgroup; a value of several lines becomes one write each. */
export function lowerUnified(unified: StringMap): Setting[] {
  return Object.entries(unified).flatMap(([file, value]) => {
    const from = appendPointer('unified', file);
    demandFileName(file, from);
    const controller = file.startsWith('cgroup.') ? 'core' : (file.split('.', 1)[0] as string);
    const lines = value.split('\n').filter((line, index) => index === 0 || line.trim() !== '');
    return lines.map((line) => write(controller, from, file, line));
  });
}

function demandFileName(file: string, from: string): void {
  if (file.includes('/') || !file.includes('.') || /^\.*$/.test(file)) {
    throw new TsrunError('not the name of a file in a cgroup', {
      about: `/linux/resources/${from}`,
      hint: 'such as memory.high, without a path',
    });
  }
  const why = notParameters[file];
  if (why !== undefined) throw new TsrunError(`${file} cannot be set: ${why}`, { about: `/linux/resources/${from}` });
}
