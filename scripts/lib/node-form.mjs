/**
 * Which tests run again with the form on Node. Both forms have the same source; they differ in what is below it: the
 * start, the Node-API, descriptors and signals, the terminal, files, and the end of the process. These tests cover all
 * of that. TSRUN_TEST_NODE_FORM=all runs every integration test: use it after a change of src/standalone or
 * addon/engine.
 */
import { integrationTests } from './vm-tests.mjs';

export const contractTests = [
  'bad-input',
  'bad-resources',
  'check',
  'command',
  'completion',
  'contract',
  'create',
  'events',
  'exec',
  'exhausted',
  'features',
  'handed-over',
  'hooks',
  'inherited',
  'interrupted',
  'job-control',
  'long-values',
  'named-files',
  'no-polling',
  'pause',
  'pid-file',
  'process-attributes',
  'restore',
  'rootless',
  'run',
  'sd-notify',
  'seccomp',
  'seccomp-notify',
  'spec',
  'start',
  'tampered',
  'terminal',
  'trace',
  'update',
  'wait',
];

/** @param {string[]} files */
export function nodeFormTests(files, choice = process.env.TSRUN_TEST_NODE_FORM) {
  if (choice === 'all') return files.filter((file) => file.startsWith('test/integration/'));
  return integrationTests(files, contractTests);
}
