/**
 * What the caller sets for the shim: runc's options, or a table of TOML in a file or in containerd's own configuration.
 */
import { readFileSync } from 'node:fs';
import { decode, type Message } from '../protobuf/wire.ts';
import { didYouMean } from '../suggest.ts';
import { runcOptions, runtimeOptions } from './messages.ts';
import { readTable, type Setting } from './settings.ts';
import { Status } from './ttrpc.ts';

/** Which containers share a process: all of the node, those of a containerd namespace, or those of a pod. */
const groupings = ['node', 'namespace', 'pod'] as const;
export type Grouping = (typeof groupings)[number];

export interface ShimOptions {
  readonly grouping: Grouping;
  /** Holds the state directories of all namespaces; '' for the shim's own choice. */
  readonly root: string;
  readonly noPivot: boolean;
  readonly noNewKeyring: boolean;
  /** Undefined: as the form of the container's cgroupsPath says. */
  readonly systemdCgroup: boolean | undefined;
  /** Owner of the FIFOs, so that a program may open them again by their name in /proc; 0 leaves them as they are. */
  readonly ioUid: number;
  readonly ioGid: number;
  /** The images of a checkpoint to restore; '' for none. */
  readonly criuImagePath: string;
  /** Working directory of CRIU, with its log; '' for one in the bundle. */
  readonly criuWorkPath: string;
}

type RuncOptions = Message<typeof runcOptions>;

/** As runc's options are called in containerd's configuration; the case does not matter. */
const names: Readonly<Record<string, keyof RuncOptions>> = {
  nopivotroot: 'no_pivot_root',
  nonewkeyring: 'no_new_keyring',
  shimcgroup: 'shim_cgroup',
  iouid: 'io_uid',
  iogid: 'io_gid',
  binaryname: 'binary_name',
  root: 'root',
  systemdcgroup: 'systemd_cgroup',
  criuimagepath: 'criu_image_path',
  criuworkpath: 'criu_work_path',
  taskapiaddress: 'task_api_address',
  taskapiversion: 'task_api_version',
};

const known = [
  ...['Grouping', 'Root', 'SystemdCgroup', 'NoPivotRoot', 'NoNewKeyring', 'IoUid', 'IoGid'],
  ...['CriuImagePath', 'CriuWorkPath'],
];

/**
 * Reads the options of a request, or those that containerd writes to the stdin of `start`.
 *
 * @throws Status for one that the shim cannot do: nothing that is asked for is silently left out
 */
export function shimOptions({ type_url = '', value = new Uint8Array() }: { type_url?: string; value?: Uint8Array }) {
  if (type_url.endsWith('containerd.runc.v1.Options')) return checked(decode(runcOptions, value), 'node');
  if (type_url.endsWith('runtimeoptions.v1.Options')) return fromTable(decode(runtimeOptions, value));
  if (value.length === 0) return checked({}, 'node');
  throw new Status('unimplemented', `options of the type ${type_url}`);
}

function fromTable({ config_path = '', config_body = new Uint8Array() }: Message<typeof runtimeOptions>): ShimOptions {
  const table = {
    ...(config_path !== '' && readTable(readFileSync(config_path, 'utf8'), config_path)),
    ...(config_body.length > 0 && readTable(Buffer.from(config_body).toString(), 'options')),
  };
  const options: Record<string, Setting> = {};
  let grouping: Grouping = 'node';
  for (const [key, value] of Object.entries(table)) {
    const name = names[key.toLowerCase()];
    if (key.toLowerCase() === 'grouping') grouping = groupingOf(value);
    // The ones that say where these are.
    else if (['configpath', 'typeurl'].includes(key.toLowerCase())) continue;
    else if (name === undefined) throw unknown(key);
    else options[name] = typed(key, value, runcOptions[name][1]);
  }
  return checked(options, grouping);
}

function groupingOf(value: Setting): Grouping {
  const grouping = groupings.find((each) => each === value);
  if (grouping !== undefined) return grouping;
  throw new Status('invalidArgument', `option Grouping: ${value} is none of ${groupings.join(', ')}`);
}

function unknown(key: string): Status {
  const hint = didYouMean(key, known) ?? `known are ${known.join(', ')}`;
  return new Status('invalidArgument', `option ${key}: unknown; ${hint}`);
}

function typed(key: string, value: Setting, kind: 'bool' | 'string' | 'uint32'): Setting {
  const wanted = { bool: 'boolean', string: 'string', uint32: 'number' }[kind];
  if (typeof value === wanted) return value;
  throw new Status('invalidArgument', `option ${key}: ${JSON.stringify(value)} is no ${wanted}`);
}

function checked(options: RuncOptions, grouping: Grouping): ShimOptions {
  const { binary_name = '', shim_cgroup = '' } = options;
  // Some callers always name the runtime that their own documentation names.
  if (!['', 'tsrun'].includes(binary_name.replace(/^.*\//, ''))) {
    throw new Status('unimplemented', `option BinaryName: ${binary_name}; this shim is the runtime itself`);
  }
  if (shim_cgroup !== '') {
    throw new Status('unimplemented', `option ShimCgroup: ${shim_cgroup}; one process serves many containers`);
  }
  return {
    grouping,
    root: options.root ?? '',
    noPivot: options.no_pivot_root ?? false,
    noNewKeyring: options.no_new_keyring ?? false,
    systemdCgroup: options.systemd_cgroup,
    ioUid: options.io_uid ?? 0,
    ioGid: options.io_gid ?? 0,
    criuImagePath: options.criu_image_path ?? '',
    criuWorkPath: options.criu_work_path ?? '',
  };
}
