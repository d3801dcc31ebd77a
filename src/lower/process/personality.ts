import { TsrunError } from '../../errors.ts';
import type { Op } from '../../generated/ops.ts';
import type { Context } from '../context.ts';

/** PER_* of linux/personality.h. */
const domains = { LINUX: 0x0000, LINUX32: 0x0008 } as const;

/** config-linux.md, Personality. */
export function lowerPersonality({ linux }: Context): Op[] {
  const { domain, flags = [] } = linux.personality ?? {};
  if (domain === undefined) return [];
  const from = '/linux/personality';
  if (flags.length > 0) {
    throw new TsrunError(`${flags.join(', ')}: the specification defines no flags`, {
      about: `${from}/flags`,
      hint: 'remove the flags',
    });
  }
  return [{ op: 'set-personality', by: 'init', from, domain, persona: domains[domain] }];
}
