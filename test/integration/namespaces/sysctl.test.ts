/** linux.sysctl, as the container and the host see the values afterwards. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import t from 'tap';
import { sysctlNamespace } from '../../../src/linux/sysctl.ts';
import { inUserNamespace, requires, type Spec, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true });
/** Since Linux 6.14. */
const [major = 0, minor = 0] = release().split('.').map(Number.parseFloat);
const hasPidMax = major > 6 || (major === 6 && minor >= 14);
const skipPids = hasPidMax ? requires({ root: true, userns: true, runtime: 'tsrun' }) : 'needs Linux 6.14';
const skipTsrun = requires({ root: true, runtime: 'tsrun' });

t.test('parameters of the container’s namespaces are set there and nowhere else', { skip }, async (t) => {
  const forward = '/proc/sys/net/ipv4/ip_default_ttl';
  const before = readFileSync(forward, 'utf8');
  const output = await sandbox(t).outputOf(
    `cat ${forward} /proc/sys/kernel/msgmax /proc/sys/kernel/domainname`,
    (spec) => {
      spec.linux.sysctl = {
        'net.ipv4.ip_default_ttl': '77',
        'kernel.msgmax': '12345',
        'kernel.domainname': 'example.org',
      };
    },
  );
  t.equal(output, '77\n12345\nexample.org\n');
  t.equal(readFileSync(forward, 'utf8'), before);
});

t.test('limits of pids, in a pid namespace that has its own', { skip: skipPids }, async (t) => {
  const file = '/proc/sys/kernel/pid_max';
  const before = readFileSync(file, 'utf8');
  for (const user of [false, true]) {
    const output = await sandbox(t).outputOf('cat /proc/sys/kernel/pid_max; sh -c "echo \\$\\$"; echo end', (spec) => {
      spec.linux.sysctl = { 'kernel.pid_max': '5432', 'kernel.ns_last_pid': '4000' };
      if (user) inUserNamespace(spec);
    });
    t.match(output, /^5432\n400\d\nend\n$/);
    t.equal(readFileSync(file, 'utf8'), before);
  }
});

const skipMemfd = requires({ root: true, runtime: 'tsrun', files: ['/proc/sys/vm/memfd_noexec'] });

t.test('memfd_noexec, which each pid namespace has for itself', { skip: skipMemfd }, async (t) => {
  const file = '/proc/sys/vm/memfd_noexec';
  const before = readFileSync(file, 'utf8');
  const set = (spec: Spec) => {
    spec.linux.sysctl = { 'vm.memfd_noexec': '2', 'kernel.auto_msgmni': '1' };
  };
  t.equal(await sandbox(t).outputOf(`cat ${file}`, set), '2\n');
  t.equal(readFileSync(file, 'utf8'), before);
  const { code, stderr } = await sandbox(t).runContainer(['/bin/true'], (spec) => {
    set(spec);
    spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'pid');
  });
  t.not(code, 0);
  t.match(stderr, /vm\.memfd_noexec.*pid namespace/);
});

t.test('the table agrees with this kernel', { skip: skipTsrun }, async (t) => {
  const [host, container] = [inodes(''), inodes('unshare -imnpuUC --map-root-user --fork ')];
  const differ = [...host].filter(([path, inode]) => container.get(path) !== inode).map(([path]) => path);
  t.same(
    differ.filter((path) => sysctlNamespace(path) === undefined),
    [],
    'what has a file of its own in a namespace',
  );
});

/** The inodes of the files in /proc/sys: a parameter that belongs to a namespace has one in each. */
function inodes(unshare: string): Map<string, string> {
  const list = "cd /proc/sys; find . -path ./fs/binfmt_misc -prune -o -type f -printf '%P %i\\n'";
  const lines = execFileSync('sh', ['-c', `${unshare}sh -c "${list}"`], { encoding: 'utf8' })
    .trim()
    .split('\n');
  return new Map(lines.map((line) => line.split(' ') as [string, string]));
}

t.test('both spellings name a device with a dot', { skip: skipTsrun }, async (t) => {
  const box = sandbox(t);
  const device = 'veth0.1';
  const values = async (sysctl: Record<string, string>) => {
    const bundle = box.bundle((spec) => {
      spec.process.args = [
        '/bin/sh',
        '-c',
        `cat /proc/sys/net/ipv4/conf/${device}/log_martians /proc/sys/net/ipv4/conf/${device}/forwarding`,
      ];
      spec.linux.sysctl = sysctl;
      // The device exists when parameters are set, because a hook has made it.
      const script = `pid=$(sed -n 's/.*"pid":\\([0-9]*\\).*/\\1/p'); nsenter --net=/proc/$pid/ns/net ip link add ${device} type veth peer name veth1`;
      spec.hooks = {
        createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', script], env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'] }],
      };
    });
    return (await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()])).stdout;
  };
  const output = await values({
    'net.ipv4.conf.veth0/1.log_martians': '1',
    'net/ipv4/conf/veth0.1/forwarding': '1',
  });
  t.equal(output, '1\n1\n');
});

t.test('what the kernel refuses is an error that names the parameter', { skip: skipTsrun }, async (t) => {
  const box = sandbox(t);
  const error = async (sysctl: Record<string, string>, edit?: (spec: Spec) => void) => {
    const { code, stderr } = await box.runContainer(['/bin/true'], (spec) => {
      spec.linux.sysctl = sysctl;
      edit?.(spec);
    });
    t.equal(code, 1);
    return stderr;
  };
  t.match(await error({ 'net.ipv4.ip_default_ttl': 'many' }), /net\.ipv4\.ip_default_ttl.*EINVAL/);
  t.match(
    await error({ 'net.ipv4.no_such_thing': '1' }),
    /net\.ipv4\.no_such_thing.*this kernel has no such parameter/,
  );
  const hostOnly = /in the host’s own namespace only/;
  for (const edit of [undefined, inUserNamespace]) {
    t.match(await error({ 'net.core.bpf_jit_enable': '1' }, edit), hostOnly, 'there on the host alone');
    t.match(await error({ 'net.core.rmem_max': '1' }, edit), hostOnly, 'to be read alone');
  }
});

t.test('parameters of the host are refused', { skip }, async (t) => {
  const box = sandbox(t);
  const refused = async (key: string, edit: (spec: Spec) => void = () => {}) => {
    const { code, stderr } = await box.runContainer(['/bin/true'], (spec) => {
      spec.linux.sysctl = { [key]: '1' };
      edit(spec);
    });
    t.equal(code, 1, key);
    t.match(stderr, key.split('.').pop() ?? key);
  };
  await refused('kernel.panic');
  await refused('vm.swappiness');
  await refused('kernel.hostname');
  for (const key of ['kernel.pid_max', 'kernel.ns_last_pid']) {
    await refused(key, (spec) => {
      spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'pid');
    });
  }
  await refused('net.ipv4.ip_forward', (spec) => {
    spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'network');
    spec.mounts = spec.mounts.filter(({ destination }) => !destination.startsWith('/sys'));
  });
});
