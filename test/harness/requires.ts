/** What a test needs from the machine and the runtime. Each test says it; the answer is the reason to skip it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasCHelpers } from './c-helper.ts';
import { type Capability, cgroup2Controllers, cgroup2Mount, hasCapability, hasCommand, repoRoot } from './host.ts';
import { canFilterDevices, cgroupDriver, runtimeName } from './runtime.ts';

export interface Needs {
  /** Effective uid 0. */
  root?: boolean;
  /** The runtimes that promise the tested behaviour, if not all do. */
  runtime?: string | string[];
  /** What other runtimes do instead, if they need not pass the test. */
  differs?: Differences;
  /** User namespaces can be made. */
  userns?: boolean;
  /** A cgroup2 mount, anywhere. */
  cgroup2?: boolean;
  /** cgroup2 controllers, such as `memory`. */
  controllers?: string[];
  /** The runtime can restrict devices here. */
  deviceFilter?: boolean;
  capabilities?: Capability[];
  /** The cgroup driver, if the test chooses a path itself. */
  cgroupDriver?: 'cgroupfs';
  /** The security module that labels processes. */
  lsm?: 'apparmor';
  /** The programs of test/helpers-c. */
  cHelpers?: boolean;
  /** Programs on the PATH of the host. */
  commands?: string[];
  /** Files or directories; a relative path is below the checkout. */
  files?: string[];
}

/** By the runtime's name; with the driver's if it differs only with one driver. */
export type Differences = Partial<Record<Other | `${Other} with ${typeof cgroupDriver}`, string>>;
type Other = 'crun' | 'runc';

/** For `t.test(name, { skip: requires({...}) }, ...)`: false, or the first thing that is missing. */
export function requires(needs: Needs): string | false {
  for (const reason of missing(needs)) return reason;
  return false;
}

function* missing(needs: Needs): Generator<string> {
  if (needs.root && process.geteuid?.() !== 0) yield 'needs root';
  const runtimes = needs.runtime === undefined ? [] : [needs.runtime].flat();
  if (runtimes.length > 0 && !runtimes.includes(runtimeName)) yield `is about ${runtimes.join(', ')} only`;
  const different = difference(needs.differs ?? {});
  if (different !== undefined) yield different;
  if (needs.userns && !hasUserNamespaces()) yield 'needs user namespaces';
  if (needs.cgroup2 && cgroup2Mount() === undefined) yield 'needs a cgroup2 mount';
  const controllers = (needs.controllers ?? []).filter((name) => !cgroup2Controllers().includes(name));
  if (controllers.length > 0) yield `needs cgroup2 controllers: ${controllers.join(', ')}`;
  if (needs.deviceFilter && !canFilterDevices()) yield `${runtimeName} needs CAP_SYS_RESOURCE to restrict devices`;
  for (const name of needs.capabilities ?? []) if (!hasCapability(name)) yield `needs ${name}`;
  if (needs.cgroupDriver !== undefined && needs.cgroupDriver !== cgroupDriver)
    yield `is about ${needs.cgroupDriver} only`;
  if (needs.lsm !== undefined && !isEnabled(needs.lsm)) yield `needs a kernel that runs ${needs.lsm}`;
  if (needs.cHelpers && !hasCHelpers()) yield 'needs the command gcc';
  for (const name of needs.commands ?? []) if (!hasCommand(name)) yield `needs the command ${name}`;
  for (const path of needs.files ?? [])
    if (!existsSync(join(repoRoot, path)) && !existsSync(path)) yield `needs ${path}`;
}

/** What the runtime under test does instead, as the reason to skip. */
export function difference(differs: Differences): string | undefined {
  const byName: Record<string, string> = differs;
  const what = byName[runtimeName] ?? byName[`${runtimeName} with ${cgroupDriver}`];
  return what === undefined ? undefined : `${runtimeName} differs: ${what}`;
}

function hasUserNamespaces(): boolean {
  if (!existsSync('/proc/self/ns/user')) return false;
  return Number(readFileSync('/proc/sys/user/max_user_namespaces', 'utf8')) > 0;
}

/** As the kernel's own switch says, which exists only for modules that are built in. */
function isEnabled(lsm: string): boolean {
  const file = `/sys/module/${lsm}/parameters/enabled`;
  return existsSync(file) && readFileSync(file, 'utf8').trim() === 'Y';
}
