import { TsrunError } from '../../errors.ts';
import type { Op } from '../../generated/ops.ts';
import type { Context } from '../context.ts';

/** config.md, Linux Process, apparmorProfile and selinuxLabel: they confine the program from its execve on. */
export function lowerLabels(context: Context): Op[] {
  // Checked even if no mount uses it.
  if (context.linux.mountLabel) demandLsm(context, 'selinux', '/linux/mountLabel');
  const { apparmorProfile, selinuxLabel } = context.spec.process ?? {};
  const ops: Op[] = [];
  if (apparmorProfile) {
    const from = '/process/apparmorProfile';
    demandLsm(context, 'apparmor', from);
    ops.push({ op: 'set-apparmor-profile', by: 'init', from, profile: apparmorProfile });
  }
  if (selinuxLabel) {
    const from = '/process/selinuxLabel';
    demandLsm(context, 'selinux', from);
    ops.push({ op: 'set-selinux-label', by: 'init', from, label: selinuxLabel });
  }
  return ops;
}

/**
 * Gives the program a session keyring of its own, which it may use only if the keyring has the program's SELinux label.
 */
export function lowerKeyring({ spec, options }: Context): Op[] {
  if (options.noNewKeyring === true) return [];
  const label = spec.process?.selinuxLabel || null;
  return [{ op: 'join-session-keyring', by: 'init', from: 'default', name: `_ses.${options.id}`, label }];
}

/** Filesystems whose files have their own labels, which a mount cannot override. */
const unlabelledTypes: ReadonlySet<string> = new Set(['proc', 'sysfs', 'cgroup2']);

/**
 * crun's annotation, also sent for `podman run --security-opt label=nested`: the SELinux option that gets the label
 * (mount(8)).
 */
const mountContextAnnotation = 'run.oci.mount_context_type';

/** config-linux.md, Mount Label: the parameters that label a new filesystem of this type. */
export function mountLabelParameters(context: Context, type: string): string[] {
  const label = context.linux.mountLabel;
  const option = context.spec.annotations?.[mountContextAnnotation] ?? 'context';
  return !label || unlabelledTypes.has(type) ? [] : [`${option}=${label}`];
}

const lsmNames = { apparmor: 'AppArmor', selinux: 'SELinux' } as const;

/** Refuses a label that no LSM would enforce: it would be a false promise. */
function demandLsm({ host }: Context, lsm: keyof typeof lsmNames, pointer: string): void {
  if (host.lsm[lsm]) return;
  throw new TsrunError(`${lsmNames[lsm]} is not enabled on this host`, {
    about: pointer,
    hint: `remove the property, or boot with lsm=…,${lsm}`,
  });
}
