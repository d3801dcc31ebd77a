/**
 * Reads a flat table of TOML (toml.io), which is all that containerd's configuration and the shim's own file have.
 */
import { Status } from './ttrpc.ts';

export type Setting = string | number | boolean;

const line = /^(?:([\w-]+)|"([^"\\]*)"|'([^']*)')\s*=\s*(true|false|[+-]?\d+|"(?:[^"\\]|\\.)*"|'[^']*')\s*(?:#.*)?$/;

/** @throws Status for anything else than `KEY = VALUE`, naming the line */
export function readTable(text: string, where: string): Record<string, Setting> {
  const table: Record<string, Setting> = {};
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const each = raw.trim();
    if (each === '' || each.startsWith('#')) continue;
    const [, bare, quoted, literal, value] = line.exec(each) ?? [];
    const setting = value === undefined ? undefined : settingOf(value);
    if (setting === undefined)
      throw new Status('invalidArgument', `${where}:${index + 1}: no line NAME = VALUE: ${each}`);
    table[bare ?? quoted ?? literal ?? ''] = setting;
  }
  return table;
}

function settingOf(text: string): Setting | undefined {
  if (text === 'true' || text === 'false') return text === 'true';
  if (text.startsWith("'")) return text.slice(1, -1);
  if (!text.startsWith('"')) return Number(text);
  try {
    // TOML has JSON's escapes, and \U with eight digits, which is refused here: no encoder needs it.
    return JSON.parse(text) as string;
  } catch {
    return undefined;
  }
}
