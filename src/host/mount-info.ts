import { readFileSync } from 'node:fs';

/** A line of proc_pid_mountinfo(5). */
export interface MountInfo {
  readonly id: number;
  readonly parent: number;
  /** `major:minor` of its filesystem. */
  readonly device: string;
  /** The part of the filesystem that is mounted. */
  readonly root: string;
  /** Mount point, relative to the process's root directory. */
  readonly point: string;
  /** Of the mount, not of its filesystem: `ro`, `nosuid`, … */
  readonly options: readonly string[];
  readonly type: string;
}

/** The mounts that a process sees; a later one may cover an earlier one. */
export function mountsOf(pid: number | 'self'): MountInfo[] {
  return parseMountInfo(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'));
}

function parseMountInfo(text: string): MountInfo[] {
  const lines = text.split('\n').filter(Boolean);
  return lines.map((line) => {
    const [id, parent, device = '', root = '', point = '', options = ''] = line.split(' ');
    const type = line.slice(line.indexOf(' - ') + 3).split(' ')[0] ?? '';
    return {
      id: Number(id),
      parent: Number(parent),
      device,
      root: plain(root),
      point: plain(point),
      options: options.split(','),
      type,
    };
  });
}

/** Decodes blanks and backslashes, which are written as octal numbers. */
function plain(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
