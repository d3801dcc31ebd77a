import type { Op } from '../../generated/ops.ts';
import type { Context } from '../context.ts';

/** config.md, Hostname and Domainname. */
export function lowerHostname({ spec }: Context): Op[] {
  const ops: Op[] = [];
  if (spec.hostname) ops.push({ op: 'set-hostname', by: 'init', from: '/hostname', name: spec.hostname });
  if (spec.domainname) ops.push({ op: 'set-domainname', by: 'init', from: '/domainname', name: spec.domainname });
  return ops;
}
