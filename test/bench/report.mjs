/** Medians and ratios as a table for people. */
import { versionOf } from './baselines.mjs';

/** @param samples figure -> contestant -> list of { wall, cpu, rss } in milliseconds and KiB */
export function report(samples, contestants) {
  const versions = Object.entries(contestants).map(([name, command]) => `${name}: ${versionOf(command)}\n`);
  return (
    versions.join('') +
    Object.entries(samples)
      .map(([figure, byName]) => figureTable(figure, byName))
      .join('')
  );
}

/** A figure has what its samples have: milliseconds, or KiB of `memory`. */
function figureTable(figure, byName) {
  const unit = Object.values(byName)[0]?.[0]?.memory === undefined ? 'wall' : 'memory';
  const medians = Object.entries(byName).map(([name, list]) => [name, (field) => median(list, field)]);
  const against = (other) => medians.find(([name]) => name === other)?.[1](unit);
  const head = ['', unit === 'wall' ? 'median ms' : 'KiB', 'cpu ms', 'peak MiB', '/ crun', '/ runc', '/ floor'];
  const lines = medians.map(([name, of]) => [
    name,
    of(unit).toFixed(unit === 'wall' ? 2 : 0),
    number(of('cpu')),
    number(of('rss') / 1024),
    ...['crun', 'runc', 'floor'].map((other) => ratio(of(unit), against(other))),
  ]);
  return `\n${figure} (${Object.values(byName)[0]?.length ?? 0} rounds)\n${align([head, ...lines])}`;
}

function number(value) {
  return Number.isNaN(value) ? '-' : value.toFixed(2);
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

/** Columns of text, the first to the left and the others to the right. */
export function align(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) => `${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')}\n`)
    .join('');
}
