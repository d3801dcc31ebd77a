/** The command on Node. */
import { main } from './main.ts';

void main();
