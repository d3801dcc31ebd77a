import { addon } from '../../addon.ts';
import type { MakeUserNamespaceOp, MapTreeOp, OpenTreeOp } from '../../generated/ops.ts';
import { describeFailure } from '../failures/failure.ts';

type TreeOp = OpenTreeOp | MapTreeOp | MakeUserNamespaceOp;

/**
 * Opens what init could not open, into the slots that it inherits.
 *
 * @throws TsrunError worded like any failed op
 */
export function runTreeOp(op: TreeOp, slots: Record<string, number>): void {
  try {
    if (op.op === 'open-tree') slots[op.slot] = addon().openTree(op.path, op.recursive, op.noFollow);
    else if (op.op === 'make-user-namespace') slots[op.slot] = addon().makeUserNamespace(op.uidMap, op.gidMap);
    else addon().mapTree(slotOf(slots, op.tree), slotOf(slots, op.namespace), op.recursive);
  } catch (error) {
    const { errno, path = '' } = error as NodeJS.ErrnoException;
    if (errno === undefined) throw error;
    throw describeFailure(op, { error: errno, value: 0, detail: path });
  }
}

function slotOf(slots: Record<string, number>, name: string): number {
  const fd = slots[name];
  if (fd === undefined) throw new Error(`no op has opened ${name}`);
  return fd;
}
