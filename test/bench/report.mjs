/** Medians and ratios as a table for people. */
import { versionOf } from './baselines.mjs';
import { goals } from './goals.mjs';

/**
 * @param samples figure -> contestant -> list of { wall, cpu, rss, faults } in milliseconds and KiB, of { memory } in KiB, or
 *   of { count }
 * @param markdown one table of all figures, for docs/performance.md
 */
export function report(samples, contestants, markdown = false) {
  if (markdown) return markdownTable(samples, Object.keys(contestants));
  const versions = Object.entries(contestants).map(([name, command]) => `${name}: ${versionOf(command)}\n`);
  return (
    versions.join('') +
    Object.entries(samples)
      .map(([figure, byName]) => figureTable(figure, byName))
      .join('')
  );
}

const units = { wall: 'median ms', memory: 'KiB', count: '' };

/** The unit of a figure's samples. */
function unitOf(byName) {
  const [sample = {}] = Object.values(byName)[0] ?? [];
  return Object.keys(units).find((unit) => sample[unit] !== undefined) ?? 'wall';
}

function figureTable(figure, byName) {
  const unit = unitOf(byName);
  const medians = Object.entries(byName).map(([name, list]) => [name, (field) => median(list, field)]);
  const against = (other) => medians.find(([name]) => name === other)?.[1](unit);
  const head = ['', units[unit], 'cpu ms', 'peak MiB', 'faults', '/ crun', '/ runc', '/ floor'];
  const lines = medians.map(([name, of]) => [
    name,
    of(unit).toFixed(unit === 'wall' ? 2 : 0),
    number(of('cpu')),
    number(of('rss') / 1024),
    number(of('faults'), 0),
    ...['crun', 'runc', 'floor'].map((other) => ratio(of(unit), against(other))),
  ]);
  return `\n${figure} (${Object.values(byName)[0]?.length ?? 0} rounds)\n${align([head, ...lines])}`;
}

/** Medians of each contestant, and tsrun's ratio to the others. Page faults of a run have a row of their own. */
function markdownTable(samples, contestants) {
  const names = ['floor', ...contestants];
  const others = ['crun', 'runc', 'tsrun-before'].filter((name) => names.includes(name));
  const row = (figure, byName, unit, name = titleOf(figure, unit)) => {
    const of = (name) => (byName[name] === undefined ? undefined : median(byName[name], unit));
    const cells = names.map((name) => of(name)?.toFixed(unit === 'wall' ? 2 : 0) ?? '');
    const ratios = others.map((name) => (of(name) === undefined ? '' : ratio(of('tsrun'), of(name))));
    const goal = unit === 'faults' ? undefined : goals[figure];
    return [name, ...cells, ...ratios, goal?.toFixed(2) ?? ''];
  };
  const rows = Object.entries(samples).map(([figure, byName]) => row(figure, byName, unitOf(byName)));
  if (samples.run !== undefined) rows.push(row('run', samples.run, 'faults', '`run`, page faults'));
  const head = ['figure', ...names, ...others.map((name) => `/ ${name}`), 'goal, / crun'];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

function titleOf(figure, unit) {
  const [command, ...rest] = figure.split(', ');
  const named = /^[a-z]+( -q)?$/.test(command) ? `\`${command}\`` : command;
  const suffix = unit === 'wall' ? ['ms'] : unit === 'memory' ? ['KiB'] : [];
  return [named, ...rest, ...suffix].join(', ');
}

function number(value, digits = 2) {
  return Number.isNaN(value) ? '-' : value.toFixed(digits);
}

function ratio(value, other) {
  return other === undefined ? '-' : (value / other).toFixed(2);
}

function median(list, field) {
  return medianOf(list.map((sample) => sample[field] ?? Number.NaN));
}

export function medianOf(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Aligns columns of text, the first to the left and the others to the right. */
export function align(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) => `${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')}\n`)
    .join('');
}
