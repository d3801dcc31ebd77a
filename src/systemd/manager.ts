import { addon } from '../addon.ts';
import { aboutProperty, TsrunError } from '../errors.ts';
import type { UnitProperty } from '../generated/ops.ts';
import { logFinding } from '../log.ts';
import { infinity } from './property.ts';
import { roundUp } from './unit-properties.ts';

/** As long as systemd's own tools wait: longer than stopping a unit takes by default. */
const timeoutMs = 100_000;

/** A unit of the system's systemd, or of the user's. */
export interface UnitName {
  readonly name: string;
  readonly user: boolean;
}

/**
 * Starts a transient unit and waits until it exists.
 *
 * @throws TsrunError in systemd's words, when systemd cannot be reached or refuses the unit or a property
 */
export function startUnit(unit: UnitName, properties: readonly UnitProperty[]): void {
  const start = (known: readonly UnitProperty[]) =>
    runJob(unit, 'StartTransientUnit', 'ssa(sv)a(sa(sv))', [unit.name, 'replace', variants(unit, known), []]);
  try {
    withKnownProperties(properties, start);
  } catch (error) {
    // An earlier scope of that name has failed and stays until it is reset.
    if (codeOf(error) !== 'org.freedesktop.systemd1.UnitExists') throw error;
    resetFailed(unit);
    withKnownProperties(properties, start);
  }
}

/** Changes properties of a running unit; they are gone when the unit is. */
export function setUnitProperties(unit: UnitName, properties: readonly UnitProperty[]): void {
  withKnownProperties(properties, (known) => {
    if (known.length > 0) call(unit, 'SetUnitProperties', 'sba(sv)', [unit.name, true, variants(unit, known)], false);
  });
}

/** Properties that scopes have only since systemd 253, the last one only since 256, and the file that each is about. */
const laterProperties: Readonly<Record<string, string>> = {
  OOMPolicy: 'memory.oom.group',
  MemoryZSwapMax: 'memory.zswap.max',
  MemoryZSwapWriteback: 'memory.zswap.writeback',
};

/**
 * Leaves out properties that an older systemd does not know, with a warning; the files still have the values.
 *
 * @param use throws systemd's error about the first unknown property, having changed nothing
 */
export function withKnownProperties(
  properties: readonly UnitProperty[],
  use: (known: readonly UnitProperty[]) => void,
): void {
  try {
    use(properties);
  } catch (error) {
    const unknown = properties.find(({ name }) => name in laterProperties && isUnknown(name, error));
    if (unknown === undefined) throw aboutProperty(error, refusedProperty(properties, error)?.from ?? '');
    const { name, from = '' } = unknown;
    const message = `this systemd does not know ${name}: ${laterProperties[name]} holds until the next daemon-reload`;
    logFinding('warning', { pointer: from.startsWith('/') ? from : '', message });
    withKnownProperties(
      properties.filter(({ name }) => name !== unknown.name),
      use,
    );
  }
}

/** systemd's errors about a property have its name. */
function refusedProperty(properties: readonly UnitProperty[], error: unknown): UnitProperty | undefined {
  const words = (error as Error).message.split(/[^A-Za-z]+/);
  return properties.find(({ name }) => words.includes(name));
}

/** The error is "Cannot set property NAME, or unknown property." */
function isUnknown(name: string, error: unknown): boolean {
  const isRefused = codeOf(error) === 'org.freedesktop.DBus.Error.PropertyReadOnly';
  return isRefused && (error as Error).message.includes(` ${name},`);
}

/** Stops a unit and resets its failure; a unit that is gone is no error. */
export function stopUnit(unit: UnitName): void {
  try {
    runJob(unit, 'StopUnit', 'ss', [unit.name, 'replace']);
  } catch (error) {
    if (codeOf(error) !== 'org.freedesktop.systemd1.NoSuchUnit') throw error;
  }
  resetFailed(unit);
}

/**
 * The scope's cgroup, relative to the cgroup2 mount; empty while it has none.
 *
 * @throws TsrunError when systemd cannot be reached
 */
export function scopeControlGroup(unit: UnitName): string {
  return scopeProperty(unit, 'ControlGroup');
}

/**
 * Whether systemd has ended the scope because the kernel killed a process in it when memory ran out. If OOMPolicy tells
 * systemd to end the scope then, systemd keeps it as failed until it is reset.
 *
 * @throws TsrunError when systemd cannot be reached
 */
export function scopeFailedByOom(unit: UnitName): boolean {
  return scopeProperty(unit, 'Result') === 'oom-kill';
}

function scopeProperty(unit: UnitName, property: string): string {
  return propertyOf(unit, `/org/freedesktop/systemd1/unit/${objectName(unit.name)}`, 'Scope', property);
}

/** @param kind the type of the object at the path */
function propertyOf(unit: UnitName, path: string, kind: 'Scope' | 'Manager', property: string): string {
  try {
    return addon().systemdProperty({
      user: unit.user,
      path,
      interface: `org.freedesktop.systemd1.${kind}`,
      property,
    });
  } catch (error) {
    throw callFailed(unit, property, error as NodeJS.ErrnoException);
  }
}

/** Encodes a name like sd_bus_path_encode(3), because an object path only has letters and digits. */
function objectName(unit: string): string {
  const hex = (char: string) => `_${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  return unit.replace(/^[0-9]|[^A-Za-z0-9]/g, hex);
}

function resetFailed(unit: UnitName): void {
  try {
    call(unit, 'ResetFailedUnit', 's', [unit.name], false);
  } catch (error) {
    // The unit is no longer loaded, so it has not failed either.
    if (codeOf(error) !== 'org.freedesktop.systemd1.NoSuchUnit') throw error;
  }
}

function runJob(unit: UnitName, member: string, signature: string, args: readonly unknown[]): void {
  const result = call(unit, member, signature, args, true);
  if (result === 'done') return;
  throw new TsrunError(`systemd: ${member} ${unit.name}: the job ended as ${result}`, {
    hint: `see journalctl ${unit.user ? '--user ' : ''}--unit ${unit.name}`,
  });
}

function call(unit: UnitName, member: string, signature: string, args: readonly unknown[], job: boolean): string {
  try {
    return addon().systemdCall({ user: unit.user, member, signature, args, timeoutMs, job });
  } catch (error) {
    throw callFailed(unit, member, error as NodeJS.ErrnoException);
  }
}

function variants(unit: UnitName, properties: readonly UnitProperty[]): unknown[] {
  return properties.map(({ name, type, value }) => {
    return [name, [type, name === 'CPUQuotaPerSecUSec' ? quotaFor(unit, value as string) : value]];
  });
}

/** The first version that writes a quota with two decimals of a percent into the files that a daemon-reload reads. */
const firstWithDecimals = 257;

/** An older systemd writes whole percents, rounded down, so it gets a value that is not below the limit. */
function quotaFor(unit: UnitName, perSecond: string): string {
  const inPercents = roundUp(BigInt(perSecond), 10_000n).toString();
  if (perSecond === infinity || perSecond === inPercents || versionOf(unit) >= firstWithDecimals) return perSecond;
  return inPercents;
}

/** 257 from `257.9-1~deb13u1`. */
function versionOf(unit: UnitName): number {
  const version = propertyOf(unit, '/org/freedesktop/systemd1', 'Manager', 'Version');
  return Number(/\d+/.exec(version)?.[0] ?? 0);
}

function codeOf(error: unknown): string | undefined {
  return ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code;
}

function callFailed({ name, user }: UnitName, member: string, error: NodeJS.ErrnoException): TsrunError {
  const cause = { cause: error };
  if (error.syscall === 'dlopen') {
    // The path has the dynamic linker's words.
    return new TsrunError(`--systemd-cgroup: libsystemd cannot be used here: ${error.path}`, {
      hint: 'it needs libsystemd0 and the GNU C library; or leave --systemd-cgroup out',
      ...cause,
    });
  }
  if (error.syscall === 'connect') {
    const bus = user ? 'the user’s D-Bus' : 'the system’s D-Bus';
    return new TsrunError(`--systemd-cgroup: cannot reach systemd: ${bus} does not answer: ${error.code}`, {
      hint: busHint(user),
      ...cause,
    });
  }
  return new TsrunError(`systemd: ${member} ${name}: ${error.message}`, { hint: hintFor(error.code, user), ...cause });
}

export function busHint(user: boolean, env = process.env): string {
  if (!user) return 'without systemd leave --systemd-cgroup out';
  const isSet = Boolean(env.XDG_RUNTIME_DIR) || Boolean(env.DBUS_SESSION_BUS_ADDRESS);
  return isSet
    ? 'is the user’s manager there (systemctl --user status)? A login starts it, and loginctl enable-linger keeps it'
    : 'neither XDG_RUNTIME_DIR nor DBUS_SESSION_BUS_ADDRESS is set: log in, or set XDG_RUNTIME_DIR=/run/user/UID';
}

/** @param user whether the user's own manager was asked */
export function hintFor(code: string | undefined, user: boolean): string | undefined {
  switch (code) {
    case 'org.freedesktop.systemd1.UnitExists':
      return 'another container has this name: choose another in /linux/cgroupsPath';
    case 'org.freedesktop.DBus.Error.PropertyReadOnly':
      return 'this systemd does not know the property, or sets it at another time only';
    case 'org.freedesktop.DBus.Error.AccessDenied':
    case 'org.freedesktop.DBus.Error.InteractiveAuthorizationRequired':
      if (user) return undefined;
      if (process.geteuid?.() === 0) return 'a policy of D-Bus or a security module forbids it: see the journal';
      return 'only root may ask the system’s systemd';
    default:
      return undefined;
  }
}
