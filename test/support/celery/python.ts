import { spawnSync } from 'node:child_process';
import { it } from '@jest/globals';

/** Debian's interpreter, for which its packages are installed. */
export const PYTHON = '/usr/bin/python3';

/** Whether real Celery clients and workers can be run. */
export const hasCelery = spawnSync(PYTHON, ['-c', 'import celery']).status === 0;

/** `it` if Celery is available; otherwise a skipped test with the reason in its name. */
export const itWithCelery = (name: string, test: () => Promise<void> | void, timeout?: number): void =>
  hasCelery ? it(name, test, timeout) : it.skip(`${name} (skipped: needs Python's celery)`, test);
