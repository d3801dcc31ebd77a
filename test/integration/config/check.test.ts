/** `check` agrees with what run does. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import t from 'tap';
import { readIfThere } from '../../../src/there.ts';
import { requires, type Sandbox, type Spec, sandbox } from '../../harness/index.ts';
import { sarifSchema } from './sarif-schema.ts';

const skip = requires({ root: true, runtime: 'tsrun' });

t.test('a bundle that runs passes', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['true'];
  });
  const { code, stdout, stderr } = await box.runtime(['check', '--bundle', bundle.directory]);
  t.equal(code, 0);
  t.match(stdout, /config\.json: no problems found\n$/);
  t.equal(stderr, '');
  t.equal((await box.runtime(['run', '--bundle', bundle.directory, box.newId()])).code, 0);
});

t.test('errors are a list with places, and the exit code is 1', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['no-such-program'];
    spec.mounts.push({ destination: '/data', source: '/no/such/directory', options: ['bind'] });
  });
  const { code, stdout } = await box.runtime(['check', '--format', 'json', '--bundle', bundle.directory]);
  t.equal(code, 1);
  const report = JSON.parse(stdout);
  t.equal(report.ok, false);
  t.match(
    report.errors.map(({ pointer }: { pointer: string }) => pointer),
    ['/process/args/0', '/mounts/7/source'],
  );
  t.ok(report.errors.every(({ line, column }: { line: number; column: number }) => line > 0 && column > 0));
  t.not((await box.runtime(['run', '--bundle', bundle.directory, box.newId()])).code, 0);
});

t.test('a bundle without a config is the one-line error of every command', { skip }, async (t) => {
  const box = sandbox(t);
  const { code, stdout, stderr } = await box.runtime(['check', '--bundle', box.directory]);
  t.equal(code, 1);
  t.equal(stdout, '');
  t.match(stderr, 'JSON specification file config.json not found');
});

/** The report of check for a bundle that is right except for the edit. */
async function report(box: Sandbox, edit: (spec: Spec) => void, ...options: string[]) {
  const bundle = box.bundle((spec) => {
    spec.process.args = ['true'];
    edit(spec);
  });
  const { stdout } = await box.runtime(['check', '--format', 'json', ...options, '--bundle', bundle.directory]);
  return JSON.parse(stdout);
}

t.test('what check says of rules of a seccomp profile is so', { skip }, async (t) => {
  const box = sandbox(t);
  /** What kill(2) answers to the shell, with these entries for it, and the pointers of check's warnings. */
  const answers = async (signal: number, ...entries: object[]) => {
    const bundle = box.bundle((spec) => {
      spec.process.args = ['sh', '-c', `kill -${signal} 2147483647`];
      const syscalls = entries.map((entry) => ({ names: ['kill'], action: 'SCMP_ACT_ERRNO', ...entry }));
      spec.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: syscalls as never };
    });
    const { stderr } = await box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
    const { stdout } = await box.runtime(['check', '--format', 'json', '--bundle', bundle.directory]);
    return [stderr.trim().replace(/^.*: /, ''), ...pointers(JSON.parse(stdout).warnings)];
  };
  const when = (...conditions: object[]) => ({
    errnoRet: 22,
    args: conditions.map((one) => ({ index: 1, op: 'SCMP_CMP_EQ', value: 0, ...one })),
  });
  t.same(await answers(0, when({})), ['Invalid argument']);
  t.same(await answers(0, when({}), {}), ['Operation not permitted', '/linux/seccomp/syscalls/0/args']);
  const masked = when({ op: 'SCMP_CMP_MASKED_EQ', value: 0x0f, valueTwo: 0x1f });
  t.same(await answers(15, masked), ['Invalid argument', '/linux/seccomp/syscalls/0/args/0/valueTwo']);
  const either = when({ value: 1 }, { value: 15 });
  t.same(await answers(15, either), ['Invalid argument', '/linux/seccomp/syscalls/0/args/1/index']);
  t.same(await answers(2, either), ['No such process', '/linux/seccomp/syscalls/0/args/1/index']);
});

const pointers = (findings: { pointer: string }[]) => findings.map(({ pointer }) => pointer);

t.test('options are tried in the kernel, which keeps nothing', { skip }, async (t) => {
  const box = sandbox(t);
  const before = [readFileSync('/proc/self/mountinfo', 'utf8'), readIfThere('/proc/modules')];
  const { errors } = await report(box, (spec) => {
    spec.mounts.push(
      { destination: '/a', type: 'tmpfs', source: 'tmpfs', options: ['size=64k', 'no-such-option', 'size=12q'] },
      { destination: '/b', type: 'proc', source: 'proc', options: ['hidepid=2'] },
      { destination: '/c', type: 'mqueue', source: 'mqueue', options: ['x=1'] },
      { destination: '/d', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'ro', 'lazytime', 'mode=755'] },
    );
  });
  t.same(pointers(errors), ['/mounts/7/options/1', '/mounts/7/options/2', '/mounts/9/options/0']);
  t.match(errors[0].message, /Unknown parameter 'no-such-option'/);
  t.match(errors[1].message, /Bad value for 'size'/);
  t.same([readFileSync('/proc/self/mountinfo', 'utf8'), readIfThere('/proc/modules')], before);
});

t.test('a program that cannot be executed is reported as run does', { skip }, async (t) => {
  const box = sandbox(t);
  const programs: Record<string, [text: string, mode: number, message: RegExp]> = {
    plain: ['#!/bin/sh\n', 0o644, /\/bin\/plain is not an executable file/],
    script: ['#!/no/such/shell\n', 0o755, /interpreter "\/no\/such\/shell" of \/bin\/script is not in/],
    empty: ['', 0o755, /neither an ELF program nor a script/],
  };
  for (const [name, [text, mode, message]] of Object.entries(programs)) {
    const bundle = box.bundle((spec) => (spec.process.args = [name]));
    const path = join(bundle.directory, 'rootfs/bin', name);
    writeFileSync(path, text);
    chmodSync(path, mode);
    const { stdout } = await box.runtime(['check', '--format', 'json', '--bundle', bundle.directory]);
    t.match(JSON.parse(stdout).errors, [{ pointer: '/process/args/0', message }]);
    t.not((await box.runtime(['run', '--bundle', bundle.directory, box.newId()])).code, 0);
  }
});

t.test('unknown names', { skip }, async (t) => {
  const box = sandbox(t);
  const { ok, warnings } = await report(box, (spec) => {
    spec.process.user = { username: 'nobody' } as never;
    spec.process.capabilities = { bounding: ['SYS_ADMIN'] } as never;
    spec.linux.cgroupsPath = 'system.slice:tsrun:x';
    spec.linux.seccomp = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['unshre'], action: 'SCMP_ACT_ERRNO' }],
    };
  });
  t.equal(ok, true);
  const expected = [
    '/linux/cgroupsPath',
    '/linux/seccomp/syscalls',
    '/linux/seccomp/syscalls/0/names/0',
    '/process/capabilities/bounding/0',
    '/process/user/username',
  ];
  t.same(pointers(warnings).sort(), expected);
  t.match(
    warnings.map(({ hint }: { hint?: string }) => hint),
    new Set(['did you mean "unshare"?', 'did you mean "CAP_SYS_ADMIN"?']),
  );
});

t.test('another file in place of config.json', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => (spec.process.args = ['true']));
  const other = join(box.directory, 'other.json');
  writeFileSync(other, readFileSync(join(bundle.directory, 'config.json'), 'utf8').replace('"true"', '"untrue"'));
  const { code, stdout } = await box.runtime(['check', '--config', other, '--bundle', bundle.directory]);
  t.equal(code, 1);
  t.match(stdout, new RegExp(`^error: ${other}:\\d+:\\d+: /process/args/0: "untrue" is not in any directory`));
});

t.test('programs get their document also for a file that is not JSON, or missing', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle(() => undefined);
  const path = join(bundle.directory, 'config.json');
  writeFileSync(path, '{\n  "ociVersion": tru\n}');
  const check = (format: string, directory = bundle.directory) =>
    box.runtime(['check', '--format', format, '--bundle', directory]);
  const json = await check('json');
  t.equal(json.code, 1);
  t.equal(json.stderr, '');
  t.match(JSON.parse(json.stdout), { ok: false, path, errors: [{ rule: 'json', pointer: '', line: 2 }], warnings: [] });
  t.match((await check('github')).stdout, /^::error file=.*config\.json,line=2,col=\d+,title=json::/);
  const absent = await check('json', join(box.directory, 'nowhere'));
  t.match(JSON.parse(absent.stdout), {
    ok: false,
    errors: [{ message: /config\.json not found/, line: 1, column: 1 }],
  });
  t.match((await check('text')).stderr, /level=error msg=".*config\.json:2:/);
});

t.test('SARIF output fits its schema', { skip }, async (t) => {
  const box = sandbox(t);
  const validate = new Ajv({ strict: false }).compile(sarifSchema);
  const edits: ((spec: Spec) => void)[] = [
    () => undefined,
    (spec) => {
      spec.process.cwd = 'relative';
      spec.process.args = ['no-such'];
      Object.assign(spec, { hostnam: 'x' });
    },
  ];
  for (const edit of edits) {
    const bundle = box.bundle(edit);
    const { stdout } = await box.runtime(['check', '--format', 'sarif', '--bundle', bundle.directory]);
    t.ok(validate(JSON.parse(stdout)), JSON.stringify(validate.errors));
  }
  t.notOk(validate({ version: '2.1.0', runs: [{}] }), 'the schema refuses something');
});
