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

function figureTable(figure, byName) {
  const rows = Object.entries(byName).map(([name, list]) => ({
    name,
    wall: median(list, 'wall'),
    cpu: median(list, 'cpu'),
    rss: median(list, 'rss'),
    count: list.length,
  }));
  const against = (name) => rows.find((row) => row.name === name)?.wall;
  const head = ['', 'median ms', 'cpu ms', 'peak MiB', '/ crun', '/ runc', '/ floor'];
  const lines = rows.map(({ name, wall, cpu, rss }) => [
    name,
    wall.toFixed(2),
    cpu.toFixed(2),
    (rss / 1024).toFixed(1),
    ...['crun', 'runc', 'floor'].map((other) => ratio(wall, against(other))),
  ]);
  return `\n${figure} (${rows[0]?.count ?? 0} rounds)\n${align([head, ...lines])}`;
}

function ratio(value, other) {
  return other === undefined ? '-' : (value / other).toFixed(2);
}

function median(list, field) {
  const sorted = list.map((sample) => sample[field]).sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function align(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) => `${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')}\n`)
    .join('');
}
