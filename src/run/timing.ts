/** Shows the start of a container as text: a line for each step, with a bar for when it ran. */
import { oneLine } from '../errors.ts';
import type { Style } from '../style.ts';
import type { Span } from './trace.ts';

/** Width of the whole time, in characters. */
const barWidth = 40;

/** @param spans in any order; the whole begins at the earliest start */
export function timingText(spans: readonly Span[], style: Style): string {
  const rows = withKernel([...spans].sort((a, b) => Number(a.start - b.start)));
  const begin = Math.min(...rows.map(({ start }) => Number(start)));
  const end = Math.max(...rows.map(({ end }) => Number(end)));
  const nameWidth = Math.max(...rows.map(({ op }) => op.op.length));
  const lines = rows.map(({ op, start, end: ended }) => {
    const bar = barOf(Number(start) - begin, Number(ended - start), end - begin);
    const colour = op.op === 'kernel' ? style.yellow : op.by === 'init' ? style.green : style.cyan;
    const cells = [milliseconds(Number(start) - begin), op.by.padEnd(7), op.op.padEnd(nameWidth)];
    return `${cells.join('  ')}  ${milliseconds(Number(ended - start))}  ${colour(bar)}\n`;
  });
  return `${style.bold(`started in ${((end - begin) / 1e6).toFixed(2)} ms`)}\n${oneLine(heading(nameWidth))}\n${lines.join('')}`;
}

function heading(nameWidth: number): string {
  return `${'at/ms'.padStart(8)}  ${'by'.padEnd(7)}  ${'step'.padEnd(nameWidth)}  ${'took/ms'.padStart(8)}`;
}

function milliseconds(nanoseconds: number): string {
  return (nanoseconds / 1e6).toFixed(3).padStart(8);
}

/** A step too short for a character gets a thin one. */
function barOf(offset: number, length: number, whole: number): string {
  const scale = barWidth / Math.max(whole, 1);
  const before = Math.min(Math.floor(offset * scale), barWidth - 1);
  const full = Math.min(Math.round(length * scale), barWidth - before);
  return ' '.repeat(before) + (full === 0 ? '▏' : '█'.repeat(full));
}

/**
 * Splits the last wait, which is for the program: it covers init's last ops, then the kernel's work for execve(2),
 * which no process can time.
 */
function withKernel(rows: readonly Span[]): Span[] {
  const wait = rows.find(({ op }) => op.op === 'start-program');
  if (wait === undefined) return [...rows];
  const lastOfInit = rows.filter(({ op, end }) => op.by === 'init' && end <= wait.end).at(-1);
  const start = lastOfInit === undefined || lastOfInit.end < wait.start ? wait.start : lastOfInit.end;
  const op = { op: 'kernel', by: 'init', from: 'execve' } as const;
  return [...rows.filter((row) => row !== wait), { index: wait.index, op, start, end: wait.end }];
}
