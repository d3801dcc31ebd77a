import { readFileSync, readlinkSync } from 'node:fs';

/** Counters of one network interface, with the names in runc's events. */
export interface NetworkInterface {
  Name: string;
  RxBytes: number;
  RxPackets: number;
  RxErrors: number;
  RxDropped: number;
  TxBytes: number;
  TxPackets: number;
  TxErrors: number;
  TxDropped: number;
}

/** Columns of proc_pid_net(5), dev, counted from 0. */
const columns = {
  RxBytes: 0,
  RxPackets: 1,
  RxErrors: 2,
  RxDropped: 3,
  TxBytes: 8,
  TxPackets: 9,
  TxErrors: 10,
  TxDropped: 11,
} as const;

/**
 * The interfaces in a process's network namespace, without loopback; empty when the namespace is this process's own,
 * gone or hidden.
 */
export function networkInterfaces(pid: number): NetworkInterface[] {
  try {
    if (readlinkSync(`/proc/${pid}/ns/net`) === readlinkSync('/proc/self/ns/net')) return [];
    return parseNetDev(readFileSync(`/proc/${pid}/net/dev`, 'utf8'));
  } catch (error) {
    // ENXIO: the namespace is being removed.
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'ENXIO'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return [];
    throw error;
  }
}

/** Parses /proc/PID/net/dev: two lines of headings, then `name: counters`. */
export function parseNetDev(text: string): NetworkInterface[] {
  const lines = text.split('\n').slice(2).filter(Boolean);
  return lines.flatMap((line) => {
    const colon = line.lastIndexOf(':');
    const Name = line.slice(0, colon).trim();
    const numbers = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
      .map(Number);
    const counters = Object.entries(columns).map(([name, column]) => [name, numbers[column] ?? 0]);
    return Name === 'lo' ? [] : [{ Name, ...Object.fromEntries(counters) } as NetworkInterface];
  });
}
