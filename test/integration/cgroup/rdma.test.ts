/**
 * linux.resources.rdma on a real device: rdma_rxe makes one in software, on a network device that nobody uses. The
 * container uses it like libibverbs, so the kernel counts its objects.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { requires, type Spec, sandbox } from '../../harness/index.ts';

let made = 0;

/** The kernel puts a blank at the end of lines with a limit. */
const linesOf = (output: string) =>
  output
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);

// crun 1.28 neither enables the controller nor writes the limits, without a message.
const skip = requires({
  root: true,
  runtime: ['tsrun', 'runc'],
  controllers: ['rdma'],
  deviceFilter: true,
  commands: ['ip', 'rdma', 'modprobe', 'python3'],
  files: [`/lib/modules/${release()}/kernel/drivers/infiniband/sw/rxe`],
});

/** Each opener has a context (an HCA handle); protection domains are HCA objects of a context. */
const program = `
import ctypes, errno, os, struct

GET_CONTEXT, ALLOC_PD = 0, 3  # rdma/ib_user_verbs.h

def command(device, number, words):
    answer = ctypes.create_string_buffer(4 * words)
    try:
        os.write(device, struct.pack('=IHHQ', number, 4, words, ctypes.addressof(answer)))
        return 'done'
    except OSError as error:
        return errno.errorcode[error.errno]

def open_device():
    return os.open('/dev/infiniband/uverbs', os.O_RDWR)

first, second = open_device(), open_device()
print('context', command(first, GET_CONTEXT, 2))
print('context', command(second, GET_CONTEXT, 2))
for i in range(3):
    print('domain', command(first, ALLOC_PD, 1))
print(open('/sys/fs/cgroup/rdma.current').read(), end='')
print(open('/sys/fs/cgroup/rdma.max').read(), end='')
`;

t.test('handles and objects of a device: no more than the limits', { skip }, async (t) => {
  const device = softwareDevice(t);
  const output = await sandbox(t).outputOf(['/usr/bin/python3', '-c', program], (spec) => {
    spec.linux.resources = { ...spec.linux.resources, rdma: { [device]: { hcaHandles: 1, hcaObjects: 2 } } };
    giveDevice(spec, device);
    givePython(spec);
  });
  t.strictSame(linesOf(output), [
    'context done',
    'context EAGAIN',
    'domain done',
    'domain done',
    'domain EAGAIN',
    `${device} hca_handle=1 hca_object=2`,
    `${device} hca_handle=1 hca_object=2`,
  ]);
});

t.test('what has no limit is unlimited, and another device is left alone', { skip }, async (t) => {
  const [device, other] = [softwareDevice(t), softwareDevice(t)];
  const output = await sandbox(t).outputOf('cat /sys/fs/cgroup/rdma.max', (spec) => {
    spec.linux.resources = { ...spec.linux.resources, rdma: { [device]: { hcaObjects: 7 } } };
  });
  t.strictSame(linesOf(output).sort(), [
    `${device} hca_handle=max hca_object=7`,
    `${other} hca_handle=max hca_object=max`,
  ]);
});

/** Makes a device that exists until the end of the test; returns its name. */
function softwareDevice(t: Test): string {
  const number = `${process.pid}x${made++}`;
  const [device, under] = [`rxe${number}`, `under${number}`];
  execFileSync('modprobe', ['ib_uverbs']);
  execFileSync('ip', ['link', 'add', under, 'up', 'type', 'dummy']);
  // The RDMA device goes with the network device below it.
  t.teardown(() => execFileSync('ip', ['link', 'delete', under]));
  execFileSync('rdma', ['link', 'add', device, 'type', 'rxe', 'netdev', under]);
  return device;
}

function giveDevice(spec: Spec, device: string): void {
  const { major, minor } = deviceNumbers(device);
  const node = { path: '/dev/infiniband/uverbs', type: 'c', major, minor, fileMode: 0o600 } as const;
  spec.linux.devices = [...(spec.linux.devices ?? []), node];
  const { devices = [] } = spec.linux.resources ?? {};
  spec.linux.resources = {
    ...spec.linux.resources,
    devices: [...devices, { allow: true, type: 'c', major, minor, access: 'rwm' }],
  };
}

function deviceNumbers(device: string): { major: number; minor: number } {
  const all = '/sys/class/infiniband_verbs';
  const read = (entry: string, file: string) => {
    // The directory has other entries than devices, too.
    try {
      return readFileSync(join(all, entry, file), 'utf8').trim();
    } catch {
      return undefined;
    }
  };
  const entry = readdirSync(all).find((name) => read(name, 'ibdev') === device) ?? '';
  const [major, minor] = (read(entry, 'dev') ?? '').split(':').map(Number);
  if (major === undefined || minor === undefined) throw new Error(`${device} has no device node`);
  return { major, minor };
}

function givePython(spec: Spec): void {
  for (const [source, destination] of [
    ['/usr', '/usr'],
    ['/usr/lib', '/lib'],
    ['/usr/lib64', '/lib64'],
  ] as const) {
    spec.mounts.push({ source, destination, type: 'bind', options: ['rbind', 'ro'] });
  }
}
