/**
 * No property of the specification is silently ignored: each property of the schema is read on the way to a container,
 * or a config that sets it is refused with an error that names it.
 */
import t from 'tap';
import { linuxProperties } from '../../../scripts/lib/schema-properties.ts';
import { firstRecord } from '../../../src/container/create.ts';
import { TsrunError } from '../../../src/errors.ts';
import type { Spec } from '../../../src/generated/spec.ts';
import { lower } from '../../../src/lower/create-plan.ts';
import { lowerExecAffinity } from '../../../src/lower/process/cpu-affinity.ts';
import { placeHook } from '../../../src/run/ops/hook.ts';
import { everything, everythingPossible } from './everything.ts';
import { capableHost } from './host.ts';
import { matches, recording } from './recording.ts';

const options = { id: 'c1', bundle: '/bundle' };

t.test('the config of this test holds every property of the schema', async (t) => {
  const reads = new Set<string>();
  JSON.stringify(recording(everything(), reads));
  const missing = linuxProperties().filter(({ pattern }) => !isRead(pattern, reads));
  t.same(
    missing.map(({ pattern }) => pattern),
    [],
  );
});

t.test('every property is read, or refused by name', async (t) => {
  const reads = readsOf(everythingPossible());
  const silent = linuxProperties()
    .filter(({ leaf, pattern }) => leaf && !isRead(pattern, reads))
    .filter(({ pattern }) => !refusesByName(pattern))
    .map(({ pattern }) => pattern);
  t.same(silent, [], 'properties that nothing reads and nothing refuses');
});

t.test('a property that asks for nothing is no error', async (t) => {
  for (const spec of [
    { ...minimal(), process: { cwd: '/', args: ['true'], terminal: false, apparmorProfile: '', selinuxLabel: '' } },
    { ...minimal(), linux: { ...minimal().linux, resources: {}, uidMappings: [], mountLabel: '' } },
    { ...minimal(), linux: { ...minimal().linux, resources: { devices: [{ allow: false, access: 'rwm' }] } } },
  ] satisfies Spec[]) {
    t.doesNotThrow(() => lower(spec, capableHost(), options));
  }
});

/** What lower, the state of the container, the later hooks and a later exec read. */
function readsOf(spec: Spec): Set<string> {
  const reads = new Set<string>();
  const recorded = recording(spec, reads);
  const plan = lower(recorded, capableHost(), options);
  const record = firstRecord({ ...options, spec: recorded, plan });
  for (const hook of [...record.hooks.poststart, ...record.hooks.poststop]) placeHook(hook, '', 0);
  lowerExecAffinity(recorded);
  return reads;
}

function isRead(pattern: string, reads: ReadonlySet<string>): boolean {
  return [...reads].some((pointer) => matches(pattern, pointer));
}

/** Whether a config with this property, and as little else as possible, is refused with an error that names it. */
function refusesByName(pattern: string): boolean {
  try {
    lower(minimalWith(pattern), capableHost(), options);
    return false;
  } catch (error) {
    if (!(error instanceof TsrunError)) throw error;
    const [named = ''] = error.message.split(': ');
    return isPrefix(named, pattern);
  }
}

/** Whether the pointer is that of what the pattern matches, or of something around it. */
function isPrefix(pointer: string, pattern: string): boolean {
  const depth = pointer.split('/').length;
  return matches(pattern.split('/').slice(0, depth).join('/'), pointer);
}

function minimal(): Spec {
  return { ociVersion: '1.3.0', root: { path: 'rootfs' }, linux: { namespaces: [{ type: 'mount' }] } };
}

/** The minimal config with this property; in a list or map with the whole first item that has the property. */
function minimalWith(pattern: string): Spec {
  const end = pattern.indexOf('/*');
  const spec = minimal();
  let to = spec as unknown as Record<string, unknown>;
  let from = everything() as unknown as Record<string, unknown>;
  const names = (end < 0 ? pattern : pattern.slice(0, end)).split('/').slice(1);
  names.forEach((name, i) => {
    const value = from[name] as Record<string, unknown>;
    to[name] = i === names.length - 1 ? value : (to[name] ?? {});
    to = to[name] as Record<string, unknown>;
    from = value;
  });
  return spec;
}
