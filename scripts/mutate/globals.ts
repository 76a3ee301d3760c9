/** What the tests import of Jest, made of Mocha, which runs tests again without loading them again. */
import { createRequire } from 'node:module';
import { join } from 'node:path';

// Packages of Jest's own, beside it.
const require = createRequire(join(process.cwd(), 'node_modules/jest/package.json'));
const { bind } = require('jest-each');

export const { expect } = require('expect');
export const jest = { spyOn: require('jest-mock').spyOn };

type Globals = Readonly<
  Record<'it' | 'describe' | 'before' | 'after' | 'beforeEach' | 'afterEach', (...args: unknown[]) => unknown>
>;

/** Mocha sets its own for each file. */
const mocha =
  (name: keyof Globals) =>
  (...args: unknown[]): unknown =>
    (globalThis as unknown as Globals)[name](...args);

const withEach = (name: 'it' | 'describe') => Object.assign(mocha(name), { each: bind(mocha(name), false) });

export const it = withEach('it');
export const describe = withEach('describe');
export const beforeAll = mocha('before');
export const afterAll = mocha('after');
export const beforeEach = mocha('beforeEach');
export const afterEach = mocha('afterEach');

// A mutant may leave a timer running, and a later test forget it while RxJS uses virtual time. RxJS would not clear it then, and
// fail when it fires, in a test of another mutant. The RxJS of the tests: Stryker has one of its own.
const { intervalProvider } = createRequire(join(process.cwd(), 'package.json'))(
  'rxjs/internal/scheduler/intervalProvider',
);
const clearVirtual = intervalProvider.clearInterval;
intervalProvider.clearInterval = (timer: NodeJS.Timeout | number) =>
  typeof timer === 'object' ? clearInterval(timer) : clearVirtual(timer);
