/** What the kubelet asks the CRI, and what must happen; the same outside and inside the VM. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import type { Test } from 'tap';
import { waitFor } from '../../harness/index.ts';
import type { EnginePlace } from '../engine-place.ts';
import { imageName } from '../image.ts';
import { type Cri, containerState, namespaceMode, type Pod } from './client.ts';
import type { Message } from './protobuf.ts';

export interface Setting {
  cri: Cri;
  place: EnginePlace;
  /** The path of the cgroup that the kubelet gives each pod; with the systemd driver that of a slice. */
  cgroupParent: string;
}

const attempts = 3;

const sleeper = { command: ['sleep', '1000'] };
const script = (text: string): Message => ({ command: ['sh', '-c', text] });

/**
 * Makes a pod, and removes it after the work. @param name also its hostname, which a pod in the node's network cannot
 * have
 */
async function inPod(setting: Setting, name: string, work: (pod: Pod) => Promise<void>, linux: Message = {}) {
  const { cri, cgroupParent } = setting;
  const pod = await cri.runPod(name, { cgroup_parent: cgroupParent, ...linux });
  await work(pod);
  await cri.removePod(pod);
}

/**
 * Creates, runs and removes a container; returns its exit code and log. On a busy machine the log of a short one may be
 * empty (see `heard` of ../containerd.ts); then it runs a few more times.
 */
async function logOf(setting: Setting, pod: Pod, config: Message): Promise<{ code: number; log: string }> {
  for (let attempt = 1; ; attempt++) {
    const result = await runOnce(setting, pod, config);
    if (result.log !== '' || attempt === attempts) return result;
  }
}

async function runOnce({ cri, place }: Setting, pod: Pod, config: Message): Promise<{ code: number; log: string }> {
  const box = await cri.run(pod, imageName, { log_path: 'short.log', ...config });
  await cri.waitForState(box, containerState.exited);
  const { exit_code: code } = await cri.status(box);
  await cri.remove(box);
  const text = place.readFile(`${cri.logDirectory}/short.log`);
  await place.outputOf(['rm', `${cri.logDirectory}/short.log`]);
  return { code, log: streamOf(text, 'stdout') + streamOf(text, 'stderr') };
}

/**
 * The text of one stream, from lines `TIME stdout F TEXT`. containerd reads the streams separately, so their order
 * means nothing.
 */
function streamOf(log: string, stream: 'stdout' | 'stderr'): string {
  const lines = log.split('\n').map((line) => line.split(' '));
  return lines.flatMap(([, name, , ...words]) => (name === stream ? [`${words.join(' ')}\n`] : [])).join('');
}

export async function containerLife(t: Test, setting: Setting) {
  const { cri } = setting;
  await inPod(setting, 'life', async (pod) => {
    const box = await cri.create(pod, imageName, script('trap "exit 5" TERM; : >/ready; while :; do sleep 0.1; done'));
    t.equal((await cri.status(box)).state, containerState.created);
    await cri.start(box);
    t.equal((await cri.status(box)).state, containerState.running);
    await cri.execSync(box, 'sh', '-c', 'until [ -e /ready ]; do sleep 0.1; done');
    const exec = await cri.execSync(box, 'sh', '-c', 'echo out; echo err >&2; exit 3');
    t.same(exec, { code: 3, stdout: 'out\n', stderr: 'err\n' });
    await t.rejects(cri.execSync(box, 'no-such-program'), /executable file .*not found in \$PATH/);
    await cri.stop(box, 100);
    t.match(await cri.status(box), { state: containerState.exited, exit_code: 5, reason: 'Error' });
    await cri.remove(box);

    const missing = await cri.create(pod, imageName, { command: ['no-such-program'] });
    await t.rejects(cri.start(missing), /executable file .*not found in \$PATH/);
    t.match(await cri.status(missing), { state: containerState.exited, reason: 'StartError' });
    await cri.remove(missing);
    const killed = await cri.run(pod, imageName, sleeper);
    await cri.stop(killed);
    t.match(await cri.status(killed), { exit_code: 137 });
  });
}

export async function runtimeClass(t: Test, setting: Setting) {
  const { cri, cgroupParent } = setting;
  const pod = await cri.runPod('class', { cgroup_parent: cgroupParent }, 'under-test');
  t.match(await logOf(setting, pod, script('echo hello')), { code: 0, log: /^hello\n/ });
  await cri.removePod(pod);
  await t.rejects(cri.runPod('other', {}, 'no-such-handler'), /no runtime for "no-such-handler" is configured/);
}

export async function processAttributes(t: Test, setting: Setting) {
  await inPod(setting, 'process', async (pod) => {
    const security = {
      run_as_user: { value: 1000 },
      run_as_group: { value: 1000 },
      supplemental_groups: [5],
      readonly_rootfs: true,
      no_new_privs: true,
      capabilities: { drop_capabilities: ['ALL'] },
      seccomp: { profile_type: 0 },
      masked_paths: ['/proc/keys'],
      readonly_paths: ['/proc/sys'],
      namespace_options: { pid: namespaceMode.container },
    };
    const look = [
      'echo $A $PWD $(hostname) $(id -u) $(id -g) $(id -G)',
      'touch /x || touch /proc/sys/kernel/domainname',
      'grep -E "CapBnd|NoNewPrivs|Seccomp:" /proc/self/status',
      'wc -c </proc/keys',
    ];
    const config = {
      ...script(`exec 2>&1; ${look.join('; ')}`),
      envs: [{ key: 'A', value: 'b' }],
      working_dir: '/tmp',
    };
    const { log } = await logOf(setting, pod, { ...config, linux: { security_context: security } });
    t.match(log, /^b \/tmp process 1000 1000 1000 5\n/);
    t.match(log, /\/x: Read-only file system\n.*domainname: .*(Read-only file system|Permission denied)/);
    t.match(log, /CapBnd:\t0{16}\nNoNewPrivs:\t1\nSeccomp:\t2\n0\n/);
    t.equal((await logOf(setting, pod, script('exit 9'))).code, 9);
  });
  const privileged = { security_context: { privileged: true } };
  await inPod(
    setting,
    'privileged',
    async (pod) => {
      const look = script(
        'exec 2>&1; mount -t tmpfs none /tmp && test -e /dev/full && grep -c ffffffff /proc/self/status',
      );
      t.match(await logOf(setting, pod, { ...look, linux: privileged }), { code: 0 });
    },
    privileged,
  );
}

/** @param withNode whether a pod can have the node's namespaces, too */
export async function podNamespaces(t: Test, setting: Setting, { withNode = true } = {}) {
  const { cri } = setting;
  const kinds = ['pid', 'ipc', 'uts', 'net'];
  const links = kinds.map((kind) => `readlink /proc/self/ns/${kind}`).join('; ');
  const namespacesOf = async (pod: Pod, options: Message) => {
    const config = { ...script(links), linux: { security_context: { namespace_options: options } } };
    return (await logOf(setting, pod, config)).log.trim().split('\n');
  };
  await inPod(setting, 'namespaces', async (pod) => {
    const [ownPid = '', ipc, uts, net] = await namespacesOf(pod, { pid: namespaceMode.container });
    const [podPid = '', ...others] = await namespacesOf(pod, { pid: namespaceMode.pod });
    t.same(others, [ipc, uts, net], 'ipc, uts and network are the pod’s');
    t.not(podPid, ownPid);
    t.equal((await namespacesOf(pod, { pid: namespaceMode.pod }))[0], podPid);

    const box = await cri.run(pod, imageName, sleeper);
    const target = (await cri.execSync(box, 'readlink', '/proc/self/ns/pid')).stdout.trim();
    t.equal((await namespacesOf(pod, { pid: namespaceMode.target, target_id: box }))[0], target, 'a debug container');
    t.match((await cri.podStatus(pod)).ip, /^10\.88\.0\.\d+$/);
    t.match((await cri.execSync(box, 'ip', 'address', 'show', 'eth0')).stdout, (await cri.podStatus(pod)).ip);
  });
  if (!withNode) return;
  const node = { pid: namespaceMode.node, ipc: namespaceMode.node, network: namespaceMode.node };
  const onNode = { security_context: { namespace_options: node } };
  const nodes = await setting.place.outputOf(['sh', '-c', links]);
  const [pid, ipc, , net] = nodes.trim().split('\n');
  const seeNode = async (pod: Pod) => {
    t.match(await namespacesOf(pod, node), [pid, ipc, /^uts/, net]);
  };
  await inPod(setting, '', seeNode, onNode);
}

export async function streams(t: Test, setting: Setting) {
  const { cri } = setting;
  await inPod(setting, 'streams', async (pod) => {
    const cat = await cri.run(pod, imageName, { command: ['cat'], stdin: true });
    const streamsOf = { stdin: true, stdout: true, stderr: true };
    const attached = await cri.stream(
      'Attach',
      { container_id: cat, ...streamsOf },
      { send: 'hello\n', until: 'hello' },
    );
    t.match(attached, { 1: 'hello\n' });

    const shell = { container_id: cat, cmd: ['sh', '-c', 'tty; read a; echo got $a; exit 4'], tty: true };
    const exec = await cri.stream('Exec', { ...shell, stdin: true, stdout: true }, { send: 'input\n' });
    t.match(exec[1], /^\/dev\/pts\/\d+\r$/m);
    t.match(exec[1], /got input\r\n/);
    t.match(JSON.parse(exec[3] ?? '{}'), {
      status: 'Failure',
      details: { causes: [{ reason: 'ExitCode', message: '4' }] },
    });

    await cri.run(pod, imageName, { command: ['nc', '-ll', '-p', '8080', '-e', 'cat'] });
    await waitFor('the server in the pod', async () =>
      (await cri.execSync(cat, 'sh', '-c', 'netstat -ltn | grep :8080')).code === 0 ? true : undefined,
    );
    const forward = { pod_sandbox_id: pod.id, port: [8080] };
    const answer = await cri.stream('PortForward', forward, { send: 'ping\n', until: 'ping', query: '?port=8080' });
    t.match(answer[0], /ping\n$/, 'the server listens in the pod’s network namespace');
  });
}

export async function mounts(t: Test, setting: Setting) {
  const { cri, place } = setting;
  const source = `${place.sandbox.directory}/volume`;
  mkdirSync(`${source}/below`, { recursive: true });
  await place.outputOf(['mount', '-t', 'tmpfs', 'tmpfs', `${source}/below`]);
  const mount = { container_path: '/data', host_path: source };
  const write = script('for file in /data/x /data/below/x; do touch $file && echo $file; done');
  await inPod(setting, 'mounts', async (pod) => {
    const written = async (options: Message) =>
      (await logOf(setting, pod, { ...write, mounts: [{ ...mount, ...options }] })).log.match(/^\/.*$/gm) ?? [];
    t.same(await written({}), ['/data/x', '/data/below/x']);
    t.same(await written({ readonly: true }), ['/data/below/x']);
    if ((await cri.handlerFeatures()).recursive_read_only_mounts) {
      t.same(await written({ readonly: true, recursive_read_only: true }), []);
    }

    const late = { ...mount, propagation: 1 };
    const box = await cri.run(pod, imageName, { ...sleeper, mounts: [late] });
    mkdirSync(`${source}/late`);
    await place.outputOf(['mount', '-t', 'tmpfs', 'tmpfs', `${source}/late`]);
    t.equal((await cri.execSync(box, 'stat', '-fc', '%T', '/data/late')).stdout, 'tmpfs\n', 'HostToContainer');
  });
  await place.outputOf(['umount', `${source}/below`, `${source}/late`]);
}

export async function userNamespaces(t: Test, setting: Setting) {
  const { cri, place } = setting;
  const ids = [{ host_id: 300_000, container_id: 0, length: 65_536 }];
  const options = { userns_options: { mode: namespaceMode.pod, uids: ids, gids: ids } };
  const source = `${place.sandbox.directory}/owned`;
  mkdirSync(source);
  chmodSync(source, 0o755);
  writeFileSync(`${source}/file`, '');
  chmodSync(place.sandbox.directory, 0o755);
  // containerd 1 has no idmapped volumes.
  const idmaps = (await cri.handlerFeatures()).user_namespaces;
  const volume = { container_path: '/data', host_path: source, ...(idmaps && { uidMappings: ids, gidMappings: ids }) };
  const look = script('cat /proc/self/uid_map; id -u; stat -c "%u %g" / /data/file; touch /new /data/new');
  const linux = { security_context: { namespace_options: options } };
  await inPod(
    setting,
    'userns',
    async (pod) => {
      const { code, log } = await logOf(setting, pod, { ...look, mounts: [volume], linux });
      t.match(log, /^ *0 +300000 +65536\n0\n0 0\n/, 'root there, and the owner of its files');
      t.match(log, idmaps ? /^0 0\n0 0$/m : /^0 0\n65534 65534$/m);
      t.equal(code, idmaps ? 0 : 1);
    },
    linux,
  );
  if (idmaps) t.equal(await place.outputOf(['stat', '-c', '%u', `${source}/new`]), '0\n', 'the volume is idmapped');
}
