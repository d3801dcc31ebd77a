import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WriteCgroupFileOp } from '../generated/ops.ts';
import { log } from '../log.ts';
import { applySettings, type SettingOp } from './settings.ts';

/** Files with a line for each device, and the words that remove a device's line. */
const linesByDevice: Readonly<Record<string, string>> = {
  'io.max': 'rbps=max wbps=max riops=max wiops=max',
  'io.weight': 'default',
  'io.bfq.weight': 'default',
  'rdma.max': 'hca_handle=max hca_object=max',
};

/** The files that settings may write to. */
export function filesOf(settings: readonly SettingOp[]): string[] {
  return settings.flatMap((op) => {
    // Each of the two affects the other (settleIdle).
    if (op.op === 'write-cgroup-file') return op.file.startsWith('cpu.idle') ? ['cpu.idle', 'cpu.weight'] : [op.file];
    return op.op === 'set-io-weight' ? ['io.bfq.weight', 'io.weight'] : [];
  });
}

/** Keeps the contents of a cgroup's files, to restore them later; files that are absent or unreadable are left out. */
export class KeptFiles {
  private readonly directory: string;
  private readonly contents = new Map<string, string>();

  constructor(directory: string, files: Iterable<string>) {
    this.directory = directory;
    for (const file of files) {
      const text = read(directory, file);
      if (text !== undefined) this.contents.set(file, text);
    }
  }

  /** The kept contents of these files as settings: all of them, or only those whose file holds something else now. */
  settings(files: Iterable<string>, { changed }: { changed: boolean }): WriteCgroupFileOp[] {
    const isIdle = this.contents.get('cpu.idle')?.trim() === '1';
    return [...new Set(files)].flatMap((file) => {
      const text = this.contents.get(file);
      if (text === undefined || (file.startsWith('cpu.weight') && isIdle)) return [];
      const now = read(this.directory, file);
      if (changed && (now === undefined || now === text)) return [];
      return valuesOf(file, text, now ?? '').map((value) => write(file, value));
    });
  }

  /** Restores what has changed. A refused file is only logged: there is an error already, or it does no harm. */
  restore(except: ReadonlySet<string> = new Set()): void {
    const files = [...this.contents.keys()].filter((file) => !except.has(file));
    try {
      applySettings(this.directory, this.settings(files, { changed: true }));
    } catch (error) {
      log('warning', `cannot put a limit back: ${(error as Error).message}`);
    }
  }
}

/** What to write so that a file that holds `now` holds `text` again. */
function valuesOf(file: string, text: string, now: string): string[] {
  const none = linesByDevice[file];
  // Writing an empty text would write nothing.
  if (none === undefined) return [text.trim() === '' ? '\n' : text.trim()];
  const lines = text.split('\n').filter(Boolean);
  const devices = new Set(lines.map(deviceOf));
  const added = now.split('\n').filter((line) => line !== '' && !devices.has(deviceOf(line)));
  return [...added.map((line) => `${deviceOf(line)} ${none}`), ...lines];
}

function deviceOf(line: string): string {
  return line.split(' ', 1)[0] as string;
}

function write(file: string, value: string): WriteCgroupFileOp {
  return { op: 'write-cgroup-file', by: 'runtime', from: file, file, value };
}

function read(directory: string, file: string): string | undefined {
  try {
    return readFileSync(join(directory, file), 'utf8');
  } catch {
    return undefined;
  }
}
