/** The test VM as a place for engines that talk to systemd or need controllers that the machine has not. */
import type { Test } from 'tap';
import { type Needs, requires, sandbox } from '../harness/index.ts';
import { EnginePlace, markOfTheVm } from './engine-place.ts';

/** For `skip`: natively a reason by which the test is run again in the VM. */
export function engineVm(needs: Needs = {}): string | false {
  return requires({ root: true, files: [markOfTheVm], ...needs });
}

/** All tests of a boot share it: what one leaves running or on disk the next one finds. */
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
