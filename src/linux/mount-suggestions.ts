/** Finds what a misspelt word of a mount probably means. */
import { didYouMean } from '../suggest.ts';

/** The options that are most often misspelt, not all of them (mount(8)). */
const options = [
  ...['ro', 'rw', 'nosuid', 'suid', 'nodev', 'dev', 'noexec', 'exec', 'noatime', 'relatime', 'strictatime'],
  ...['bind', 'rbind', 'private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave', 'sync', 'nosymfollow'],
];

const ofTmpfs = ['size', 'mode', 'nr_inodes', 'nr_blocks', 'uid', 'gid', 'huge', 'mpol', 'inode64', 'noswap'];

/** @param option with or without a value */
export function meantOption(option: string, type: string): string | undefined {
  const [name = ''] = option.split('=', 1);
  return didYouMean(name, [...options, ...(type === 'tmpfs' ? ofTmpfs : [])]);
}

/** @param known the text of /proc/filesystems */
export function meantFilesystem(type: string, known: string): string | undefined {
  return didYouMean(
    type,
    known.split(/\s+/).filter((word) => word !== 'nodev' && word !== ''),
  );
}
