/** `features` as engines call it: without global options, and with stdout and stderr in one stream. */
import t from 'tap';
import { run, runtimeName, runtimePath } from '../../harness/index.ts';

t.test('features prints one JSON document and nothing else', async (t) => {
  const { code, stdout, stderr } = await run(runtimePath, ['features']);
  t.equal(code, 0);
  t.equal(stderr, '');
  const document = JSON.parse(stdout);
  t.ok(document.ociVersionMin);
  t.ok(document.linux.capabilities.includes('CAP_SYS_ADMIN'));
  if (runtimeName !== 'tsrun') return;
  t.equal(document.annotations['org.opencontainers.runc.checkpoint.enabled'], 'true');
});
