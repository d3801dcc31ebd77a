/** "Did you mean": finds the known word nearest to an unknown one. Only runs when something is wrong. */

/**
 * The candidate that differs from the word in case, in a missing beginning or end (NET_ADMIN for CAP_NET_ADMIN, net for
 * network), or in at most a third of its letters; undefined if there is none.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const lower = word.toLowerCase();
  const loose = candidates.find((candidate) => isLoosely(lower, candidate.toLowerCase()));
  if (loose !== undefined || word.length > 64) return loose;
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const other = candidate.toLowerCase();
    // A candidate at this distance or farther is not wanted.
    const bound = Math.min(bestDistance, Math.ceil((word.length - sharedWords(lower, other)) / 3) + 1);
    // If one is longer, each of its extra letters must be inserted.
    if (Math.abs(candidate.length - word.length) >= bound) continue;
    const distance = editDistance(lower, other, bound);
    if (distance < bound) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Number of letters in the words that both begin with (SCMP_ACT_): these do not make them similar. */
function sharedWords(a: string, b: string): number {
  const end = a.lastIndexOf('_') + 1;
  return a.slice(0, end) === b.slice(0, end) ? end : 0;
}

/** `did you mean X?` for the nearest candidate. */
export function didYouMean(word: string, candidates: readonly string[]): string | undefined {
  const candidate = nearest(word, candidates);
  return candidate === undefined ? undefined : `did you mean ${JSON.stringify(candidate)}?`;
}

function isLoosely(word: string, candidate: string): boolean {
  const bare = word.replace(/[^a-z0-9]/g, '');
  const bareCandidate = candidate.replace(/[^a-z0-9]/g, '');
  if (bare !== '' && bare === bareCandidate) return true;
  return bare.length > 2 && (candidate.endsWith(`_${word}`) || candidate.startsWith(word));
}

/**
 * Number of letters to insert, remove, replace, or swap with their neighbour (optimal string alignment). It runs for
 * dozens of candidates in an interpreter, so it stops when the result can only be `bound` or more, and returns `bound`.
 */
function editDistance(a: string, b: string, bound: number): number {
  const width = b.length + 1;
  let beforeLast = new Array<number>(width).fill(0);
  let last = new Array<number>(width).fill(0);
  let row = new Array<number>(width).fill(0);
  for (let j = 0; j < width; j++) last[j] = j;
  for (let i = 1; i <= a.length; i++) {
    const letter = a[i - 1];
    let left = i;
    let least = i;
    row[0] = i;
    for (let j = 1; j < width; j++) {
      const other = b[j - 1];
      let distance = at(last, j - 1) + (letter === other ? 0 : 1);
      if (left + 1 < distance) distance = left + 1;
      if (at(last, j) + 1 < distance) distance = at(last, j) + 1;
      if (i > 1 && j > 1 && letter === b[j - 2] && a[i - 2] === other && at(beforeLast, j - 2) + 1 < distance) {
        distance = at(beforeLast, j - 2) + 1;
      }
      row[j] = left = distance;
      if (distance < least) least = distance;
    }
    // A swap looks two rows back, and costs one: from a row that is one below the bound, it could still stay there.
    if (least > bound) return bound;
    [beforeLast, last, row] = [last, row, beforeLast];
  }
  return Math.min(at(last, b.length), bound);
}

function at(row: number[], index: number): number {
  return row[index] as number;
}
