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

// A run ends at the first test that fails, and the next mutant finds what that has left: in two ways it would fail, too.
// The RxJS of the tests: Stryker has one of its own.
const rxjs = createRequire(join(process.cwd(), 'package.json'));

// A timer that a test forgets while RxJS uses virtual time is not cleared, and RxJS fails when it fires.
const { intervalProvider } = rxjs('rxjs/internal/scheduler/intervalProvider');
const clearVirtual = intervalProvider.clearInterval;
intervalProvider.clearInterval = (timer: NodeJS.Timeout | number) =>
  typeof timer === 'object' ? clearInterval(timer) : clearVirtual(timer);

// What is subscribed to in virtual time waits for ever once that has ended, and others wait with it (operators/deadline.ts).
const { Observable } = rxjs('rxjs');
const { TestScheduler } = rxjs('rxjs/testing');
const { run } = TestScheduler.prototype;
TestScheduler.prototype.run = function (this: unknown, test: unknown) {
  const { subscribe } = Observable.prototype;
  const left: { unsubscribe(): void }[] = [];
  Observable.prototype.subscribe = function (this: unknown, ...to: unknown[]) {
    const subscription = subscribe.apply(this, to);
    left.push(subscription);
    return subscription;
  };
  try {
    return run.call(this, test);
  } catch (error) {
    for (const subscription of left) subscription.unsubscribe();
    throw error;
  } finally {
    Observable.prototype.subscribe = subscribe;
  }
};
