import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { TsrunError } from '../errors.ts';
import type { HostFacts } from '../host/facts.ts';
import type { LowerOptions } from '../lower/context.ts';
import type { Plan } from '../plan/plan.ts';
import { prepare } from './prepare.ts';
import { ContainerDirectory } from './store.ts';

/**
 * Makes the plan to compare another one with.
 *
 * @param name a bundle, a config file to use instead of the bundle's, or a container, whose config is the one from
 *   create
 * @param options of the other plan; `root` has the containers
 * @throws TsrunError when it is none of these
 */
export function otherPlan(
  name: string,
  options: LowerOptions & { root: string },
  host: HostFacts,
): { id: string; plan: Plan } {
  const { root, ...given } = options;
  const path = resolve(name);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() === true)
    return { id: given.id, plan: prepare({ ...given, bundle: path }, undefined, false, host).plan };
  if (found !== undefined) return { id: given.id, plan: prepare(given, path, false, host).plan };
  if (name.includes('/')) throw new TsrunError(`--diff ${name}: there is no such bundle or file`);
  const directory = new ContainerDirectory(root, name);
  const { bundle } = directory.read();
  return { id: name, plan: prepare({ ...given, id: name, bundle }, directory.configSource().path, false, host).plan };
}
