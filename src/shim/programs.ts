import { dirname, join } from 'node:path';

/** The path of tsrun-shim-keeper, which is also the shim's log program and its pods' first process. */
export function keeperProgram(): string {
  return join(dirname(process.argv[1] ?? ''), 'Release', 'tsrun-shim-keeper');
}
