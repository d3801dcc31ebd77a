import type { Op } from '../../generated/ops.ts';
import { type Context, sharesMounts } from '../context.ts';

/**
 * config.md, Process, terminal and consoleSize. A new container's console is also its /dev/console; a process that
 * joins only gets a terminal.
 */
export function lowerTerminal(context: Context, { joining = false } = {}): Op[] {
  const { process } = context.spec;
  if (process?.terminal !== true) return [];
  const { width = 0, height = 0 } = process.consoleSize ?? {};
  const uid = process.user?.uid ?? 0;
  // devpts chooses the gid (mount option gid=); process.user only decides the owner.
  const bindConsole = !joining && !sharesMounts(context);
  return [{ op: 'make-console', by: 'init', from: '/process/terminal', width, height, uid, gid: -1, bindConsole }];
}
