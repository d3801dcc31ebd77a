/**
 * A whole number of seconds that a variable of containerd's environment asks for. Another value has no effect, which the
 * shim's log says: the shim has no caller who could be refused for it. Programs that the shim starts do not get it.
 *
 * @param otherwise without the variable
 */
export function secondsFrom(name: string, least: number, otherwise: number): number {
  const { [name]: asked = '' } = process.env;
  delete process.env[name];
  if (asked === '') return otherwise;
  if (/^\d{1,6}$/.test(asked) && Number(asked) >= least) return Number(asked);
  console.error(`${name}: expected ${least} to 999999, not ${JSON.stringify(asked)}; it stays at ${otherwise}`);
  return otherwise;
}
