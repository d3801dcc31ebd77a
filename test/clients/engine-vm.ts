/** The test VM as a place for engines that talk to systemd or need controllers that the machine has not. */
import type { Test } from 'tap';
import { type Needs, requires, sandbox } from '../harness/index.ts';
import { EnginePlace } from './engine-place.ts';

/** Only the VM's image has it, so no engine of a real machine is ever touched. */
const markOfTheVm = '/usr/lib/tsrun-vm/job';

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

  protected outside(path: string): string {
    return path;
  }
}
