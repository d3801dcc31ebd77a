/** Objects of the caller's that stand for JSON, such as a config. */
import { unknownProperties } from '../config/validate/validate.ts';
import { TsrunError } from '../errors.ts';
import type { LinuxResources } from '../generated/spec.ts';

/** @throws TsrunError `EINVALIDARG` for what JSON has no word for: a BigInt, or an object within itself */
export function jsonText(value: object, name: string): string {
  try {
    return JSON.stringify(value, null, 2);
  } catch (error) {
    const [reason = ''] = (error as Error).message.split('\n');
    throw new TsrunError(`${name}: not JSON: ${reason}`, { code: 'EINVALIDARG', cause: error });
  }
}

/** @throws TsrunError `EINVALIDARG` for a limit that there is not, as it would be silently missing */
export function demandKnown(resources: LinuxResources): void {
  const whole = { linux: { resources } };
  const [first] = unknownProperties(whole, { text: jsonText(whole, 'resources'), path: 'resources' });
  if (first === undefined) return;
  const name = first.pointer.replace('/linux/', '').replaceAll('/', '.');
  throw new TsrunError(`${name}: there is no such property`, { code: 'EINVALIDARG', hint: first.hint });
}
