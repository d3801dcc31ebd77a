import type { Op, SetMountAttributesOp } from '../../generated/ops.ts';
import type { Context } from '../context.ts';
import { isHeld } from './held.ts';
import { type AttributeChange, optionPointer } from './mount-options.ts';
import type { MountRequest } from './mount-request.ts';

const noOps: readonly SetMountAttributesOp[] = [];

/** Attaches the mount in the container and sets its propagation there. */
export function attachOps(context: Context, request: MountRequest): Op[] {
  const { from, destination } = request;
  const { path, realDirectory, onProc } = destination;
  const held = isHeld(context, path);
  const attach: Op = { op: 'attach-mount', by: 'init', from, destination: path, realDirectory, onProc, held };
  return request.options.propagation.length === 0 ? [attach] : [attach, ...propagationOps(request)];
}

/** Keeps the held mount for a later entry. */
export function keepOps({ from, destination, index }: MountRequest): Op[] {
  return [{ op: 'keep-mount', by: 'init', from, destination: destination.path, number: index }];
}

/** Takes the kept mount of the entry with this number again. */
export function takeOps({ from, destination }: MountRequest, number: number): Op[] {
  return [{ op: 'take-mount', by: 'init', from, destination: destination.path, number }];
}

/** After the mount is attached, because a shared parent makes it shared again. */
export function propagationOps({ options, destination }: MountRequest): SetMountAttributesOp[] {
  return options.propagation.map(({ recursive, flags, from }) => ({
    op: 'set-mount-attributes',
    by: 'init',
    from,
    destination: destination.path,
    recursive,
    set: 0,
    clear: 0,
    propagation: flags,
  }));
}

/** Changes the attributes of the held mount, if there is a change. */
export function attributeOps(
  request: MountRequest,
  change: AttributeChange,
  recursive: boolean,
): readonly SetMountAttributesOp[] {
  const { set, clear, asked, last } = change;
  if (set === 0 && clear === 0) return noOps;
  const place = asked === 1 ? optionPointer(request.from, last) : `${request.from}/options`;
  const destination = request.destination.path;
  return [{ op: 'set-mount-attributes', by: 'init', from: place, destination, recursive, set, clear, propagation: 0 }];
}
