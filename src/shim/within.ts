/**
 * Whether a promise was settled in time.
 *
 * @param milliseconds how long it may take
 * @throws what it is rejected with, if that comes in time
 */
export async function within(milliseconds: number, settled: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds);
  });
  try {
    return await Promise.race([settled.then(() => true), overdue]);
  } finally {
    clearTimeout(timer);
  }
}
