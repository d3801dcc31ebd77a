/** The shim's engine is killed before it has noted how a process has ended: the next one knows it, too. */
import { writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { killBefore, requires, sandbox, waitFor } from '../../harness/index.ts';
import { ShimClient } from '../../harness/shim-client.ts';

const files = ['/bin/busybox'];
const skip = requires({ root: true, cgroup2: true, runtime: 'tsrun', files, commands: ['strace'] });

t.test('its engine is killed before it notes the end of', { skip }, async (t) => {
  const box = sandbox(t);
  const client = await ShimClient.start(t, box);
  const keeper = await client.keeper();

  await t.test('a container', async (t) => {
    const { id, bundle } = await started();
    await killedAtEnd(t, id, '', () => writeFileSync(`${bundle.rootfs}/all`, ''));
    t.match(await client.ask('Delete', id), { exit_status: 9 });
  });

  await t.test('an added process', async (t) => {
    const { id, bundle } = await started();
    await client.exec(id, 'one', { ...bundle.spec.process, args: waitsFor('/one') });
    await client.ask('Start', id, 'one');
    await killedAtEnd(t, id, 'one', () => writeFileSync(`${bundle.rootfs}/one`, ''));
    t.match(await client.ask('Delete', id, 'one'), { exit_status: 9 });
  });

  /** By this engine: the processes of an earlier one are the keeper's. */
  async function started() {
    const id = box.newId();
    const bundle = box.bundle((spec) => {
      spec.process.args = waitsFor('/all');
    });
    await client.create(id, bundle.directory);
    await client.ask('Start', id);
    return { id, bundle };
  }

  async function killedAtEnd(t: Test, id: string, exec: string, end: () => void): Promise<void> {
    const engine = await waitFor('an engine', () => client.engine(keeper));
    const killed = await killBefore(box, engine, { call: '/^rename(at2?)?$', path: client.nextNoteOf(id) });
    const waited = client.ask('Wait', id, exec);
    end();
    t.match(await waited, { exit_status: 9 });
    await killed();
  }
});

function waitsFor(file: string): string[] {
  return ['sh', '-c', `while ! [ -e ${file} ]; do sleep 0.02; done; exit 9`];
}
