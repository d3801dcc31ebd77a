/** "Did you mean": the known word nearest to one that is not known. Only run when something is wrong. */

/**
 * The candidate that differs from the word in case, in a missing beginning or end (NET_ADMIN for CAP_NET_ADMIN, net for
 * network) or in at most a third of its letters; undefined when there is none.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const lower = word.toLowerCase();
  const loose = candidates.find((candidate) => isLoosely(lower, candidate.toLowerCase()));
  if (loose !== undefined || word.length > 64) return loose;
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const other = candidate.toLowerCase();
    const distance = editDistance(lower, other);
    const most = Math.ceil((word.length - sharedWords(lower, other)) / 3);
    if (distance <= most && distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Letters of the words that both begin with (SCMP_ACT_): they make nothing alike. */
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
  if (bare === bareCandidate) return true;
  return bare.length > 2 && (candidate.endsWith(`_${word}`) || candidate.startsWith(word));
}

/** Letters to insert, remove, replace, or swap with their neighbour (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        at(row, j - 1) + 1,
        at(last, j) + 1,
        at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1),
        swapped && i > 1 && j > 1 ? at(beforeLast, j - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [beforeLast, last] = [last, row];
  }
  return at(last, b.length);
}

function at(row: number[], index: number): number {
  return row[index] as number;
}
