import {
  allAccess,
  type Instruction,
  instruction,
  opcode,
  register,
  typeNumbers,
  verdict,
} from './bpf-instructions.ts';
import type { MajorTable, TypeTable } from './device-table.ts';

/**
 * The most instructions in a chunk. A jump reaches 32,767 (struct bpf_insn has 16 bits for it), and a chunk ends with
 * some instructions that are not counted.
 */
const chunkLimit = 24_000;
/** The most instructions that a minor number costs in a search, with its share of the way to it. */
const perMinor = 3;

/** A major number, or if it has too many minors, a slice of it: those up to `last`. */
interface Slice extends MajorTable {
  readonly last?: number;
}

/** Code whose jumps go to names instead of distances. */
type Line = Instruction | { code: number; to: number; immediate: number; label: string } | { label: string };

/**
 * Decides about devices of one type, by binary search over major and then minor numbers. For another type it falls
 * through to the code after it. Each path ends in a verdict as soon as a number is found, so the verifier's work grows
 * with the list and not with the number of paths through it.
 */
export function searchProgram(type: 'b' | 'c', table: TypeTable): Instruction[] {
  const chunks = chunksOf(table.majors.flatMap(slicesOf));
  const last = chunkProgram(type, table, []);
  return [...chunks.map((slices) => chunkProgram(type, table, slices)), last].flat();
}

function slicesOf(table: MajorTable): Slice[] {
  const most = Math.floor(chunkLimit / perMinor);
  if (table.minors.length <= most) return [table];
  const count = Math.ceil(table.minors.length / most);
  return Array.from({ length: count }, (_, index) => {
    const minors = table.minors.slice(index * most, (index + 1) * most);
    return { ...table, minors, ...(index < count - 1 && { last: (minors.at(-1) as readonly [number, number])[0] }) };
  });
}

/** A slice that is followed by another of its major has its chunk to itself. */
function chunksOf(slices: readonly Slice[]): Slice[][] {
  const chunks: Slice[][] = [];
  let room = 0;
  for (const slice of slices) {
    const size = slice.minors.length * perMinor + 4;
    const previous = chunks.at(-1);
    const fits = previous !== undefined && size <= room && previous.at(-1)?.last === undefined;
    if (fits && slice.last === undefined) previous.push(slice);
    else {
      chunks.push([slice]);
      room = chunkLimit;
    }
    room -= size;
  }
  return chunks;
}

/** A chunk without slices takes all devices that are left. */
function chunkProgram(type: 'b' | 'c', table: TypeTable, slices: readonly Slice[]): Instruction[] {
  const end = slices.at(-1);
  const lines: Line[] = [jump(opcode.jumpNotEqual, register.type, typeNumbers[type], 'end')];
  if (end !== undefined) lines.push(jump(opcode.jumpGreater, register.major, end.major, 'end'));
  if (end?.last !== undefined) {
    lines.push(jump(opcode.jumpNotEqual, register.major, end.major, 'rest'));
    lines.push(jump(opcode.jumpGreater, register.minor, end.last, 'end'));
  }
  lines.push(
    ...search(
      register.major,
      slices.map((slice) => [slice.major, slice]),
      'rest',
      found,
    ),
  );
  lines.push({ label: 'rest' });
  for (const [minor, mask] of table.minors)
    lines.push(jump(opcode.jumpEqual, register.minor, minor, verdictLabel(mask)));
  lines.push(go(verdictLabel(table.rest)));
  lines.push(...verdicts(lines), { label: 'end' });
  return assembled(lines);
}

/** Decides when the major is the device's. */
function found({ rest, minors }: Slice): Line[] {
  const other = rest === undefined ? 'rest' : verdictLabel(rest);
  return search(register.minor, minors, other, (mask) => [go(verdictLabel(mask))]);
}

let labels = 0;

/** Compares a register with sorted numbers; any other number leads to `otherwise`. */
function search<V>(
  number: number,
  entries: readonly (readonly [number, V])[],
  otherwise: string,
  then: (value: V) => Line[],
): Line[] {
  const [entry] = entries;
  if (entry === undefined) return [go(otherwise)];
  if (entries.length === 1) return [jump(opcode.jumpNotEqual, number, entry[0], otherwise), ...then(entry[1])];
  const half = entries.length >> 1;
  const upper = `upper ${labels++}`;
  return [
    jump(opcode.jumpGreater, number, (entries[half - 1] as readonly [number, V])[0], upper),
    ...search(number, entries.slice(0, half), otherwise, then),
    { label: upper },
    ...search(number, entries.slice(half), otherwise, then),
  ];
}

/**
 * Adds, for each mask that is a jump's target, a test whether it has all of the access. Other masks are left out,
 * because the kernel refuses dead code.
 */
function verdicts(lines: readonly Line[]): Line[] {
  const used = new Set(lines.map((line) => ('code' in line ? line.label : undefined)));
  const masks = Array.from({ length: allAccess + 1 }, (_, mask) => mask).filter((mask) => used.has(verdictLabel(mask)));
  return masks.flatMap((mask): Line[] => [
    { label: verdictLabel(mask) },
    instruction(opcode.and, { to: register.access, immediate: allAccess & ~mask }),
    instruction(opcode.jumpNotEqual, { to: register.access, immediate: 0, offset: 2 }),
    ...verdict(1),
    ...verdict(0),
  ]);
}

function verdictLabel(mask: number): string {
  return `verdict ${mask}`;
}

function jump(code: number, to: number, immediate: number, label: string): Line {
  return { code, to, immediate, label };
}

function go(label: string): Line {
  return jump(opcode.jump, 0, 0, label);
}

function assembled(lines: readonly Line[]): Instruction[] {
  const places = new Map<string, number>();
  let place = 0;
  for (const line of lines) {
    if ('label' in line && !('code' in line)) places.set(line.label, place);
    else place++;
  }
  return lines
    .filter((line) => !isLabel(line))
    .map((line, at) => {
      if (!('code' in line)) return line as Instruction;
      const offset = (places.get(line.label) as number) - at - 1;
      return instruction(line.code, { to: line.to, immediate: line.immediate, offset });
    });
}

function isLabel(line: Line): boolean {
  return 'label' in line && !('code' in line);
}
