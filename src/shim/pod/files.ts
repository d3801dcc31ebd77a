/**
 * The files that a pod's containers share. containerd leaves them to a sandbox of the shim's: it mounts those that it finds
 * in its own places, where there are none then.
 */
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { runJob } from '../../library/pool.ts';
import { isThere } from '../../there.ts';
import { namespaceMode } from './messages.ts';
import type { PodConfig } from './spec.ts';

/** As containerd makes it. */
const sharedMemory = {
  type: 'tmpfs',
  source: 'shm',
  options: ['nosuid', 'nodev', 'noexec', 'mode=1777', 'size=65536k'],
};

const placesOf = (bundle: string) => ({
  '/etc/hostname': join(bundle, 'hostname'),
  '/etc/hosts': join(bundle, 'hosts'),
  '/etc/resolv.conf': join(bundle, 'resolv.conf'),
  '/dev/shm': join(bundle, 'shm', 'rootfs'),
});

/** Makes them in the sandbox's bundle. */
export async function makePodFiles(bundle: string, config: PodConfig): Promise<void> {
  const places = placesOf(bundle);
  const write = (path: string, text: string) => writeFileSync(path, text, { mode: 0o644 });
  write(places['/etc/hostname'], `${config.hostname || hostname()}\n`);
  copyFileSync('/etc/hosts', places['/etc/hosts']);
  const { servers = [], searches = [], options = [] } = config.dns_config ?? {};
  if (config.dns_config === undefined) copyFileSync('/etc/resolv.conf', places['/etc/resolv.conf']);
  else write(places['/etc/resolv.conf'], resolvConf(servers, searches, options));
  for (const name of ['/etc/hosts', '/etc/resolv.conf'] as const) chmodSync(places[name], 0o644);
  if (config.linux?.security_context?.namespace_options?.ipc === namespaceMode.node) return;
  const shm = join(bundle, 'shm');
  mkdirSync(shm, { recursive: true, mode: 0o711 });
  await runJob('unmountRootfs', { bundle: shm });
  await runJob('mountRootfs', { bundle: shm, mounts: [sharedMemory] });
}

/** resolv.conf(5) */
function resolvConf(servers: readonly string[], searches: readonly string[], options: readonly string[]): string {
  const lines = servers.map((server) => `nameserver ${server}`);
  if (searches.length > 0) lines.unshift(`search ${searches.join(' ')}`);
  if (options.length > 0) lines.push(`options ${options.join(' ')}`);
  return lines.map((line) => `${line}\n`).join('');
}

export async function removePodFiles(bundle: string): Promise<void> {
  await runJob('unmountRootfs', { bundle: join(bundle, 'shm') });
}

/** Adds mounts of them to a container's config.json, unless it has its own. The rest of the text stays as it is. */
export function mountPodFiles(container: string, pod: string): void {
  const path = join(container, 'config.json');
  const text = readFileSync(path, 'utf8');
  const { mounts = [] } = JSON.parse(text) as { mounts?: readonly { destination?: string; type?: string }[] };
  const end = endOfMounts(text);
  if (end === undefined) return;
  const added = Object.entries(placesOf(pod)).filter(([destination, source]) => {
    const isOwn = mounts.some((each) => each.destination === destination && each.type === 'bind');
    return !isOwn && isThere(source);
  });
  if (added.length === 0) return;
  const more = added.map(([destination, source]) => {
    return JSON.stringify({ destination, type: 'bind', source, options: ['rbind', 'rprivate', 'rw'] });
  });
  const comma = mounts.length > 0 ? ',' : '';
  writeFileSync(path, `${text.slice(0, end)}${comma}${more.join(',')}${text.slice(end)}`);
}

/** The offset of the bracket that closes the array /mounts; undefined if there is none. */
function endOfMounts(text: string): number | undefined {
  let depth = 0;
  let isIn = false;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"(?:\s*:\s*\[)?|[[\]{}]/g)) {
    if (token.endsWith('[')) {
      isIn ||= depth === 1 && token.startsWith('"mounts"');
      depth++;
    } else if (token === '{') depth++;
    else if (token === ']' || token === '}') {
      depth--;
      if (isIn && depth === 1) return index;
    }
  }
  return undefined;
}
