/** Node's globals, as far as the command uses them, for an engine that only has the language. */
import { Bytes, SmallBuffer } from './buffer.ts';
import { host } from './host.ts';

const process = {
  // Set at each start (entry.ts); no module may read them before that.
  argv: [],
  env: {},
  pid: 0,
  exitCode: 0,
  arch: host.architecture,
  platform: 'linux',
  execPath: '/proc/self/exe',
  execArgv: [],
  versions: {},
  cwd: host.workingDirectory,
  geteuid: host.effectiveUid,
  getegid: host.effectiveGid,
  umask: host.fileModeMask,
  hrtime: { bigint: () => host.addon.monotonicTime() },
  stdout: streamOf(1),
  stderr: streamOf(2),
};

/** What commander reads of a stream before it writes help. */
function streamOf(fd: number): { readonly isTTY: boolean; hasColors(): boolean } {
  return {
    get isTTY() {
      return host.isTerminal(fd);
    },
    hasColors: () => false,
  };
}

/** Copies plain data only, which is all that is ever copied. */
function structuredClone<T>(value: T): T {
  if (Array.isArray(value)) return value.map(structuredClone) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, structuredClone(entry)])) as T;
}

host.useBuffer(Uint8Array, Bytes);
Object.assign(globalThis, { Buffer: SmallBuffer, process, structuredClone });
Error.captureStackTrace ??= () => {};
