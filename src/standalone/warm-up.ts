/**
 * Does once what most commands do, while the executable's snapshot is made: the shapes of the objects that it needs, and
 * methods of the language that are made at their first use, are in the snapshot then.
 */
import { validateSpec } from '../config/validate/validate.ts';
import type { HostFacts } from '../host/facts.ts';
import { lower } from '../lower/create-plan.ts';
import { planToJson } from '../plan/to-json.ts';
import { defaultSpec } from '../template/template.ts';
import { host } from './host.ts';

/** Any host serves: only the names of its facts matter. */
const facts: HostFacts = {
  kernel: { release: '6.12.0', major: 6, minor: 12 },
  arch: host.architecture,
  uid: 0,
  gid: 0,
  initialUserNamespace: true,
  ownsMounts: true,
  smallMounts: true,
  systemdUser: undefined,
  capabilities: 0x1ffffffffffn,
  lastCapability: 40,
  lsm: { apparmor: false, selinux: false },
  resctrl: null,
  cgroup: {
    mode: 'unified',
    mount: '/sys/fs/cgroup',
    options: ['nsdelegate'],
    controllers: ['cpu', 'memory', 'pids'],
    v1Controllers: {},
    own: '/',
    parent: '/',
  },
  seccompFlags: [],
  bfq: false,
  systemd: false,
  nofileSoft: 1024,
  umask: 0o022,
};

export function warmUp(): void {
  host.keepShapes(true);
  const text = JSON.stringify(defaultSpec());
  const { spec } = validateSpec(JSON.parse(text), { text, path: 'config.json' });
  planToJson(lower(spec, facts, { id: 'warm-up', bundle: '/' }));
  host.keepShapes(false);
}
