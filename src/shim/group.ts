/** Which containers share a process. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Grouping } from './options.ts';

/** Annotations that containerd's CRI plugin, and others for containerd's own shim, give to all containers of a pod. */
const podAnnotations = ['io.kubernetes.cri.sandbox-id', 'io.containerd.runc.v2.group'];

/** @returns the same string for containers of the same process */
export function groupOf(
  grouping: Grouping,
  { namespace, id, bundle }: { namespace: string; id: string; bundle: string },
): string {
  if (grouping === 'node') return '';
  if (grouping === 'namespace') return namespace;
  const { annotations = {} } = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8')) as {
    annotations?: Readonly<Record<string, string>>;
  };
  const name = podAnnotations.find((each) => annotations[each] !== undefined);
  return `${namespace}/${name === undefined ? id : annotations[name]}`;
}
