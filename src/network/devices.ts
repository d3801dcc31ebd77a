import { closeSync, openSync } from 'node:fs';
import { errorCode, TsrunError } from '../errors.ts';
import type { MoveNetDeviceOp } from '../generated/ops.ts';
import type { UndoStack } from '../undo.ts';
import { type Address, linkUp } from './messages.ts';
import { Rtnetlink } from './rtnetlink.ts';

const permanent = 0x80;
const universe = 0;
/** Somebody else may take a number that was free a moment ago. */
const attempts = 10;

/**
 * config-linux.md, Network Devices: moves a device into the container's network namespace, where it keeps its permanent
 * addresses of global scope and is set up. On the undo stack it goes back, with all that it had.
 *
 * @throws TsrunError naming the device and why it cannot be moved
 */
export function moveNetDevice(op: MoveNetDeviceOp, networkNamespace: number, undo: UndoStack): void {
  const host = new Rtnetlink(-1);
  const container = new Rtnetlink(networkNamespace);
  try {
    const device = host.link(op.device);
    const addresses = host.addresses(device.index);
    const kept = addresses.filter(({ flags, scope }) => (flags & permanent) !== 0 && scope === universe);
    const name = move(op, host, container, device.index, networkNamespace);
    undo.push(() => moveBack(op.device, name, networkNamespace, kept, (device.flags & linkUp) !== 0));
    configure(container, name, kept);
  } catch (error) {
    throw explain(op, error);
  } finally {
    host.close();
    container.close();
  }
}

/** @returns the name that the device has got */
function move(op: MoveNetDeviceOp, host: Rtnetlink, container: Rtnetlink, index: number, target: number): string {
  for (let attempt = 1; ; attempt++) {
    const taken = container.links().map(({ name }) => name);
    const name = freeName(op.name, taken);
    if (taken.includes(name)) throw nameTaken(op, name);
    try {
      host.move(index, target, name);
      return name;
    } catch (error) {
      if (errorCode(error) !== 'EEXIST' || attempt === attempts || name === op.name) throw error;
    }
  }
}

/** `eth%d` with the first number that is free, as the kernel's dev_alloc_name() gives it. */
export function freeName(template: string, taken: readonly string[]): string {
  if (!template.includes('%d')) return template;
  for (let number = 0; ; number++) {
    const name = template.replace('%d', String(number));
    if (!taken.includes(name)) return name;
  }
}

function configure(network: Rtnetlink, name: string, addresses: readonly Address[]): void {
  const { index } = network.link(name);
  for (const address of addresses) network.addAddress(index, address, name);
  network.setUp(index);
}

function moveBack(device: string, name: string, from: number, addresses: readonly Address[], wasUp: boolean): void {
  const own = openSync('/proc/thread-self/ns/net', 'r');
  const [host, container] = [new Rtnetlink(-1), new Rtnetlink(from)];
  try {
    container.move(container.link(name).index, own, device);
    const { index } = host.link(device);
    for (const address of addresses) host.addAddress(index, address, device);
    if (wasUp) host.setUp(index);
  } finally {
    closeSync(own);
    host.close();
    container.close();
  }
}

function nameTaken({ from }: MoveNetDeviceOp, name: string): TsrunError {
  return new TsrunError(`${from}: the container's network namespace has a device ${name} already`, {
    hint: 'choose another name, or a template such as eth%d',
  });
}

function explain(op: MoveNetDeviceOp, error: unknown): unknown {
  if (error instanceof TsrunError) return error;
  const code = errorCode(error);
  const [what, hint] = reasons[code] ?? [`cannot be moved: ${code}`, undefined];
  if (code === 'EEXIST') return nameTaken(op, op.name);
  return new TsrunError(`${op.from}: the network device ${op.device} ${what}`, { hint });
}

const reasons: Readonly<Record<string, readonly [string, string | undefined]>> = {
  ENODEV: ['is not in the runtime’s network namespace', 'ip link shows the devices there are'],
  EINVAL: ['cannot be moved: EINVAL', 'devices such as lo and bridges stay in the namespace they were made in'],
  EPERM: ['cannot be moved: EPERM', 'moving devices needs CAP_NET_ADMIN in both network namespaces'],
};
