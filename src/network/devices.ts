import { openSync } from 'node:fs';
import { closeQuietly } from '../close.ts';
import { errorCode, TsrunError } from '../errors.ts';
import type { MoveNetDeviceOp } from '../generated/ops.ts';
import type { UndoStack } from '../undo.ts';
import { type Address, type Link, linkUp } from './messages.ts';
import { Rtnetlink } from './rtnetlink.ts';

const permanent = 0x80;
const universe = 0;
/** How often to try: another program may take a number that was free a moment ago. */
const attempts = 10;

/**
 * config-linux.md, Network Devices: moves a device into the container's network namespace, where it keeps its permanent
 * addresses of global scope and is set up. The undo moves it back, with everything that it had.
 *
 * @throws TsrunError that names the device and why it cannot be moved
 */
export function moveNetDevice(op: MoveNetDeviceOp, networkNamespace: number, undo: UndoStack): void {
  const host = new Rtnetlink(-1);
  const container = new Rtnetlink(networkNamespace);
  try {
    const device = host.link(op.device);
    const addresses = host.addresses(device.index);
    const kept = addresses.filter(({ flags, scope }) => (flags & permanent) !== 0 && scope === universe);
    const back = (name: string) => moveBack(device, name, networkNamespace, kept);
    const name = move(op, { host, container, device, networkNamespace, back, undo });
    undo.push(() => back(name));
    configure(container, name, kept);
  } catch (error) {
    throw explain(op, error);
  } finally {
    host.close();
    container.close();
  }
}

interface Move {
  readonly host: Rtnetlink;
  readonly container: Rtnetlink;
  readonly device: Link;
  readonly networkNamespace: number;
  /** Moves the device with this name in the container back. */
  readonly back: (name: string) => void;
  readonly undo: UndoStack;
}

/** @returns the device's name in the container */
function move(op: MoveNetDeviceOp, { host, container, device, networkNamespace, back, undo }: Move): string {
  for (let attempt = 1; ; attempt++) {
    const taken = container.links().flatMap(({ name, alternativeNames }) => [name, ...alternativeNames]);
    const name = freeName(op.name, taken);
    if (taken.includes(name)) throw nameTaken(op, name);
    if (device.alternativeNames.includes(name)) makeFirstName(host, device, name, undo);
    try {
      host.move(device.index, networkNamespace, name);
      return name;
    } catch (error) {
      // The kernel renames the device after moving it, so it may be there under its old name.
      const arrived = container.links().find((link) => !taken.includes(link.name) && link.name === device.name);
      if (arrived !== undefined && !isThere(host, device)) back(arrived.name);
      if (errorCode(error) !== 'EEXIST' || attempt === attempts || name === op.name) throw error;
    }
  }
}

/** A device cannot be renamed to one of its own alternative names, so it gives that name up first. */
function makeFirstName(host: Rtnetlink, device: Link, name: string, undo: UndoStack): void {
  host.removeAlternativeName(device.index, name);
  undo.push(() => {
    const own = new Rtnetlink(-1);
    try {
      own.addAlternativeName(own.link(device.name).index, name);
    } finally {
      own.close();
    }
  });
}

function isThere(host: Rtnetlink, { index, name }: Link): boolean {
  return host.links().some((link) => link.index === index && link.name === name);
}

/** `eth%d` with the first free number, as the kernel's dev_alloc_name() chooses it. */
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

/** Moves it back under its original name, whatever name the config gives it. */
function moveBack({ name: device, flags }: Link, name: string, from: number, addresses: readonly Address[]): void {
  const own = openSync('/proc/thread-self/ns/net', 'r');
  const [host, container] = [new Rtnetlink(-1), new Rtnetlink(from)];
  try {
    container.move(container.link(name).index, own, device);
    const { index } = host.link(device);
    for (const address of addresses) host.addAddress(index, address, device);
    if ((flags & linkUp) !== 0) host.setUp(index);
  } finally {
    closeQuietly(own);
    host.close();
    container.close();
  }
}

function nameTaken({ from }: MoveNetDeviceOp, name: string): TsrunError {
  return new TsrunError(`the container's network namespace has a device ${name} already`, {
    about: from,
    hint: 'choose another name, or a template such as eth%d',
  });
}

function explain(op: MoveNetDeviceOp, error: unknown): unknown {
  if (error instanceof TsrunError) return error;
  const code = errorCode(error);
  const [what, hint] = reasons[code] ?? [`cannot be moved: ${code}`, undefined];
  if (code === 'EEXIST') return nameTaken(op, op.name);
  return new TsrunError(`the network device ${op.device} ${what}`, { about: op.from, hint });
}

const reasons: Readonly<Record<string, readonly [string, string | undefined]>> = {
  ENODEV: ['is not in the runtime’s network namespace', 'ip link lists the devices'],
  EINVAL: ['cannot be moved: EINVAL', 'devices such as lo and bridges stay in the namespace they were made in'],
  EPERM: ['cannot be moved: EPERM', 'moving devices needs CAP_NET_ADMIN in both network namespaces'],
};
