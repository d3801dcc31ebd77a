/** The command line tool on Node. */
import { main } from './main.ts';

void main();
