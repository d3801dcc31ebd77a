/** `checkpoint` and `restore` that fail: the error, and what is left. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Checkpoints, type Witness, witness } from '../../harness/checkpointed.ts';
import { criuForTests } from '../../harness/criu.ts';
import { inUserNamespace, requires, sandbox } from '../../harness/index.ts';

t.setTimeout(30 * 60 * 1000);
const criu = await criuForTests();
const skip = requires({ runtime: 'tsrun' }) || criu.skip;

/** A false criu that is found first. */
function otherCriu(at: Checkpoints, script: string): Record<string, string> {
  const bin = join(at.box.directory, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'criu'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { ...at.env, PATH: `${bin}:${criu.path}` };
}

t.test('without criu, or with an old one, nothing is touched', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle();
  const id = await at.start(bundle);
  const line = ['checkpoint', '--image-path', at.images(), id];
  const none = await at.box.runtime(line, { env: { ...at.env, PATH: '/nowhere' } });
  t.match(none, { code: 1, stderr: /need criu, and there is none on the PATH \(hint: install the package criu, 4\.0/ });
  // {type: VERSION, success: true, version: {3, 17}}
  const perl = `perl -e 'open(S, "+<&=", $ARGV[1]); sysread(S, $x, 999); syswrite(S, "\\x08\\x0a\\x10\\x01\\x52\\x04\\x08\\x03\\x10\\x11"); sysread(S, $x, 999)' "$@"`;
  const tooOld = await at.box.runtime(line, { env: otherCriu(at, `exec ${perl}`) });
  t.match(tooOld, { code: 1, stderr: /criu 3\.17 is too old: tsrun needs 4\.0 or later/ });
  t.equal((await at.box.state(id)).status, 'running');
  t.notOk(readdirSync(at.box.directory).includes('images'));
});

t.test('a criu that is killed half-way leaves the container running, not frozen', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle();
  const id = await at.start(bundle);
  // This criu freezes the container, and dies.
  const freeze = join(at.box.cgroupOf(bundle), 'cgroup.freeze');
  const script = `perl -e 'open(S, "+<&=", $ARGV[1]); sysread(S, $x, 999); syswrite(S, "\\x08\\x0a\\x10\\x01\\x52\\x04\\x08\\x04\\x10\\x02"); sysread(S, $x, 9999); open(F, ">", "${freeze}"); syswrite(F, "1"); kill 9, $$' "$@"`;
  const { code, stderr } = await at.box.runtime(['checkpoint', '--image-path', at.images(), id], {
    env: otherCriu(at, `exec ${script}`),
  });
  t.equal(code, 1);
  t.match(stderr, /cannot checkpoint the container: criu was ended before it was done/);
  await at.goesOn(bundle, witness(bundle));
  t.equal((await at.box.state(id)).status, 'running');
});

/**
 * Lines of dump.log, as CRIU writes them one after another, once its code is out of the processes: with CRIU killed
 * before, one of them can be left in the middle of a system call that it never made, and end.
 */
const moments = ['Dumping mountpoints', 'Dump NET namespace', 'Running ip rule save'];

t.test('the real criu, killed at several moments of a dump: the container goes on, not frozen', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle();
  const id = await at.start(bundle);
  const killed: string[] = [];
  for (const [index, moment] of moments.entries()) {
    const images = at.images(`killed-${index}`);
    const log = join(images, 'dump.log');
    // A child of CRIU kills it once the line is there.
    const script = `(until grep -qs '${moment}' ${log}; do test -e ${log}.end && exit; done; kill -9 $$) &
      export PATH='${criu.path}'; exec criu "$@"`;
    const line = ['checkpoint', '--network-lock', 'skip', '--leave-running', '--image-path', images, id];
    const { code, stderr } = await at.box.runtime(line, { env: otherCriu(at, script) });
    writeFileSync(`${log}.end`, '');
    if (code === 0) continue;
    killed.push(moment);
    t.match(stderr, /cannot checkpoint the container: criu was ended before it was done/);
    await at.goesOn(bundle, witness(bundle));
    t.equal((await at.box.state(id)).status, 'running');
  }
  t.comment(`killed at: ${killed.join(', ')}`);
  t.ok(killed.length > 0);
  await at.checkpoint(id);
  const saved = witness(bundle) as Witness;
  await at.restore(bundle);
  await at.goesOn(bundle, saved);
});

t.test('what CRIU cannot save is said in its words, with what helps; the container goes on', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle(undefined, ['tcp']);
  const id = await at.start(bundle);
  const { code, stderr } = await at.runtime(['checkpoint', '--network-lock', 'skip', '--image-path', at.images(), id]);
  t.equal(code, 1);
  t.match(stderr, /cannot checkpoint the container: criu: .*Connected TCP socket.*hint: .*--tcp-established/);
  t.match(stderr, `the whole log is ${at.images()}/dump.log`);
  t.equal(stderr.trim().split('\n').length, 1);
  await at.goesOn(bundle, witness(bundle));
});

t.test('an image directory that is full', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle();
  const id = await at.start(bundle);
  const small = join(at.box.directory, 'small');
  mkdirSync(small);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', small]);
  t.teardown(() => execFileSync('umount', [small]));
  const line = ['checkpoint', '--network-lock', 'skip', '--work-path', at.box.directory, '--image-path', small, id];
  const { code, stderr } = await at.runtime(line);
  t.equal(code, 1);
  t.match(stderr, /No space left on device.*hint: the filesystem of --image-path is full/);
  await at.goesOn(bundle, witness(bundle));
});

t.test('a bind mount that the config at restore lacks is named', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle((spec) => {
    spec.mounts.push({ destination: '/data', source: at.box.directory, options: ['bind'] });
  });
  await at.checkpoint(await at.start(bundle));
  bundle.edit((spec) => spec.mounts.pop());
  const line = ['restore', '--image-path', at.images(), '--bundle', bundle.directory, at.box.newId()];
  const { stderr } = await at.runtime(line);
  t.match(stderr, /\/mounts: the checkpoint has a mount at \/data, and config\.json does not/);
});

t.test('a container that does not run cannot be saved', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const id = await at.create(at.bundle());
  const said = async () => (await at.runtime(['checkpoint', '--image-path', at.images(), id])).stderr;
  t.match(await said(), /Container cannot be checkpointed in created state \(hint: start it first\)/);
  await at.box.runtimeOk(['kill', id, 'KILL']);
  await at.box.waitForState(id, 'stopped');
  t.match(await said(), /Container cannot be checkpointed in stopped state/);
});

t.test('a restore that fails leaves nothing behind', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle();
  const id = await at.start(bundle);
  const restore = async (images: string, name = at.box.newId(), flags: string[] = []) => {
    const where = ['--image-path', images, '--bundle', bundle.directory];
    const outputFiles = join(at.box.directory, 'restore');
    const line = ['restore', '--detach', '--network-lock', 'skip', ...where, ...flags, name];
    const { code, stderr } = await at.runtime(line, { outputFiles });
    t.equal(code, 1);
    t.equal(stderr.trim().split('\n').length, 1, stderr);
    return stderr;
  };
  t.match(await restore('/nowhere'), /--image-path \/nowhere: there is no such directory/);
  t.match(await restore(at.box.directory), /there is no checkpoint in it/);
  await at.checkpoint(id);
  const other = await at.start(at.bundle());
  t.match(await restore(at.images(), other), /container with given ID already exists/);
  t.match(await restore(at.images(), undefined, ['--pid-file', '/nowhere/pid']), /--pid-file: .*ENOENT/);
  const pages = readdirSync(at.images()).find((name) => name.startsWith('pages-')) ?? '';
  const { size } = statSync(join(at.images(), pages));
  // tsrun sees this before it starts CRIU, which would hang on such images for ever.
  truncateSync(join(at.images(), pages), size - 1);
  t.match(await restore(at.images()), `${pages} has ${size - 1} bytes, and had ${size} when it was written (hint: `);
  rmSync(join(at.images(), pages));
  t.match(await restore(at.images()), `${pages} is missing`);
  writeFileSync(join(at.images(), 'tsrun-sizes.json'), '{');
  t.match(await restore(at.images()), /tsrun-sizes\.json is damaged/);
  const list = JSON.parse((await at.box.runtimeOk(['list', '--format', 'json'])).stdout) as { id: string }[];
  t.same(
    list.map((each) => each.id),
    [other],
  );
  const cgroup = join(at.box.cgroupOf(bundle), 'cgroup.procs');
  t.throws(() => readFileSync(cgroup), /ENOENT/, 'its cgroup is gone');
});

t.test('images that the root of a user namespace may not read are named before CRIU starts', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle((spec) => inUserNamespace(spec));
  execFileSync('chown', ['-R', '100000:100000', bundle.rootfs]);
  const before = process.umask(0);
  t.teardown(() => process.umask(before));
  await at.checkpoint(await at.start(bundle));
  const saved = witness(bundle) as Witness;
  const core = join(at.images(), 'core-1.img');
  const where = ['--image-path', at.images(), '--bundle', bundle.directory];
  const outputFiles = join(at.box.directory, 'restore');
  const refused = async () => {
    const { code, stderr } = await at.runtime(['restore', '--detach', ...where, at.box.newId()], { outputFiles });
    t.equal(code, 1);
    t.notOk(existsSync(join(at.images(), 'restore.log')), 'CRIU was not started');
    return stderr;
  };
  t.match(await refused(), `user 100000, who may not read ${at.images()} (hint: chmod -R a+rX ${at.images()}, `);
  chmodSync(at.images(), 0o711);
  chmodSync(core, 0o600);
  t.match(await refused(), `user 100000, who may not read ${core} (hint: `);
  execFileSync('chmod', ['-R', 'a+rX', at.images(), at.box.directory]);
  await at.restore(bundle);
  await at.goesOn(bundle, saved);
});

t.test('a criu that is killed during a restore leaves nothing behind; the images serve again', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle((spec) => {
    const log = join(at.box.directory, 'hooks');
    const poststop = [{ path: '/bin/sh', args: ['sh', '-c', `echo poststop >> ${log}`] }];
    // CRIU is a child of the hook's parent, and waits for it with empty namespaces.
    const kill = `test -e ${log}.kill && for pid in $(cat /proc/$PPID/task/*/children); do
      case $pid:$(cat /proc/$pid/cmdline) in $$:*) ;; *swrk*) kill -9 $pid;; esac; done; true`;
    spec.hooks = { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', kill] }], poststop };
  });
  const id = await at.start(bundle);
  await at.checkpoint(id);
  const saved = witness(bundle) as Witness;
  rmSync(join(at.box.directory, 'hooks'));
  writeFileSync(join(at.box.directory, 'hooks.kill'), '');
  const where = ['--image-path', at.images(), '--bundle', bundle.directory];
  const outputFiles = join(at.box.directory, 'restore');
  const { code, stderr } = await at.runtime(['restore', '--detach', ...where, id], { outputFiles });
  t.match({ code, stderr }, { code: 1, stderr: /cannot restore the container: criu was ended before it was done/ });
  t.equal(stderr.trim().split('\n').length, 1, stderr);
  t.match((await at.box.runtime(['state', id])).stderr, /container does not exist/);
  t.notOk(existsSync(at.box.cgroupOf(bundle)), 'its cgroup and all processes in it are gone');
  t.equal(readFileSync(join(at.box.directory, 'hooks'), 'utf8'), 'poststop\n');
  rmSync(join(at.box.directory, 'hooks.kill'));
  await at.restore(bundle);
  await at.goesOn(bundle, saved);
});

t.test('images that are torn in a way that only CRIU sees: its words, and nothing is left', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle();
  await at.checkpoint(await at.start(bundle));
  // As if another runtime had made them.
  rmSync(join(at.images(), 'tsrun-sizes.json'));
  const where = ['--image-path', at.images(), '--bundle', bundle.directory];
  const outputFiles = join(at.box.directory, 'restore');
  for (const tear of [
    (path: string) => truncateSync(path, statSync(path).size - 3),
    (path: string) => writeFileSync(path, 'no image'),
    (path: string) => rmSync(path),
  ]) {
    tear(join(at.images(), 'core-1.img'));
    const { code, stderr } = await at.runtime(['restore', '--detach', ...where, at.box.newId()], { outputFiles });
    t.match(
      { code, stderr },
      { code: 1, stderr: /cannot restore the container: criu: .*the whole log is .*restore\.log/ },
    );
    t.equal(stderr.trim().split('\n').length, 1, stderr);
    t.notOk(existsSync(at.box.cgroupOf(bundle)));
  }
});
