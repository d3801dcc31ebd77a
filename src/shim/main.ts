/** containerd-shim-tsrun-v2: what its native program (addon/shim) does not answer itself. */
import { readFileSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { commit, version } from '../build-info.ts';
import type { ContainerRecord } from '../container/record.ts';
import type { ContainerDirectory } from '../container/store.ts';
import { decode, encode } from '../protobuf/wire.ts';
import { startServer } from './bootstrap.ts';
import { groupOf } from './group.ts';
import { leaveLink } from './links.ts';
import { anyMessage, deleteResponse, runtimeInfo, timestampOf } from './messages.ts';
import { type BundleNote, noteOf, stateRootOf } from './note.ts';
import { shimOptions } from './options.ts';

const name = 'io.containerd.tsrun.v2';
const switches = ['debug', 'info', 'v', 'version'];

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(`containerd-shim-tsrun-v2: ${(error as Error).message}`);
  process.exitCode = 1;
}

async function main(words: string[]): Promise<void> {
  const { flags, action } = parse(words);
  if ('info' in flags) return print(await info());
  if (action === 'start') return start(flags);
  if (action === 'delete') return cleanUp(flags);
  throw new Error(`unknown action ${JSON.stringify(action ?? '')}: start or delete, which containerd calls`);
}

/** Parses flags as Go's package flag does. */
function parse(words: string[]): { flags: Record<string, string>; action: string | undefined } {
  const flags: Record<string, string> = {};
  const rest = [...words];
  while (rest[0]?.startsWith('-')) {
    const [, flag = '', value] = /^--?([^=]+)(?:=(.*))?$/.exec(rest.shift() ?? '') ?? [];
    flags[flag] = value ?? (switches.includes(flag) ? 'true' : (rest.shift() ?? ''));
  }
  return { flags, action: rest[0] };
}

/** The server does not inherit this process's stdout, so that the answer ends when this process does. */
async function start({ namespace = '', address = '', id = '' }: Record<string, string>): Promise<void> {
  if (namespace === '') throw new Error('-namespace: missing');
  const publishTo = process.env.TTRPC_ADDRESS ?? (address === '' ? '' : `${address}.ttrpc`);
  const { grouping } = shimOptions(decode(anyMessage, readFileSync(0)));
  const group = groupOf(grouping, { namespace, id, bundle: process.cwd() });
  const answer = await startServer({ namespace, address, publishTo, group }, process.argv[1] ?? '');
  if (grouping !== 'pod') leaveLink(answer);
  leaveAddress(answer);
  print(JSON.stringify({ version: 2, address: answer, protocol: 'ttrpc' }));
}

/**
 * In the bundle, which is the working directory: containerd 1.7 finds the shim by it when it comes back (2 has a file of
 * its own).
 */
function leaveAddress(address: string): void {
  writeFileSync('.address', address);
  renameSync('.address', 'address');
}

/** containerd calls this when the shim is gone, and after a failed start: it removes everything of the container. */
async function cleanUp({ namespace = '', id = '', bundle = '.' }: Record<string, string>): Promise<void> {
  const [{ deleteContainer }, store, { checkId }, { unmountRootfs }] = await Promise.all([
    import('../container/delete.ts'),
    import('../container/store.ts'),
    import('../container/id.ts'),
    import('../container/rootfs-mounts.ts'),
  ]);
  checkId(id);
  const path = resolve(bundle);
  const note = noteIn(path);
  const directory = new store.ContainerDirectory(note?.root ?? stateRootOf('', namespace), id);
  const { init, exit } = recordIn(directory) ?? {};
  try {
    deleteContainer(directory, { force: true });
  } finally {
    if (note !== undefined) rmSync(note.ledger, { force: true });
    // That of a sandbox: what its containers have shared.
    for (const each of [path, join(path, 'shm')]) unmountRootfs(each);
  }
  // SIGKILL if nothing has seen how it ended.
  const status = exit?.code ?? 128 + (exit?.signal ?? 9);
  print(encode(deleteResponse, { pid: init?.pid ?? 0, exit_status: status, exited_at: timestampOf(Date.now()) }));
}

/** Undefined also for a damaged record, which delete can do without. */
function recordIn(directory: ContainerDirectory): ContainerRecord | undefined {
  try {
    return directory.readIfThere();
  } catch {
    return undefined;
  }
}

function noteIn(bundle: string): BundleNote | undefined {
  try {
    return JSON.parse(readFileSync(noteOf(bundle), 'utf8')) as BundleNote;
  } catch {
    return undefined;
  }
}

async function info(): Promise<Uint8Array> {
  const { runJobNow } = await import('../library/jobs.ts');
  const value = Buffer.from(JSON.stringify(runJobNow('features', undefined)));
  const type_url = 'types.containerd.io/opencontainers/runtime-spec/1/features/Features';
  return encode(runtimeInfo, { name, version: { version, revision: commit }, features: { type_url, value } });
}

function print(what: string | Uint8Array): void {
  const bytes = Buffer.from(what as string);
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
}
