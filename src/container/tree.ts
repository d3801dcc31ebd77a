/** Shows containers by their cgroups: which one is inside which, and shares its limits. */
import { cgroupPids } from '../cgroup/processes.ts';
import type { Status } from '../generated/spec.ts';
import type { Style } from '../style.ts';
import { listIds } from './root.ts';
import { statusOf } from './state.ts';
import { ContainerDirectory } from './store.ts';

export interface TreeContainer {
  readonly id: string;
  readonly status: Status;
  readonly pid: number;
  /** Absolute path; null without a cgroup of its own. */
  readonly cgroup: string | null;
  /** How many processes are in its cgroup and below. */
  readonly processes: number | null;
}

/** A cgroup, the containers that have it as their own, and the cgroups below that hold others. */
export interface TreeNode {
  /** Path relative to the node above. */
  readonly name: string;
  readonly containers: readonly TreeContainer[];
  readonly below: readonly TreeNode[];
}

/** Containers below --root. One that is deleted meanwhile, or cannot be read, is left to `list`. */
export function treeContainers(root: string): TreeContainer[] {
  return listIds(root).flatMap((id) => {
    try {
      const directory = new ContainerDirectory(root, id);
      const record = directory.readIfThere();
      if (record === undefined) return [];
      const { cgroup, init } = record;
      const status = statusOf(directory, record);
      const isThere = status !== 'stopped' && cgroup !== null;
      const pid = status === 'stopped' ? 0 : (init?.pid ?? 0);
      return [{ id, status, pid, cgroup, processes: isThere ? cgroupPids(cgroup).length : null }];
    } catch {
      return [];
    }
  });
}

/** A chain of cgroups that hold no container, each with one child, is one line. */
export function treeOf(containers: readonly TreeContainer[]): TreeNode[] {
  const owned = containers.filter(({ cgroup }) => cgroup !== null);
  const lost = containers.filter(({ cgroup }) => cgroup === null);
  const top = nodeAt('', owned, 0);
  return [
    ...top.below.map(joined),
    ...(lost.length > 0 ? [{ name: '(no cgroup of their own)', containers: lost, below: [] }] : []),
  ];
}

function nodeAt(name: string, containers: readonly TreeContainer[], depth: number): TreeNode {
  const namesOf = ({ cgroup }: TreeContainer) => (cgroup ?? '').split('/').filter(Boolean);
  const byName = new Map<string, TreeContainer[]>();
  for (const container of containers) {
    const next = namesOf(container)[depth];
    if (next !== undefined) byName.set(next, [...(byName.get(next) ?? []), container]);
  }
  return {
    name,
    containers: containers.filter((container) => namesOf(container).length === depth),
    below: [...byName].sort().map(([next, inside]) => nodeAt(next, inside, depth + 1)),
  };
}

function joined(node: TreeNode): TreeNode {
  const [only, ...others] = node.below;
  if (only !== undefined && others.length === 0 && node.containers.length === 0) {
    return joined({ ...only, name: `${node.name}/${only.name}` });
  }
  return { ...node, below: node.below.map(joined) };
}

export function treeText(nodes: readonly TreeNode[], style: Style): string {
  return nodes.map((node) => `${nodeLines({ ...node, name: rooted(node.name) }, style).join('\n')}\n`).join('');
}

function rooted(name: string): string {
  return name.startsWith('(') ? name : `/${name}`;
}

function nodeLines({ name, containers, below }: TreeNode, style: Style): string[] {
  const isOwn = containers.length === 1;
  const [only] = containers;
  const title = isOwn && only !== undefined ? `${style.dim(name)}  ${containerText(only, style)}` : style.dim(name);
  const children = [
    ...(isOwn ? [] : containers.map((container) => [containerText(container, style)])),
    ...below.map((node) => nodeLines(node, style)),
  ];
  return [
    title,
    ...children.flatMap((lines, index) => {
      const isLast = index === children.length - 1;
      return lines.map((line, at) => `${at === 0 ? (isLast ? '└─ ' : '├─ ') : isLast ? '   ' : '│  '}${line}`);
    }),
  ];
}

function containerText({ id, status, pid, processes }: TreeContainer, style: Style): string {
  const shown =
    status === 'running' ? style.green(status) : status === 'stopped' ? style.dim(status) : style.yellow(status);
  const count = processes === null ? '' : `, ${processes} ${processes === 1 ? 'process' : 'processes'}`;
  return `${style.bold(id)} ${shown}${pid === 0 ? '' : ` (pid ${pid}${count})`}`;
}
