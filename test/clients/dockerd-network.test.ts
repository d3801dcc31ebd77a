/** Containers on dockerd's bridges, which are in the test's network namespace. */
import t, { type Test } from 'tap';
import { waitFor } from '../harness/index.ts';
import { Docker, dockerdNetworks } from './dockerd.ts';

/** A command that serves one page. */
const server = (page: string) => ['sh', '-c', `mkdir /w; echo ${page} >/w/index.html; exec httpd -f -p 80 -h /w`];

const skip = dockerdNetworks();

t.test('dockerd networks', { skip }, async (t) => {
  const docker = await Docker.start(t);
  await docker.outputOf('network', 'create', 'front');
  await docker.outputOf('network', 'create', '--internal', 'back');
  await docker.detach(['--network', 'front', '--network-alias', 'www'], 'web', ...server('web'));
  await docker.detach(['--network', 'back'], 'store', ...server('store'));
  const read = async (network: string, host: string) =>
    (await docker.run(['--network', network], 'wget', '-qO-', `http://${host}/`)).stdout;
  const serves = (network: string, host: string) =>
    waitFor(`${host} to serve`, async () => (await read(network, host)) || undefined);

  await t.test('names of one network', async (t) => {
    t.equal(await serves('front', 'www'), 'web\n');
    t.equal(await serves('back', 'store'), 'store\n');
    t.equal(await read('container:web', '127.0.0.1'), 'web\n');
    t.match(await docker.run(['--network', 'front'], 'nslookup', 'store'), { code: 1 }, 'not those of another');
  });
  await t.test('networks of a running container change', (t) => changes(t, docker, read));
  await t.test('ports and addresses', (t) => addresses(t, docker));
  await docker.outputOf('rm', '--force', 'web', 'store');
  await docker.outputOf('network', 'rm', 'front', 'back');
});

t.test('dockerd networks of mapped users', { skip }, async (t) => {
  // dockerd cannot prepare a network namespace for these containers: a hook passes it on.
  const docker = await Docker.start(t, { 'userns-remap': 'user' });
  const seen = await docker.run(['--network', 'bridge'], 'sh', '-c', 'cat /proc/self/uid_map; ip -o -4 addr show eth0');
  t.match(seen, { code: 0, stdout: /^ +0 +100000 +65536\n.* inet 172\./ });
});

async function changes(t: Test, docker: Docker, read: (network: string, host: string) => Promise<string>) {
  const interfaces = () => docker.outputOf('exec', 'web', 'ls', '/sys/class/net');
  t.equal(await interfaces(), 'eth0\nlo\n');
  await docker.outputOf('network', 'connect', 'back', 'web');
  t.equal(await interfaces(), 'eth0\neth1\nlo\n');
  t.equal(await read('back', 'web'), 'web\n');
  await docker.outputOf('network', 'disconnect', 'back', 'web');
  t.equal(await interfaces(), 'eth0\nlo\n');
}

async function addresses(t: Test, docker: Docker) {
  await docker.detach(['--network', 'bridge', '--publish', '127.0.0.1:8080:80'], 'published', ...server('published'));
  const fetch = ['busybox', 'wget', '-qO-', 'http://127.0.0.1:8080/'];
  const page = await waitFor('the published port', async () => {
    const { code, stdout } = await docker.place.run(fetch);
    return code === 0 ? stdout : undefined;
  });
  t.equal(page, 'published\n');
  const address = await docker.inspect('published', '.NetworkSettings.IPAddress');
  t.match(await docker.outputOf('exec', 'published', 'ip', 'addr', 'show', 'eth0'), `inet ${address}/`);
  const hosts = ['--network', 'bridge', '--add-host', 'other:10.1.2.3', '--dns', '10.4.5.6', '--hostname', 'me'];
  const files = await docker.run(hosts, 'cat', '/etc/hosts', '/etc/resolv.conf', '/etc/hostname');
  t.match(files.stdout, /10\.1\.2\.3\tother\n[\s\S]*nameserver 10\.4\.5\.6\n[\s\S]*me\n$/);
  await docker.outputOf('rm', '--force', 'published');
}
