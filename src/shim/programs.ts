import { nativeFile } from '../addon.ts';

/** The path of tsrun-shim-keeper, which is also the shim's log program and its pods' first process. */
export function keeperProgram(): string {
  return nativeFile('tsrun-shim-keeper');
}
