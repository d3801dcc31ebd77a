/** What a person at a terminal is told of a broken config: the property, its place with a mark, and a way out. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { atTerminal, defaultSpec, requires, type Spec, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true, runtime: 'tsrun', commands: ['script'] });

interface Broken {
  readonly edit: (spec: Spec, bundle: string) => void;
  /** In the first line. */
  readonly property: RegExp;
  /** In what says how to mend it: the hint, or the message where that is all there is to say. */
  readonly wayOut: RegExp;
  /** The text under the mark. */
  readonly marked: RegExp;
}

const set = (spec: Spec, path: string, value: unknown) => {
  const names = path.split('/').slice(1);
  const last = names.pop() ?? '';
  const holder = names.reduce(
    (at, name) => at[name] as Record<string, unknown>,
    spec as unknown as Record<string, unknown>,
  );
  holder[last] = value;
};

const configs: Readonly<Record<string, Broken>> = {
  'a string for a number': {
    edit: (spec) => set(spec, '/process/user/uid', '1000'),
    property: /\/process\/user\/uid/,
    wayOut: /must be an integer from 0/,
    marked: /^"1000"$/,
  },
  'a capability without its prefix': {
    edit: (spec) => set(spec, '/process/rlimits/0/type', 'NOFILE'),
    property: /\/process\/rlimits\/0\/type/,
    wayOut: /RLIMIT_NOFILE/,
    marked: /^"NOFILE"$/,
  },
  'a misspelt required property': {
    edit: ({ process }) => {
      Object.assign(process, { arg: process.args });
      Reflect.deleteProperty(process, 'args');
    },
    property: /\/process: required property "args" is missing/,
    wayOut: /is "arg" misspelt/,
    marked: /^\{$/,
  },
  'a relative working directory': {
    edit: (spec) => set(spec, '/process/cwd', 'srv'),
    property: /\/process\/cwd/,
    wayOut: /absolute/,
    marked: /^"srv"$/,
  },
  'no program of that name': {
    edit: (spec) => set(spec, '/process/args', ['ngnix']),
    property: /exec: "ngnix": executable file not found/,
    wayOut: /inside the root filesystem/,
    marked: /^"ngnix"$/,
  },
  'a program that may not be executed': {
    edit: (spec, bundle) => {
      writeFileSync(join(bundle, 'rootfs/bin/serve'), '#!/bin/sh\n');
      chmodSync(join(bundle, 'rootfs/bin/serve'), 0o644);
      spec.process.args = ['/bin/serve'];
    },
    property: /exec: "\/bin\/serve": permission denied/,
    wayOut: /chmod \+x/,
    marked: /^"\/bin\/serve"$/,
  },
  'a script whose interpreter is missing': {
    edit: (spec, bundle) => {
      writeFileSync(join(bundle, 'rootfs/bin/script'), '#!/usr/bin/pyton3\n');
      chmodSync(join(bundle, 'rootfs/bin/script'), 0o755);
      spec.process.args = ['/bin/script'];
    },
    property: /\/bin\/script/,
    wayOut: /interpreter/,
    marked: /^"\/bin\/script"$/,
  },
  'a variable without a value': {
    edit: (spec) => set(spec, '/process/env', ['PATH=/bin', 'DEBUG']),
    property: /\/process\/env\/1/,
    wayOut: /NAME=value/,
    marked: /^"DEBUG"$/,
  },
  'a soft limit above the hard one': {
    edit: (spec) => set(spec, '/process/rlimits', [{ type: 'RLIMIT_NOFILE', soft: 20, hard: 10 }]),
    property: /\/process\/rlimits\/0\/soft/,
    wayOut: /must not be above the hard limit 10/,
    marked: /^20$/,
  },
  'an OOM score out of range': {
    edit: (spec) => set(spec, '/process/oomScoreAdj', 5000),
    property: /\/process\/oomScoreAdj/,
    wayOut: /from -1000 to 1000/,
    marked: /^5000$/,
  },
  'no root filesystem': {
    edit: (spec) => set(spec, '/root/path', 'rotfs'),
    property: /\/root\/path: .*rotfs does not exist/,
    wayOut: /counts from the bundle/,
    marked: /^"rotfs"$/,
  },
  'a source that is not there': {
    edit: ({ mounts }) => mounts.push({ destination: '/data', source: '/srv/dta', options: ['bind'] }),
    property: /\/mounts\/7.*\/srv\/dta: no such file/,
    wayOut: /source of a bind mount must be there/,
    marked: /^("\/srv\/dta"|\{)$/,
  },
  'a bind mount without bind': {
    edit: ({ mounts }) => mounts.push({ destination: '/data', source: '/etc', type: 'bind' }),
    property: /\/mounts\/7\/type/,
    wayOut: /needs "bind" or "rbind" in its options/,
    marked: /^"bind"$/,
  },
  'a filesystem that nobody has': {
    edit: ({ mounts }) => mounts.push({ destination: '/data', source: 'x', type: 'tmpsf' }),
    property: /\/mounts\/7/,
    wayOut: /knows no filesystem type tmpsf/,
    marked: /^\{$/,
  },
  'a misspelt option of tmpfs': {
    edit: ({ mounts }) =>
      mounts.push({ destination: '/data', source: 'tmpfs', type: 'tmpfs', options: ['nosuid', 'siez=1m'] }),
    property: /\/mounts\/7.*siez/,
    wayOut: /neither an option of mount\(8\) nor one of tmpfs: is it misspelt/,
    marked: /./,
  },
  'a size of tmpfs with a wrong unit': {
    edit: ({ mounts }) => mounts.push({ destination: '/data', source: 'tmpfs', type: 'tmpfs', options: ['size=5x'] }),
    property: /\/mounts\/7.*size/,
    wayOut: /size=64m/,
    marked: /./,
  },
  'a namespace of no known type': {
    edit: ({ linux }) => linux.namespaces.push({ type: 'net' as never }),
    property: /\/linux\/namespaces\/6\/type/,
    wayOut: /network/,
    marked: /^"net"$/,
  },
  'a namespace twice': {
    edit: ({ linux }) => linux.namespaces.push({ type: 'pid' }),
    property: /\/linux\/namespaces\/6/,
    wayOut: /remove one of the two/,
    marked: /^\{$/,
  },
  'a namespace to join that is not there': {
    edit: ({ linux }) => {
      linux.namespaces = linux.namespaces.filter(({ type }) => type !== 'network');
      linux.namespaces.push({ type: 'network', path: '/run/netns/webb' });
    },
    property: /\/linux\/namespaces\/5.*\/run\/netns\/webb/,
    wayOut: /hint: /,
    marked: /./,
  },
  'a host name without a namespace for it': {
    edit: ({ linux }) => {
      linux.namespaces = linux.namespaces.filter(({ type }) => type !== 'uts');
    },
    property: /\/hostname/,
    wayOut: /add \{"type": "uts"\} to \/linux\/namespaces/,
    marked: /^"tsrun"$/,
  },
  'mappings without a user namespace': {
    edit: ({ linux }) => {
      linux.uidMappings = [{ containerID: 0, hostID: 1000, size: 1 }];
    },
    property: /\/linux\/uidMappings/,
    wayOut: /add \{"type": "user"\} to \/linux\/namespaces/,
    marked: /^\[$/,
  },
  'a kernel parameter of the host': {
    edit: ({ linux }) => {
      linux.sysctl = { 'vm.swappiness': '1' };
    },
    property: /\/linux\/sysctl\/vm\.swappiness/,
    wayOut: /leave it out/,
    marked: /^"1"$/,
  },
  'a kernel parameter without its namespace': {
    edit: ({ linux }) => {
      linux.sysctl = { 'net.ipv4.ip_forward': '1' };
      linux.namespaces = linux.namespaces.filter(({ type }) => type !== 'network');
    },
    property: /\/linux\/sysctl\/net\.ipv4\.ip_forward/,
    wayOut: /add \{"type": "network"\}/,
    marked: /^"1"$/,
  },
  'a seccomp action of no known name': {
    edit: ({ linux }) => {
      linux.seccomp = { defaultAction: 'SCMP_ACT_DENY' as never };
    },
    property: /\/linux\/seccomp\/defaultAction/,
    wayOut: /SCMP_ACT_KILL|one of/,
    marked: /^"SCMP_ACT_DENY"$/,
  },
  'a seccomp listener without a socket': {
    edit: ({ linux }) => {
      linux.seccomp = {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['mount'], action: 'SCMP_ACT_NOTIFY' }],
      };
    },
    property: /\/linux\/seccomp: SCMP_ACT_NOTIFY needs listenerPath/,
    wayOut: /socket of the agent/,
    marked: /^\{$/,
  },
  'an AppArmor profile that nobody has': {
    edit: (spec) => set(spec, '/process/apparmorProfile', 'web'),
    property: /\/process\/apparmorProfile/,
    wayOut: /remove the property|load/,
    marked: /^"web"$/,
  },
  'a limit that only cgroup v1 had': {
    edit: ({ linux }) => {
      linux.resources = { memory: { swappiness: 10 } };
    },
    property: /\/linux\/resources\/memory\/swappiness/,
    wayOut: /hint: /,
    marked: /^10$/,
  },
  'a limit in words': {
    edit: ({ linux }) => {
      linux.resources = { memory: { limit: '512M' as never } };
    },
    property: /\/linux\/resources\/memory\/limit/,
    wayOut: /must be an integer/,
    marked: /^"512M"$/,
  },
  'a hook that is not there': {
    edit: (spec) => {
      spec.hooks = { createRuntime: [{ path: '/usr/bin/setup-netwrk' }] };
    },
    property: /\/usr\/bin\/setup-netwrk/,
    wayOut: /path counts on the host/,
    marked: /./,
  },
  'a hook with a relative path': {
    edit: (spec) => {
      spec.hooks = { prestart: [{ path: 'setup' }] };
    },
    property: /\/hooks\/prestart\/0\/path/,
    wayOut: /absolute/,
    marked: /^"setup"$/,
  },
  'a device where the image has something else': {
    edit: (spec, bundle) => {
      mkdirSync(join(bundle, 'rootfs/opt/fuse'), { recursive: true });
      spec.linux.devices = [{ type: 'c', path: '/opt/fuse', major: 10, minor: 229 }];
    },
    property: /\/linux\/devices\/0.*\/opt\/fuse/,
    wayOut: /remove it/,
    marked: /./,
  },
  'an annotation that promises a virtual machine': {
    edit: (spec) => {
      spec.annotations = { 'run.oci.handler': 'krun' };
    },
    property: /\/annotations\/run\.oci\.handler/,
    wayOut: /leave it out/,
    marked: /^"krun"$/,
  },
};

t.test('20 and more broken configs', { skip }, async (t) => {
  t.ok(Object.keys(configs).length >= 20);
  const box = sandbox(t);
  const bundle = box.bundle();
  for (const [what, { edit, property, wayOut, marked }] of Object.entries(configs)) {
    const spec = defaultSpec();
    edit(spec, bundle.directory);
    bundle.writeRaw(JSON.stringify(spec, null, 2));
    const { code, shown } = await atTerminal(box, bundle.directory, `run ${box.newId()}`);
    const lines = shown.trimEnd().split('\n');
    const first = lines[0] ?? '';
    t.not(code, 0, what);
    t.match(first, /^error: /, what);
    t.match(first, property, what);
    t.match(shown, wayOut, `${what}: a way out`);
    const at = lines.findIndex((line) => / --> config\.json:\d+:\d+$/.test(line));
    const [source = '', mark = ''] = lines.slice(at + 1);
    const column = mark.indexOf('^');
    t.ok(at > 0 && column > 0, `${what}: a place and a mark in ${shown}`);
    t.match(source.slice(column, column + (mark.match(/\^+/)?.[0].length ?? 0)), marked, `${what}: what is marked`);
    t.notMatch(shown, /level=|internal error/, what);
  }
});

t.test('text that is no config at all', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle();
  const path = join(bundle.directory, 'config.json');
  const texts: Readonly<Record<string, [text: string, says: RegExp]>> = {
    'a comma too many': ['{\n  "ociVersion": "1.0.2",\n}', /--> config\.json:3:1\n3 \| \}\n/],
    'a single quote': ['{\n  \'ociVersion\': "1.0.2"\n}', /--> config\.json:2:3\n/],
    'half a file': ['{\n  "ociVersion": "1.0.2"', /hint: .*disk full/],
    'an empty file': ['', /hint: `tsrun spec` writes/],
    'a list': ['[]', /must be an object/],
    'nothing that it needs': ['{}', /required property "ociVersion" is missing/],
  };
  for (const [what, [text, says]] of Object.entries(texts)) {
    writeFileSync(path, text);
    const { code, shown } = await atTerminal(box, bundle.directory, `run ${box.newId()}`);
    t.equal(code, 1, what);
    t.match(shown, /^error: /, what);
    t.match(shown, says, what);
  }
  const file = await atTerminal(box, '/', `run --bundle ${path} c`);
  t.match(
    file.shown,
    /^error: JSON specification file config\.json not found: --bundle is a directory, and .* a file\nhint: --bundle /,
  );
});
