import { describe, expect, it } from '@jest/globals';
import { Observable } from 'rxjs';
import { askWhole } from '../support/clients.ts';
import { openOrigins } from '../support/origin.ts';

const open = openOrigins();

/** Counts the calls of `subscribe` in this process until `run` is over. */
const subscribesOf = async (run: () => Promise<unknown>): Promise<number> => {
  const { subscribe } = Observable.prototype;
  let count = 0;
  const counting = function (this: Observable<unknown>, ...observer: unknown[]) {
    count += 1;
    return Reflect.apply(subscribe, this, observer);
  };
  Observable.prototype.subscribe = counting as typeof subscribe;
  try {
    await run();
  } finally {
    Observable.prototype.subscribe = subscribe;
  }
  return count;
};

/**
 * The server (1), the mission (1), sharing (2), the source (1), and one to spare. Without fusion
 * there were 81. What is rare subscribes when it happens; valves and look-ups are read directly.
 */
const SUBSCRIPTIONS = 6;

describe('a small request to a feed', () => {
  it('is fetched, verified and shared with few subscriptions', async () => {
    const origin = await open();
    const counts: number[] = [];
    // Something in the background, such as a new connection, can add to one of them.
    for (const path of ['/a', '/b', '/c']) {
      const { sha256 } = origin.offer(path, 4096, { size: true });
      const request = async () => {
        expect((await askWhole(origin.url + path)).sha256).toBe(sha256);
        await origin.logged(path);
      };
      counts.push(await subscribesOf(request));
      const [line] = await origin.logged(path);
      expect(line).toMatchObject({ outcome: 'complete', verified: 'sha256', bytes: 4096 });
    }
    expect(Math.min(...counts)).toBeLessThanOrEqual(SUBSCRIPTIONS);
  });
});
