/** The sandbox service: the life of a pod's sandbox, and what its containers get. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { requires, type Sandbox, sandbox } from '../../harness/index.ts';
import { ShimClient } from '../../harness/shim-client.ts';

const skip = requires({ root: true, cgroup2: true, runtime: 'tsrun', files: ['/bin/busybox'] });

t.test('sandboxes', { skip }, async (t) => {
  const box = sandbox(t);
  const client = await ShimClient.start(t, box);
  await t.test('life', (t) => life(t, box, client));
  await t.test('what cannot be', (t) => refused(t, box, client));
});

function bundleOf(box: Sandbox, id: string): string {
  const bundle = join(box.directory, id);
  mkdirSync(join(bundle, 'rootfs'), { recursive: true });
  return bundle;
}

async function life(t: Test, box: Sandbox, client: ShimClient) {
  const pod = box.newId();
  const cgroup_parent = box.cgroup;
  const dns_config = { servers: ['192.0.2.1', '192.0.2.2'], searches: ['a.test', 'b.test'], options: ['ndots:5'] };
  await client.createSandbox(pod, bundleOf(box, pod), { hostname: 'pod', dns_config, linux: { cgroup_parent } });
  t.match(await client.askSandbox('SandboxStatus', pod), { state: 'SANDBOX_NOTREADY' });
  const { pid } = await client.askSandbox('StartSandbox', pod);
  t.match(await client.askSandbox('SandboxStatus', pod), { state: 'SANDBOX_READY', pid });
  t.match(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), /^\/pause\0/);
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  for (const line of [/^Uid:\s+65535/m, /^CapEff:\s+0+$/m, /^NoNewPrivs:\s+1$/m]) t.match(status, line);
  await client.askSandbox('PingSandbox', pod);
  await client.askSandbox('SandboxMetrics', pod);

  // A container with its own hosts file, and a text that looks like the mounts.
  const hosts = join(box.directory, 'own-hosts');
  writeFileSync(hosts, 'its own\n');
  const bundle = box.bundle((spec) => {
    spec.process.args = [
      'sh',
      '-c',
      'cat /etc/resolv.conf /etc/hosts /etc/hostname; echo "$FALSE"; touch /dev/shm/file',
    ];
    spec.process.env = [...(spec.process.env ?? []), 'FALSE="mounts":[]'];
    spec.mounts.push({ destination: '/etc/hosts', type: 'bind', source: hosts, options: ['rbind'] });
    spec.annotations = { 'io.kubernetes.cri.sandbox-id': pod };
  });
  const id = box.newId();
  const log = join(box.directory, 'log');
  await client.create(id, bundle.directory, { stdout: `file://${log}`, stderr: `file://${log}` });
  await client.ask('Start', id);
  t.equal((await client.ask('Wait', id)).exit_status, 0);
  await client.ask('Delete', id);
  const resolv = 'search a.test b.test\nnameserver 192.0.2.1\nnameserver 192.0.2.2\noptions ndots:5\n';
  t.equal(readFileSync(log, 'utf8'), `${resolv}its own\npod\n"mounts":[]\n`);
  t.equal(readFileSync(join(box.directory, pod, 'shm/rootfs/file'), 'utf8'), '', 'shared memory is the pod’s');

  await client.killEngine();
  t.match(await client.askSandbox('SandboxStatus', pod), { state: 'SANDBOX_READY', pid });
  const waited = client.askSandbox('WaitSandbox', pod);
  await client.askSandbox('StopSandbox', pod);
  t.equal((await waited).exit_status, 0, 'it ends by SIGTERM');
  t.match(await client.askSandbox('SandboxStatus', pod), { state: 'SANDBOX_NOTREADY' });
  await client.askSandbox('ShutdownSandbox', pod);
  await client.askSandbox('ShutdownSandbox', pod);
  t.notMatch(readFileSync('/proc/mounts', 'utf8'), `${pod}/`, 'no mount is left');
  await t.rejects(client.askSandbox('SandboxStatus', pod), /no such sandbox/);
}

async function refused(t: Test, box: Sandbox, client: ShimClient) {
  const pod = box.newId();
  const uids = [{ host_id: 100000, container_id: 0, length: 65536 }];
  const security_context = { namespace_options: { userns_options: { uids, gids: uids } } };
  const linux = { cgroup_parent: box.cgroup, security_context };
  await t.rejects(client.createSandbox(pod, bundleOf(box, pod), { linux }), /user namespace: use sandboxer/);
  await t.rejects(client.askSandbox('StartSandbox', pod), /no such sandbox/);
  await t.rejects(client.askSandbox('UpdateSandbox', pod), /Sandbox\/UpdateSandbox/);

  const running = box.newId();
  await client.createSandbox(running, bundleOf(box, running), { linux: { cgroup_parent: box.cgroup } });
  await client.askSandbox('StartSandbox', running);
  await t.rejects(client.createSandbox(running, bundleOf(box, pod), {}), /already exists/);
  await client.askSandbox('ShutdownSandbox', running);
  await client.ask('Connect', 'none');

  // containerd cleans up after a shim that has gone.
  const lost = box.newId();
  const bundle = bundleOf(box, lost);
  await client.createSandbox(lost, bundle, { linux: { cgroup_parent: box.cgroup } });
  await client.askSandbox('StartSandbox', lost);
  client.command('delete', bundle, lost);
  t.notMatch(readFileSync('/proc/mounts', 'utf8'), `${lost}/`);
}
