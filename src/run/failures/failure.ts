import { constants, release } from 'node:os';
import { TsrunError } from '../../errors.ts';
import { readHookValue } from '../../generated/messages.ts';
import type { ExecOp, FindProgramOp, Op } from '../../generated/ops.ts';
import { isInitialUserNamespace } from '../../host/facts.ts';
import { nearPath } from '../../host/near-path.ts';
import { errnoWords } from '../../linux/errno.ts';
import { hookFailed } from './hook-failure.ts';
import { mountHint, movedHint, parameterHint } from './mount-hints.ts';
import { namespaceHint } from './namespace-hints.ts';
import { processHint } from './process-hints.ts';
import { tooLongHint, whatIsTooLong } from './too-long.ts';

/** What init reports about a failed op. */
export interface OpFailure {
  /** A positive errno. */
  error: number;
  value: number;
  /** The failing path, or the kernel's own words. */
  detail: string;
}

/**
 * Puts a failed op into words: place in the config, operation, path, errno, hint. No other code does this.
 *
 * @param ops the ops that it belongs to, to look up what another one holds
 */
export function describeFailure(op: Op, failure: OpFailure, ops: readonly Op[] = []): TsrunError {
  const errno = op.op === 'run-container-hook' ? undefined : failure.error;
  const isProgram = op.op === 'find-program' || op.op === 'exec';
  return Object.assign(inWords(op, failure, ops), { op: op.op, errno, ...(isProgram && { code: 'EPROGRAM' }) });
}

function inWords(op: Op, failure: OpFailure, ops: readonly Op[]): TsrunError {
  if ((op.op === 'clone-tree' || op.op === 'open-tree') && failure.error === constants.errno.ENOENT) {
    return sourceMissing(op, failure, ops);
  }
  if (op.op === 'find-program') return programNotFound(op, failure.error);
  if (op.op === 'enter-cwd' && failure.error === constants.errno.ENOENT) return cwdMissing(op, failure);
  if (op.op === 'exec') return execFailed(op, failure, ops);
  if (op.op === 'run-container-hook') {
    return hookFailed(op, { ...readHookValue(failure.value), output: failure.detail });
  }
  if (op.op === 'find-user' && failure.error === constants.errno.ENOENT) {
    return new TsrunError(`unable to find user or group ${failure.detail} in the container`, {
      about: op.from,
      hint: 'the name must be in its /etc/passwd or /etc/group; or give numbers',
    });
  }
  if (op.op === 'join-container' && failure.error === constants.errno.ESRCH) return containerStopped();
  if (op.op === 'check-mounts') {
    return new TsrunError(`${failure.detail} is no longer what was mounted there`, {
      about: aboutOf(op),
      hint: movedHint,
    });
  }
  return new TsrunError(`${doing(op, failure.detail)}: ${errnoWords(failure.error)}`, {
    about: aboutOf(op),
    hint: parameterHint(op, failure.detail) ?? hintFor(op, failure.error, ops),
  });
}

/** A hint for an init killed by a signal. */
export function killedHint(signal: number): string | undefined {
  return signal === 9 ? 'is the memory limit too small, or was it killed from outside?' : undefined;
}

/** For a failure before init's first op, when it does little but map the plan. */
export function initFailed({ error }: Pick<OpFailure, 'error'>): TsrunError {
  return new TsrunError(`the container's init cannot read its plan: ${errnoWords(error)}`, {
    hint: error === constants.errno.ENOMEM ? 'is the memory limit too small, or RLIMIT_AS?' : undefined,
  });
}

/** For a bind mount's source; engines look for these words. */
function sourceMissing(op: Op, { error, detail }: OpFailure, ops: readonly Op[]): TsrunError {
  const where = 'destination' in op ? `mount on ${op.destination}: ` : '';
  return new TsrunError(`${where}${detail}: no such file or directory`, {
    about: op.from,
    hint: nearPath(detail) ?? hintFor(op, error, ops),
  });
}

/** For a process that joins a container; toolbx and podman look for these words. */
function cwdMissing(op: Op, { detail }: OpFailure): TsrunError {
  return new TsrunError(`chdir to ${detail}: no such file or directory`, {
    about: op.from,
    hint: 'exec makes no directories: name one that is in the container with --cwd',
  });
}

/** What an op did instead of what the kernel refused, for the log; it follows the property's name. */
export function describeNotice(op: Op, { error, detail }: OpFailure): string {
  return `${doing(op, '')}: ${errnoWords(error)}: ${detail}`;
}

/** The property or option that an op comes from; undefined for ops that every container has. */
function aboutOf({ from }: Op): string | undefined {
  return from === 'default' ? undefined : from;
}

/**
 * The op and what it worked on: `attach-mount /proc`, `clone-tree /srv for /data`, `new-filesystem /tmp: tmpfs: Unknown
 * parameter 'x'`.
 */
function doing(op: Op, detail: string): string {
  const destination = 'destination' in op ? op.destination : detail;
  if (detail === '' || detail === destination) return destination === '' ? op.op : `${op.op} ${destination}`;
  return detail.startsWith('/') ? `${op.op} ${detail} for ${destination}` : `${op.op} ${destination}: ${detail}`;
}

const notExecutable = 'make it executable for this user in the root filesystem (chmod +x); or is it on a noexec mount?';

/** Engines look for the first words, which are runc's. */
function programNotFound({ name }: FindProgramOp, error: number): TsrunError {
  const quoted = JSON.stringify(name);
  const pointer = '/process/args/0';
  if (error === constants.errno.ENOENT) {
    const where = name.includes('/') ? 'no such file or directory' : 'executable file not found in $PATH';
    return new TsrunError(`exec: ${quoted}: ${where}`, {
      pointer,
      hint: /\s/.test(name)
        ? 'program and arguments are items of their own: ["sh", "-c", "…"]'
        : 'the program is looked up inside the root filesystem',
    });
  }
  if (error === constants.errno.EISDIR) return new TsrunError(`exec: ${quoted}: is a directory`, { pointer });
  if (error === constants.errno.EACCES)
    return new TsrunError(`exec: ${quoted}: permission denied`, { pointer, hint: notExecutable });
  return new TsrunError(`exec: ${quoted}: ${errnoWords(error)}`, { pointer });
}

function execFailed({ name }: ExecOp, { error, detail }: OpFailure, ops: readonly Op[]): TsrunError {
  const program = JSON.stringify(detail || name);
  const pointer = '/process/args/0';
  switch (error) {
    case constants.errno.ENOENT:
      return new TsrunError(`exec ${program}: no such file or directory`, {
        pointer,
        hint: 'the file is there, what it runs with is not: `tsrun check` names the interpreter (of its #! line) or loader',
      });
    case constants.errno.ENOEXEC:
      return new TsrunError(`exec ${program}: exec format error`, {
        pointer,
        hint: 'not a program for this architecture, or a script without #!',
      });
    case constants.errno.EACCES:
      return new TsrunError(`exec ${program}: permission denied`, { pointer, hint: notExecutable });
    case constants.errno.E2BIG: {
      const vectors = ops.find((op) => op.op === 'prepare-exec') ?? { args: [], env: [] };
      return new TsrunError(`exec ${program}: ${errnoWords(error)}: ${whatIsTooLong(vectors, '/process')}`, {
        pointer: '/process',
        hint: tooLongHint,
      });
    }
    default:
      if (error === constants.errno.EPERM && ops.some(({ op }) => op === 'load-seccomp')) {
        const hint = 'does /linux/seccomp allow execve?';
        return new TsrunError(`exec ${program}: ${errnoWords(error)}`, { pointer, hint });
      }
      return new TsrunError(`exec ${program}: ${errnoWords(error)}`, { pointer });
  }
}

/** What exec says when the container has ended, even while exec joins it. */
export function containerStopped(): TsrunError {
  return new TsrunError('cannot exec in a stopped container', { code: 'EWRONGSTATE' });
}

function hintFor(op: Op, error: number, ops: readonly Op[]): string | undefined {
  if (error === constants.errno.EAGAIN && (op.op === 'clone' || op.op === 'fork-child')) {
    return 'no more processes may be started here: look at /linux/resources/pids/limit and RLIMIT_NPROC';
  }
  const confined = isConfined(ops);
  const hint = namespaceHint(op, error, confined, ops) ?? mountHint(op, error, { kernel: release(), confined }, ops);
  if (hint !== undefined) return hint;
  if (error === constants.errno.EROFS && 'destination' in op)
    return 'the filesystem there is read-only: add the path to the image, or to the source of the mount that it is in';
  return processHint(op, error);
}

/** Whether the plan runs in a user namespace that is not the host's, where the kernel refuses many calls. */
function isConfined(ops: readonly Op[]): boolean {
  const entersOne = (op: Op) =>
    (op.op === 'unshare' && op.namespaces.includes('user')) || (op.op === 'join-namespace' && op.type === 'user');
  return ops.some(entersOne) || !isInitialUserNamespace();
}
