import t from 'tap';
import { SpecError } from '../../../../src/config/validate/finding.ts';
import { unknownProperties, validateSpec } from '../../../../src/config/validate/validate.ts';
import { oneLine } from '../../../../src/errors.ts';
import { type Example, exampleSpec } from './example.ts';

/** A change that the schema refuses, and the whole message. */
const cases: [change: (spec: Example) => void, message: string][] = [
  [(s) => set(s, 'hostname', 5), '/hostname: must be a string, found 5 (did you mean "5"?)'],
  [(s) => set(s, 'hostname', null), '/hostname: must be a string, found null'],
  [(s) => set(s, 'mounts', {}), '/mounts: must be an array, found an object (write it as a list: [ … ])'],
  [(s) => set(s.process, 'args', 'sh'), '/process/args: must be an array, found "sh" (did you mean ["sh"]?)'],
  [(s) => set(s.process, 'args', []), '/process/args: must not be empty, found an empty array'],
  [(s) => set(s, 'linux', []), '/linux: must be an object, found an empty array'],
  [
    (s) => set(s.process, 'terminal', 'true'),
    '/process/terminal: must be true or false, found "true" (did you mean true without quotes?)',
  ],
  [
    (s) => set(s.process.user, 'uid', '1000'),
    '/process/user/uid: must be an integer from 0 to 4294967295, found "1000" (did you mean the number 1000?)',
  ],
  [
    (s) => set(s.process.user, 'umask', '0022'),
    '/process/user/umask: must be an integer from 0 to 4294967295, found "0022" ' +
      '(did you mean the number 18, which is octal 0022?)',
  ],
  [(s) => set(s.process.user, 'gid', -1), '/process/user/gid: must be an integer from 0 to 4294967295, found -1'],
  [
    (s) => set(s.process.user, 'additionalGids', [1, 1.5]),
    '/process/user/additionalGids/1: must be an integer from 0 to 4294967295, found 1.5',
  ],
  [(s) => set(s.process, 'oomScoreAdj', 'x'), '/process/oomScoreAdj: must be an integer, found "x"'],
  [
    (s) => set(s, 'hooks', { poststop: [{ path: '/x', timeout: 0 }] }),
    '/hooks/poststop/0/timeout: must be an integer of at least 1, found 0',
  ],
  [
    (s) => set(s.linux, 'resources', { cpu: { shares: -5, quota: 1 } }),
    '/linux/resources/cpu/shares: must be an integer from 0 to 18446744073709551615, found -5',
  ],
  [
    (s) => set(s.linux, 'resources', { pids: { limit: 1e30 } }),
    '/linux/resources/pids/limit: must be an integer from -9223372036854775808 to 9223372036854775807, found 1e+30',
  ],
  [
    (s) => set(s.linux, 'resources', { hugepageLimits: [{ pageSize: '2M', limit: 1 }] }),
    '/linux/resources/hugepageLimits/0/pageSize: must match ^[1-9][0-9]*[KMG]B$, found "2M" (such as 64KB, 2MB or 1GB)',
  ],
  [
    (s) => set(s.linux, 'personality', { domain: 'linux' }),
    '/linux/personality/domain: must be one of LINUX, LINUX32, found "linux" (did you mean "LINUX"?)',
  ],
  [
    (s) => set(s.linux, 'namespaces', [{ type: 'uts' }, { type: 'net' }]),
    '/linux/namespaces/1/type: must be one of mount, pid, network, uts, ipc, user, cgroup, time, found "net" ' +
      '(did you mean "network"?)',
  ],
  [
    (s) => set(s.linux, 'namespaces', [{ type: 'uts' }, { type: 'netwrok' }]),
    '/linux/namespaces/1/type: must be one of mount, pid, network, uts, ipc, user, cgroup, time, found "netwrok" ' +
      '(did you mean "network"?)',
  ],
  [
    (s) => set(s.process, 'rlimits', [{ type: 'RLIMIT_NOFIL', soft: 1, hard: 1 }]),
    '/process/rlimits/0/type: must be one of 16 known values, found "RLIMIT_NOFIL" (did you mean "RLIMIT_NOFILE"?)',
  ],
  [(s) => set(s, 'root', { Path: 'x' }), '/root: required property "path" is missing (is "Path" misspelt?)'],
  [
    (s) => set(s, 'root', undefined),
    'required property "root" is missing (add it, such as "root": {"path": "rootfs"})',
  ],
  [
    (s) => set(s, 'annotations', { 'a/b': 'x'.repeat(200).split('') }),
    '/annotations/a~1b: must be a string, found an array',
  ],
  [(s) => set(s.process, 'noNewPrivileges', 'x'.repeat(200)), noNewPrivileges()],
];

for (const [change, message] of cases) {
  t.test(message, async (t) => {
    const error = errorFor(change);
    t.equal(error.findings.length, 1);
    t.equal(error.message.replace(/^config\.json:\d+:\d+: /, ''), message);
  });
}

t.test('line and column of what is wrong', async (t) => {
  const text = '{"ociVersion": "1.0.0",\n "root": {"path": 1},\n "process": {\n  "args": ["a"]}}';
  t.strictSame(
    failure(text).findings.map(({ pointer, line, column }) => [pointer, line, column]),
    [
      ['/root/path', 2, 19],
      ['/process', 3, 13],
    ],
  );
});

t.test('all errors at once, of the schema and of the rules, in the order of the file', async (t) => {
  const {
    message,
    asLine: line,
    findings,
  } = errorFor((s) => {
    s.process.cwd = 'x';
    set(s, 'hostname', 1);
    s.linux.namespaces.push({ type: 'pid' });
  });
  t.strictSame(
    findings.map(({ rule, pointer }) => [rule, pointer]),
    [
      ['cwd-absolute', '/process/cwd'],
      ['schema', '/hostname'],
      ['namespace-duplicate', '/linux/namespaces/5'],
    ],
  );
  t.match(message, /^3 errors in config\.json\nconfig\.json:7:12: \/process\/cwd: .*\n.*\n.*$/);
  t.equal(line, oneLine(message), 'callers get one line');
  t.match(line, /^3 errors in config\.json; config\.json:7:12: .*; config\.json:\d+:\d+: \/hostname: /);
});

t.test('a rule reports nothing about what the schema has refused', async (t) => {
  const { findings } = errorFor((s) => {
    set(s.linux, 'namespaces', [{ type: 'utz' }]);
  });
  t.strictSame(
    findings.map(({ pointer }) => pointer),
    ['/linux/namespaces/0/type'],
    'whether the hostname has its namespace cannot be told',
  );
});

t.test('the path is given once, and the name of the file in each line', async (t) => {
  const spec = { ...exampleSpec(), hostname: 1, domainname: 2 };
  const { message } = failure(JSON.stringify(spec, null, 2), '/run/bundle/config.json');
  t.match(message, /^2 errors in \/run\/bundle\/config\.json\nconfig\.json:\d+:\d+: .*\nconfig\.json:\d+:\d+: [^\n]*$/);
  const one = failure(JSON.stringify({ ...exampleSpec(), hostname: 1 }), '/run/bundle/config.json');
  t.match(one.message, /^\/run\/bundle\/config\.json:1:\d+: \/hostname: [^\n]*$/);
});

t.test('a message has at most twenty of many errors', async (t) => {
  const { message, findings } = errorFor((s) => set(s.process, 'env', Array(1000).fill(5)));
  t.equal(findings.length, 1000);
  t.equal(message.split('\n').length, 22);
  t.match(message, /\nand 980 more$/);
});

t.test('a document that is not an object', async (t) => {
  t.equal(failure('[]').message, 'config.json:1:1: must be an object, found an empty array');
  t.equal(failure('null').message, 'config.json:1:1: must be an object, found null');
});

t.test('a seccomp value that would be rounded is refused, one that is exact is not', async (t) => {
  const text = (value: string) =>
    JSON.stringify({
      ...exampleSpec(),
      linux: {
        ...exampleSpec().linux,
        seccomp: {
          defaultAction: 'SCMP_ACT_ALLOW',
          syscalls: [{ names: ['x'], action: 'SCMP_ACT_LOG', args: [{ index: 0, value: 42.125, op: 'SCMP_CMP_EQ' }] }],
        },
      },
    }).replace('42.125', value);
  t.match(
    failure(text('9007199254740993')).message,
    /args\/0\/value: cannot be read exactly: 9007199254740993 is taken as/,
  );
  t.match(failure(text('18446744073709551614')).message, /18446744073709551614 is taken as 18446744073709551615/);
  for (const exact of ['9007199254740992', '18446744069414584320', '18446744073709551615']) {
    t.strictSame(validateSpec(JSON.parse(text(exact)), { text: text(exact), path: 'config.json' }).warnings, []);
  }
});

t.test('unknown properties are accepted and listed', async (t) => {
  const spec = exampleSpec();
  set(spec, 'proces', {});
  set(spec.root, 'readOnly', true);
  set(spec.linux, 'intelRdt', { enableCMT: true });
  set(spec.linux, 'seccomp', {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['a'], action: 'SCMP_ACT_LOG', x: 1 }],
  });
  set(spec, 'windows', { layerFolders: [], anything: 1 });
  set(spec, 'annotations', { 'org.example': 'not a property' });
  const text = JSON.stringify(spec);
  const source = { text, path: 'config.json' };
  t.strictSame(validateSpec(JSON.parse(text), source).warnings, []);
  t.strictSame(
    unknownProperties(JSON.parse(text), source)
      .map(({ pointer, hint }) => [pointer, hint])
      .sort(),
    [
      ['/linux/intelRdt/enableCMT', 'replaced by enableMonitoring'],
      ['/linux/seccomp/syscalls/0/x', undefined],
      ['/proces', undefined],
      ['/root/readOnly', 'did you mean "readonly"?'],
    ],
    'but not the property that is there as well',
  );
});

t.test('of a hundred thousand errors it looks for a thousand', async (t) => {
  const { message, findings } = errorFor((spec) => {
    set(spec.process, 'args', Array(100_000).fill(0));
    // Then no rule runs, because none could rely on types.
    set(spec.linux, 'namespaces', 7);
  });
  t.equal(findings.length, 1000);
  t.match(message, /^1000 or more errors in config.json\n(.*\n){20}and 980 more$/);
});

t.test('it looks for no more hints than anybody reads', async (t) => {
  const spec = exampleSpec();
  set(spec.process, 'capabilities', { bounding: Array.from({ length: 500 }, (_, i) => `CAP_CHOWN_${i}`) });
  const { warnings } = validateSpec(spec, { text: JSON.stringify(spec), path: 'config.json' });
  t.equal(warnings.length, 500);
  t.equal(warnings.filter(({ hint }) => hint === 'did you mean "CAP_CHOWN"?').length, 100);
});

function noNewPrivileges(): string {
  return `/process/noNewPrivileges: must be true or false, found "${'x'.repeat(59)}… (202 characters)`;
}

function set(target: object | undefined, name: string, value: unknown): void {
  Object.assign(target ?? {}, { [name]: value });
}

function errorFor(change: (spec: Example) => void): SpecError {
  const spec = exampleSpec();
  change(spec);
  return failure(JSON.stringify(spec, null, 2));
}

function failure(text: string, path = 'config.json'): SpecError {
  try {
    validateSpec(JSON.parse(text), { text, path });
  } catch (error) {
    if (error instanceof SpecError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}
