/**
 * What one version of tsrun leaves to another that goes on below the same containers (docs/shim.md, "Versions"). A number
 * is raised only when the older side would do harm otherwise: it reads what it knows, and ignores the rest.
 */

/** Of a task's file. Those of before this number have none. */
export const noteFormat = 1;

/** Of what keeper and engine say to each other. addon/keeper/main.cc has the same number; keepers of before say none. */
const keeperVersion = 2;

/** @throws Error for a task's file that this version does not understand */
export function demandNoteFormat({ format = 1 }: { format?: number | undefined }, path: string): void {
  if (format <= noteFormat) return;
  const what = `${path}: of a newer tsrun (format ${format}; this one knows ${noteFormat})`;
  throw new Error(`${what}: its container runs on, but this shim does not know it; install that version again`);
}

/**
 * @param said by the keeper in the engine's environment
 * @returns what to log about a keeper that this version does not know
 */
export function newerKeeper(said = '1'): string | undefined {
  if (Number(said) <= keeperVersion) return undefined;
  const what = `the keeper is of a newer tsrun (version ${said}; this engine knows ${keeperVersion})`;
  return `${what}: not all that it says may be understood; install that version again, and kill this engine`;
}
