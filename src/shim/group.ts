/** Which containers share a process. */
import { join } from 'node:path';
import { readIfThere } from '../there.ts';
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
  const annotations = annotationsOf(bundle);
  const name = podAnnotations.find((each) => annotations[each] !== undefined);
  return `${namespace}/${name === undefined ? id : annotations[name]}`;
}

/** The sandbox of a container of the CRI's; undefined for others. */
export function sandboxOf(bundle: string): string | undefined {
  return annotationsOf(bundle)['io.kubernetes.cri.sandbox-id'];
}

/** The bundle of a sandbox that the shim is to make has no config.json yet. */
function annotationsOf(bundle: string): Readonly<Record<string, string>> {
  const config = JSON.parse(readIfThere(join(bundle, 'config.json')) ?? '{}') as {
    annotations?: Readonly<Record<string, string>>;
  } | null;
  return config?.annotations ?? {};
}
