/** The test VM as a place for engines that use systemd or controllers that the machine lacks. */
import type { Test } from 'tap';
import { markOfVm, type Needs, requires, sandbox } from '../harness/index.ts';
import { EnginePlace } from './engine-place.ts';

/** For `skip`: outside the VM the reason for which the test runs again in the VM. */
export function engineVm(needs: Needs = {}): string | false {
  return requires({ root: true, files: [markOfVm], ...needs });
}

/** All tests of a boot share it: the next one finds what one leaves running or on disk. */
export class EngineVm extends EnginePlace {
  static enter(t: Test): EngineVm {
    return new EngineVm(sandbox(t));
  }

  protected enter(command: string[]): string[] {
    return command;
  }

  pathOutside(path: string): string {
    return path;
  }
}
