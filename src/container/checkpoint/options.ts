import { join } from 'node:path';
import { addon } from '../../addon.ts';
import { closeQuietly } from '../../close.ts';
import { criuConfigAnnotation } from '../../criu/annotation.ts';
import { type CriuOptions, cgroupModes, networkLocks } from '../../criu/messages.ts';
import { TsrunError } from '../../errors.ts';
import { isThere } from '../../there.ts';

/** The options that checkpoint and restore share. */
export interface CriuFlags {
  /** Absolute paths. */
  readonly imagePath: string;
  /** Directory of the log; absent: the image directory. */
  readonly workPath: string | undefined;
  readonly tcpEstablished: boolean;
  readonly tcpClose: boolean;
  readonly extUnixSk: boolean;
  readonly shellJob: boolean;
  readonly fileLocks: boolean;
  readonly linkRemap: boolean;
  readonly lazyPages: boolean;
  readonly autoDedup: boolean;
  readonly manageCgroupsMode: keyof typeof cgroupModes | undefined;
  readonly networkLock: keyof typeof networkLocks | undefined;
  readonly emptyNetwork: boolean;
}

export const cgroupsModes = Object.keys(cgroupModes) as readonly (keyof typeof cgroupModes)[];

/** CLONE_NEWNET of clone(2). */
const newNetwork = 0x4000_0000;

/** Logs all messages of CRIU, because errors are explained from the log. */
const logLevel = 4;

export const dumpLog = 'dump.log';
export const restoreLog = 'restore.log';

export function commonOptions(flags: CriuFlags, annotations: Readonly<Record<string, string>>): CriuOptions {
  const { manageCgroupsMode: mode, networkLock } = flags;
  return {
    log_level: logLevel,
    notify_scripts: true,
    tcp_established: flags.tcpEstablished,
    tcp_close: flags.tcpClose,
    ext_unix_sk: flags.extUnixSk,
    shell_job: flags.shellJob,
    file_locks: flags.fileLocks,
    link_remap: flags.linkRemap,
    lazy_pages: flags.lazyPages,
    auto_dedup: flags.autoDedup,
    evasive_devices: true,
    manage_cgroups: true,
    manage_cgroups_mode: cgroupModes[mode ?? 'soft'],
    ...(networkLock && { network_lock: networkLocks[networkLock] }),
    ...(flags.emptyNetwork && { empty_ns: newNetwork }),
    ...configFile(annotations),
  };
}

/** Finds CRIU's config file as runc does. The file overrides all options here. */
function configFile(annotations: Readonly<Record<string, string>>): { config_file?: string } {
  const named = annotations[criuConfigAnnotation];
  // An empty annotation asks for no file.
  if (named !== undefined) return named === '' ? {} : { config_file: named };
  const usual = ['tsrun.conf', 'runc.conf'].map((name) => join('/etc/criu', name)).find(isThere);
  return usual === undefined ? {} : { config_file: usual };
}

/** `--page-server ADDRESS:PORT` */
export function parsePageServer(text: string): { address: string; port: number } {
  const { address, port } = /^\[?(?<address>.+?)\]?:(?<port>\d+)$/.exec(text)?.groups ?? {};
  if (address !== undefined && Number(port) > 0 && Number(port) < 65536) return { address, port: Number(port) };
  throw new TsrunError(`--page-server ${text}: expected ADDRESS:PORT`, { hint: 'such as 192.168.1.2:27' });
}

/** @returns the descriptor of --status-fd, which must be one of the caller's */
export function demandStatusFd(fd: number): number {
  try {
    closeQuietly(addon().duplicate(fd));
    return fd;
  } catch {
    throw new TsrunError(`--status-fd ${fd}: it is not open`);
  }
}
