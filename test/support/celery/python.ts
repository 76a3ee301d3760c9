import { spawnSync } from 'node:child_process';
import { it } from '@jest/globals';

/** Debian's own interpreter, the one that its packages are for. */
export const PYTHON = '/usr/bin/python3';

/** Whether real Celery clients and workers can be run. */
export const hasCelery = spawnSync(PYTHON, ['-c', 'import celery']).status === 0;

/** `it`, where Celery is there; otherwise a skipped test whose name tells why. */
export const itWithCelery = (name: string, test: () => Promise<void> | void, timeout?: number): void =>
  hasCelery ? it(name, test, timeout) : it.skip(`${name} (skipped: needs Python's celery)`, test);
