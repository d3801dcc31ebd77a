/** linux.netDevices. The tests run in a network namespace of their own, and use only its devices. */
import { execFileSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import t, { type Test } from 'tap';
import {
  inUserNamespace,
  type Result,
  requires,
  run,
  runtimePath,
  type Sandbox,
  type Spec,
  sandbox,
  waitFor,
} from '../../harness/index.ts';

const skip = requires({ root: true, runtime: 'tsrun', commands: ['ip', 'nsenter', 'unshare'] });

/** A network namespace in the role of the host's. */
class Host {
  readonly pid: number;
  private readonly box: Sandbox;

  private constructor(box: Sandbox, pid: number) {
    this.box = box;
    this.pid = pid;
  }

  static async make(t: Test): Promise<Host> {
    const box = sandbox(t);
    const { pid } = box.startProgram('unshare', ['--net', 'sleep', '1000']);
    const link = (process: number | 'self') => readlinkSync(`/proc/${process}/ns/net`);
    await waitFor('a network namespace', () => (link(pid) === link('self') ? undefined : pid));
    return new Host(box, pid);
  }

  ip(args: string): string {
    return execFileSync('nsenter', [`--net=/proc/${this.pid}/ns/net`, 'ip', ...args.split(' ')], { encoding: 'utf8' });
  }

  /** Runs a container from this network namespace. */
  run(script: string, edit: (spec: Spec) => void): Promise<Result> {
    const bundle = this.box.bundle((spec) => {
      spec.process.args = ['/bin/sh', '-c', script];
      edit(spec);
    });
    const command = [runtimePath, '--root', this.box.root, 'run', '--bundle', bundle.directory, this.box.newId()];
    return run('nsenter', [`--net=/proc/${this.pid}/ns/net`, ...command]);
  }

  async runOk(script: string, edit: (spec: Spec) => void): Promise<string> {
    const { code, stdout, stderr } = await this.run(script, edit);
    if (code === 0) return stdout;
    throw new Error(`the container ended with ${code}: ${stderr || stdout}`);
  }
}

t.test('a device is moved with its addresses, and is up', { skip }, async (t) => {
  const host = await Host.make(t);
  host.ip('link add eth7 type veth peer name peer7');
  host.ip('addr add 192.0.2.1/24 broadcast 192.0.2.255 dev eth7');
  host.ip('addr add 192.0.2.9/24 dev eth7');
  host.ip('addr add 2001:db8::1/64 dev eth7 nodad');
  host.ip('addr add 169.254.7.7/16 scope link dev eth7');
  const stdout = await host.runOk('ip addr show dev eth7', (spec) => {
    spec.linux.netDevices = { eth7: {} };
  });
  t.match(stdout, /eth7@.*<.*\bUP\b/);
  t.match(stdout, /inet 192\.0\.2\.1\/24 brd 192\.0\.2\.255 scope global eth7/);
  t.match(stdout, /inet 192\.0\.2\.9\/24 .*secondary/);
  t.match(stdout, /inet6 2001:db8::1\/64 scope global/);
  t.notMatch(stdout, '169.254.7.7', 'an address of link scope stays behind');
});

t.test('a device gets another name, or the next number', { skip }, async (t) => {
  const host = await Host.make(t);
  for (const name of ['x1', 'x2', 'x3']) {
    host.ip(`link add ${name} type veth peer name peer-${name}`);
    host.ip(`addr add 192.0.2.${name.slice(1)}/24 dev ${name}`);
  }
  const stdout = await host.runOk('ip -o -4 addr show scope global', (spec) => {
    spec.linux.netDevices = { x1: { name: 'lan0' }, x2: { name: 'eth%d' }, x3: { name: 'eth%d' } };
  });
  t.match(stdout, /lan0 +inet 192\.0\.2\.1/);
  t.match(stdout, /eth0 +inet 192\.0\.2\.2/);
  t.match(stdout, /eth1 +inet 192\.0\.2\.3/);
});

t.test('hooks and kernel parameters find the device in place', { skip }, async (t) => {
  const host = await Host.make(t);
  host.ip('link add eth7 type veth peer name peer7');
  const stdout = await host.runOk('cat /proc/sys/net/ipv4/conf/lan.1/log_martians', (spec) => {
    spec.linux.netDevices = { eth7: { name: 'lan.1' } };
    spec.linux.sysctl = { 'net.ipv4.conf.lan/1.log_martians': '1' };
  });
  t.equal(stdout, '1\n');
});

t.test('with a user namespace, and into a joined network namespace', { skip }, async (t) => {
  const host = await Host.make(t);
  for (const name of ['one', 'two']) host.ip(`link add ${name} type veth peer name peer-${name}`);
  const inUser = await host.runOk('ip -o link show dev one', (spec) => {
    spec.linux.netDevices = { one: {} };
    inUserNamespace(spec);
  });
  t.match(inUser, /one@/);
  const other = await Host.make(t);
  const joined = await host.runOk('ip -o link show dev two', (spec) => {
    spec.linux.netDevices = { two: {} };
    for (const entry of spec.linux.namespaces) if (entry.type === 'network') entry.path = `/proc/${other.pid}/ns/net`;
  });
  t.match(joined, /two@/);
  t.match(other.ip('-o link show dev two'), /two@/, 'and is left there: delete gives nothing back');
});

t.test('if create fails, the device goes back as it was', { skip }, async (t) => {
  const host = await Host.make(t);
  for (const name of ['one', 'two']) host.ip(`link add ${name} type veth peer name peer-${name}`);
  host.ip('addr add 192.0.2.1/24 dev one');
  host.ip('link set one up');
  const { code, stderr } = await host.run('true', (spec) => {
    spec.linux.netDevices = { one: { name: 'moved1' }, two: { name: 'moved2' } };
    spec.process.args = ['/no/such/program'];
  });
  t.equal(code, 1);
  t.match(stderr, '/no/such/program');
  t.match(host.ip('addr show dev one'), /<.*\bUP\b.*inet 192\.0\.2\.1\/24/s);
  t.notMatch(host.ip('link show dev two'), /<.*\bUP\b/);
});

t.test('a device whose alternative name is the wanted name', { skip }, async (t) => {
  const host = await Host.make(t);
  for (const name of ['v0', 'v1']) {
    host.ip(`link add ${name} type veth peer name peer-${name}`);
    host.ip(`link property add dev ${name} altname lan-${name} altname other-${name}`);
  }
  const stdout = await host.runOk('ip link show', (spec) => {
    spec.linux.netDevices = { v0: { name: 'lan-v0' }, 'lan-v1': {} };
  });
  t.match(stdout, / lan-v0@/);
  t.match(stdout, / lan-v1@/);
});

t.test('alternative names of other devices are in use, and its own come back with the device', { skip }, async (t) => {
  const host = await Host.make(t);
  host.ip('link add v0 type veth peer name peer0');
  host.ip('link property add dev v0 altname lan0');
  const other = await Host.make(t);
  other.ip('link add v7 type veth peer name peer7');
  other.ip('link property add dev v7 altname wan0');
  const fails = async (device: string, name: string, edit: (spec: Spec) => void) => {
    const { code, stderr } = await host.run('true', (spec) => {
      spec.linux.netDevices = { [device]: { name } };
      edit(spec);
    });
    t.equal(code, 1);
    t.match(host.ip('link show dev v0'), /v0@.*altname lan0/s);
    return stderr;
  };
  const joined = (spec: Spec) => {
    for (const entry of spec.linux.namespaces) if (entry.type === 'network') entry.path = `/proc/${other.pid}/ns/net`;
  };
  t.match(await fails('v0', 'wan0', joined), 'has a device wan0 already');
  const noProgram = (spec: Spec) => {
    spec.process.args = ['/no/such/program'];
  };
  for (const device of ['v0', 'lan0']) t.match(await fails(device, 'lan0', noProgram), '/no/such/program');
  t.match(await fails('lan0', 'moved', noProgram), '/no/such/program');
  // The kernel refuses the whole move, because another device has the name already.
  other.ip('link property add dev v7 altname lan0');
  t.match(await fails('v0', 'moved', joined), '/linux/netDevices/v0');
});

t.test('what cannot be moved is refused with its place, and everything stays', { skip }, async (t) => {
  const host = await Host.make(t);
  host.ip('link add eth7 type veth peer name peer7');
  host.ip('link add bridge7 type bridge');
  const other = await Host.make(t);
  other.ip('link add eth7 type veth peer name peer7');
  const error = async (netDevices: Record<string, { name?: string }>, edit?: (spec: Spec) => void) => {
    const { code, stderr } = await host.run('true', (spec) => {
      spec.linux.netDevices = netDevices;
      edit?.(spec);
    });
    t.equal(code, 1);
    return stderr;
  };
  t.match(
    await error({ eth8: {} }),
    '/linux/netDevices/eth8: the network device eth8 is not in the runtime’s network namespace',
  );
  t.match(
    await error({ eth7: { name: 'lo' } }),
    "/linux/netDevices/eth7: the container's network namespace has a device lo already",
  );
  t.match(await error({ lo: { name: 'lo7' } }), '/linux/netDevices/lo: the network device lo cannot be moved: EINVAL');
  const joined = await error({ eth7: {} }, (spec) => {
    for (const entry of spec.linux.namespaces) if (entry.type === 'network') entry.path = `/proc/${other.pid}/ns/net`;
  });
  t.match(joined, 'has a device eth7 already');
  const own = await error({ eth7: {} }, (spec) => {
    for (const entry of spec.linux.namespaces) if (entry.type === 'network') entry.path = `/proc/${host.pid}/ns/net`;
  });
  t.match(own, '/linux/netDevices: would change the host');
  t.match(host.ip('link show dev eth7'), /eth7@peer7/);
});
