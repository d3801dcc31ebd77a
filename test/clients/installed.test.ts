/** tsrun from the release's tarball, configured in dockerd and podman word for word as in docs/engines.md. */
import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { repoRoot, requires, type Sandbox, waitFor } from '../harness/index.ts';
import { suites } from '../vm/image.ts';
import { Containerd } from './containerd.ts';
import { Docker, dockerd } from './dockerd.ts';
import type { EnginePlace } from './engine-place.ts';
import { EngineTree, engineTrees, type Suite } from './engine-tree.ts';
import { imageName, ociArchive, rootfsArchive } from './image.ts';
import { shimEngines, shimType } from './resident-shim.ts';

/** The VM's checkout has no history, from which a release gets its time. */
const needs = engineTrees() || requires({ runtime: 'tsrun', files: ['build/standalone/tsrun', '.git'] });
const page = readFileSync(join(repoRoot, 'docs/engines.md'), 'utf8');
const shimPage = readFileSync(join(repoRoot, 'docs/shim.md'), 'utf8');

/** The indented block after a comment line that names the file. */
function blockFor(file: string): string {
  const [, block = ''] = new RegExp(`^ {4}# ${file}\\n((?: {4}.*\\n)+)`, 'm').exec(page) ?? [];
  return block.replace(/^ {4}/gm, '');
}

/** Unpacks and installs the tarball there, as docs/installing.md says. */
async function install(place: EnginePlace, prefix = ''): Promise<void> {
  released ??= releasedTarball(place.sandbox);
  const tarball = join(place.sandbox.directory, 'tsrun.tar.gz');
  writeFileSync(tarball, released);
  await place.outputOf(['tar', '-xzf', tarball, '-C', '/root']);
  await place.outputOf(['sh', '-c', `sh /root/tsrun-*-linux-x64/install.sh ${prefix}`]);
  await place.outputOf([`${prefix || '/usr/local'}/bin/tsrun`, '--version']);
}

/** A release takes half a minute, so there is one for all tests. */
let released: Buffer | undefined;

function releasedTarball({ directory }: Sandbox): Buffer {
  const release = join(directory, 'release');
  chmodSync(directory, 0o755);
  execFileSync('node', ['scripts/release.mjs', release], { cwd: repoRoot });
  const name = readdirSync(release).find((entry) => entry.endsWith('-linux-x64.tar.gz')) ?? 'no tarball';
  const tarball = readFileSync(join(release, name));
  rmSync(release, { recursive: true });
  return tarball;
}

/** A profile of the engine’s own is in force. */
const inside = ['sh', '-c', 'echo hello; grep ^Seccomp: /proc/self/status'];
const printed = 'hello\nSeccomp:\t2\n';

t.test('through dockerd', { skip: needs || dockerd() }, async (t) => {
  const settings = JSON.parse(blockFor('/etc/docker/daemon.json'));
  settings.runtimes.shim = shimOfPage();
  settings.runtimes['shim-by-path'] = { runtimeType: installedShim() };
  const docker = await Docker.start(t, settings);
  await install(docker.place);
  t.match(await docker.run([], ...inside), { code: 0, stdout: printed });
  t.match(await docker.run(['--runtime', 'tsrun'], ...inside), { code: 0, stdout: printed });
  await docker.detach([], 'box', 'sleep', '1000');
  t.equal(await docker.inspect('box', '.HostConfig.Runtime'), 'tsrun');
  const version = await docker.outputOf('info', '--format', '{{.DefaultRuntime}}');
  t.equal(version.trim(), 'tsrun');

  for (const runtime of ['shim', 'shim-by-path'])
    t.match(await docker.run(['--runtime', runtime], ...inside), { code: 0, stdout: printed }, runtime);
});

/** What docs/shim.md puts into daemon.json. */
function shimOfPage(): object {
  const [, json = ''] = /^ {4}(\{"runtimes": .*"runtimeType": "[^"]*"\}\}\})$/m.exec(shimPage) ?? [];
  return JSON.parse(json).runtimes.tsrun;
}

function installedShim(prefix = '/usr/local'): string {
  return `${prefix}/bin/containerd-shim-tsrun-v2`;
}

for (const suite of suites)
  t.test(`containerd of ${suite} with the installed shim`, { skip: needs }, (t) => runsWithShim(t, suite));

async function runsWithShim(t: Test, suite: Suite): Promise<void> {
  const place = await EngineTree.enter(t, { suite });
  await install(place);
  await install(place, '/opt/tsrun');
  // Nothing but what has been installed can be reached.
  await place.outputOf(['mount', '-t', 'tmpfs', 'hidden', repoRoot]);
  const containerd = await Containerd.startIn(place, 'tsrun-test');
  await containerd.outputOf('image', 'import', ociArchive(place.sandbox.directory));
  const run = (id: string, runtime: string, flag: string) => {
    const flags = ['--runtime', runtime, '--cpu-shares', '0', '--cgroup', `/${id}`, flag];
    return containerd.ctr('run', ...flags, imageName, id, 'sleep', '1000');
  };
  // The second finds the engine of the first, which has both.
  for (const [index, runtime] of [shimType, installedShim('/opt/tsrun')].entries()) {
    t.match(await run(`box${index}`, runtime, '--detach'), { code: 0, stderr: '' }, runtime);
    const exec = ['task', 'exec', '--exec-id', 'one', `box${index}`, 'sh', '-c', 'exit 3'];
    t.equal((await containerd.ctr(...exec)).code, 3);
  }
  const [engine, ...others] = await shimEngines(place);
  t.strictSame(others, []);
  t.match(await place.outputOf(['cat', `/proc/${engine}/cmdline`]), '\0/usr/local/lib/tsrun/shim-engine.mjs\0');
  for (const id of ['box0', 'box1']) await containerd.remove(id);

  // An engine that runs is found without Node.
  await waitFor('the engine to leave', async () => (await shimEngines(place)).length === 0 || undefined);
  await place.outputOf(['sh', '-c', 'mv $(command -v node) /root']);
  const refused = await run('refused', installedShim('/opt/tsrun'), '--rm');
  t.match(refused.stderr, /start failed: .*there is no node in PATH \(.*\): it needs Node 20 or later/);
}

/** containerd ignores unknown keys, so that it reads a file proves nothing. */
t.test('containerd takes what the pages give it', { skip: needs }, async (t) => {
  const readme = readFileSync(join(repoRoot, 'README.md'), 'utf8');
  const [, forVersion1 = ''] = /^```toml\n(.*?)^```$/ms.exec(readme) ?? [];
  const pages = [
    ['trixie', forVersion1, 'io.containerd.grpc.v1.cri'],
    ['forky', blockFor('/etc/containerd/config.toml'), 'io.containerd.cri.v1.runtime'],
  ] as const;
  for (const [suite, block, plugin] of pages) {
    const place = await EngineTree.enter(t, { suite });
    place.writeFile('/etc/containerd/config.toml', block);
    const { stdout } = await place.run(['containerd', 'config', 'dump']);
    const tables = stdout.replaceAll("'", '"').split(/^ *\[(?=plugins)/m);
    const table = (name: string) => tables.find((each) => each.startsWith(`plugins."${plugin}".${name}]`));
    t.match(table('containerd'), /^ *default_runtime_name = "tsrun"/m, suite);
    t.match(table('containerd.runtimes.tsrun'), /^ *runtime_type = "io.containerd.runc.v2"/m, suite);
    t.match(table('containerd.runtimes.tsrun.options'), /^ *BinaryName = "\/usr\/local\/bin\/tsrun"/m, suite);
  }
});

t.test('through podman', { skip: needs }, async (t) => {
  const parents = ['/pods/conmon', '/pods', '/libpod_parent/conmon', '/libpod_parent'];
  const place = await EngineTree.enter(t, { suite: 'trixie', parents });
  place.writeFile('/etc/containers/containers.conf', blockFor('/etc/containers/containers.conf'));
  // Settings for what the place lacks, which are not part of the page: systemd, a journal, a network, the pids
  // controller, CAP_SYS_RESOURCE.
  place.writeFile(
    '/etc/containers/containers.conf.d/place.conf',
    `[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n[containers]\nlog_driver = "k8s-file"\nnetns = "none"
pids_limit = 0\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n`,
  );
  await install(place);
  const podman = (...args: string[]) => place.run(['podman', '--storage-driver', 'vfs', ...args]);
  t.teardown(() => podman('rm', '--force', '--all', '--time', '0'));
  t.match(await podman('import', rootfsArchive(place.sandbox.directory), 'busybox'), { code: 0 });
  const run = await podman('run', '--rm', '--network', 'none', '--cgroup-parent', '/pods', 'busybox', ...inside);
  t.match(run, { code: 0, stdout: printed });
  t.match(await podman('info', '--format', '{{.Host.OCIRuntime.Path}} {{.Host.OCIRuntime.Version}}'), {
    stdout: /^\/usr\/local\/bin\/tsrun tsrun version \d/,
  });
});
