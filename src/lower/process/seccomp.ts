import { TsrunError } from '../../errors.ts';
import type { LoadSeccompOp, Op } from '../../generated/ops.ts';
import type { LinuxSeccomp, LinuxSyscall, SeccompFlag } from '../../generated/spec.ts';
import { capabilityBit } from '../../linux/capabilities.ts';
import { flags as flagTable, listenerFlags } from '../../linux/seccomp.ts';
import type { Context } from '../context.ts';

const from = '/linux/seccomp';

/**
 * config-linux.md, Seccomp. The profile is compiled before init does anything, and the filter is loaded right before
 * execve, so that execve is the only call that a profile must allow for the container to start.
 *
 * This works for exec as well, where `spec.process` is the process that joins.
 *
 * @throws TsrunError for a flag that this kernel does not know
 */
export function lowerSeccomp(context: Context): { compile: Op[]; load: Op[] } {
  const seccomp = context.linux.seccomp;
  if (seccomp === undefined) return { compile: [], load: [] };
  const listener = usesNotify(seccomp);
  const load: LoadSeccompOp = {
    op: 'load-seccomp',
    by: 'init',
    from,
    program: 'seccomp',
    flags: lowerFlags(context, seccomp, listener),
    listener,
    raise: keptForSeccomp(context) !== 0n,
  };
  return {
    compile: [{ op: 'compile-seccomp', by: 'runtime', from, profile: plainProfile(seccomp), program: 'seccomp' }],
    // A container without a process ends at start, so it loads no filter.
    load: context.spec.process === undefined ? [] : [load],
  };
}

/** The same filter for hooks that are the container's own programs; each of them loads it for itself. */
export function lowerHookFilter(context: Context): Op[] {
  return lowerSeccomp({ ...context, warnings: [] }).load.map((load) => ({ ...load, op: 'filter-hooks' }) as Op);
}

/**
 * Capabilities that init keeps until the filter is loaded, besides those in the config. Without no_new_privs seccomp(2)
 * demands CAP_SYS_ADMIN. Init has it, because it could not make or join namespaces otherwise. Dropping it after the
 * load would need a profile that allows capset(2), and is not necessary: execve makes the program's sets from the
 * bounding, inheritable and ambient ones (capabilities(7)).
 */
export function keptForSeccomp({ spec, linux }: Context): bigint {
  return linux.seccomp !== undefined && spec.process?.noNewPrivileges !== true ? capabilityBit('CAP_SYS_ADMIN') : 0n;
}

function usesNotify({ defaultAction, syscalls = [] }: LinuxSeccomp): boolean {
  return defaultAction === 'SCMP_ACT_NOTIFY' || syscalls.some(({ action }) => action === 'SCMP_ACT_NOTIFY');
}

/**
 * Without `flags` the mitigations that seccomp would turn on stay off, as in runc and crun; an empty list turns them
 * on.
 */
function lowerFlags(context: Context, seccomp: LinuxSeccomp, listener: boolean): number {
  const named = seccomp.flags?.filter((name, index) => isUsable(context, name, index, listener));
  const byDefault: SeccompFlag[] = ['SECCOMP_FILTER_FLAG_SPEC_ALLOW'];
  const supported = context.host.seccompFlags;
  const chosen = named ?? byDefault.filter((name) => supported.includes(name));
  const value = chosen.reduce((sum, name) => sum | flagTable[name].value, 0);
  // The thread that loads a filter with a listener does not become the program (addon/init/listener.cc).
  const { newListener, tsync, tsyncErrno } = listenerFlags;
  return listener ? value | newListener | tsync | tsyncErrno : value;
}

function isUsable({ host, warnings }: Context, name: SeccompFlag, index: number, listener: boolean): boolean {
  if (!host.seccompFlags.includes(name)) {
    throw new TsrunError(`this kernel (${host.kernel.release}) does not know ${name}`, {
      about: `${from}/flags/${index}`,
      hint: `Linux ${flagTable[name].since} or later does`,
    });
  }
  if (name !== 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV' || listener) return true;
  warnings.push({ pointer: `${from}/flags/${index}`, message: `${name} has no effect without SCMP_ACT_NOTIFY` });
  return false;
}

/** The part that determines the program; flags and listener do not. */
function plainProfile(seccomp: LinuxSeccomp): LinuxSeccomp {
  const { defaultAction, defaultErrnoRet, architectures = [], syscalls = [] } = seccomp;
  return {
    defaultAction,
    ...(defaultErrnoRet === undefined ? {} : { defaultErrnoRet }),
    architectures,
    syscalls: syscalls.map(plainSyscall),
  };
}

function plainSyscall({ names, action, errnoRet, args = [] }: LinuxSyscall): LinuxSyscall {
  return {
    names,
    action,
    ...(errnoRet === undefined ? {} : { errnoRet }),
    ...(args.length === 0
      ? {}
      : { args: args.map(({ index, value, valueTwo = 0, op }) => ({ index, value, valueTwo, op })) }),
  };
}
