import { describe, expect, it } from '@jest/globals';
import type { Connection } from '../../../../src/sources/feed/connection.ts';
import { createPool } from '../../../../src/sources/feed/pool.ts';

describe('a pool', () => {
  const create = (most: number) => {
    const made: Connection[] = [];
    let quiet = 0;
    const pool = createPool({
      most,
      makeConnection: () => {
        const connection: Connection = { send: () => ({ pause() {}, resume() {}, abort() {} }), close: async () => {} };
        made.push(connection);
        return connection;
      },
      onQuiet: () => {
        quiet += 1;
      },
    });
    const take = (client?: string) => {
      const taken: { connection?: Connection; giveBack: () => void; stop: () => void } = {
        giveBack: () => {},
        stop: () => {},
      };
      taken.stop = pool.take((connection, giveBack) => Object.assign(taken, { connection, giveBack }), client);
      return taken;
    };
    return { pool, made, take, quiet: () => quiet };
  };

  it('makes connections when needed, and gives out the most recently used first', () => {
    const { made, take } = create(5);
    const [one, two, three] = [take(), take(), take()];
    expect(made).toHaveLength(3);
    for (const { giveBack } of [one, three, two]) giveBack();
    expect([take().connection, take().connection, take().connection]).toEqual([
      two.connection,
      three.connection,
      one.connection,
    ]);
    expect(made).toHaveLength(3);
  });

  it('serves waiters in order, drops those that stop waiting, and takes nothing back twice', () => {
    const { made, take } = create(1);
    const [one, two, three, four] = [take(), take(), take(), take()];
    expect([two.connection, three.connection, four.connection]).toEqual([undefined, undefined, undefined]);
    two.stop();
    one.giveBack();
    one.giveBack();
    expect([two.connection, three.connection, four.connection]).toEqual([undefined, one.connection, undefined]);
    three.giveBack();
    expect(four.connection).toBe(one.connection);
    expect(made).toHaveLength(1);
  });

  it('serves the clients that wait in turn', () => {
    const { take } = create(1);
    const first = take('many');
    const [two, three, other] = [take('many'), take('many'), take('few')];
    first.giveBack();
    expect(two.connection).toBeDefined();
    two.giveBack();
    expect([other.connection !== undefined, three.connection]).toEqual([true, undefined]);
    other.giveBack();
    expect(three.connection).toBeDefined();
  });

  it('leaves a quarter of the connections to other clients', () => {
    const { take } = create(4);
    const [one, two, three, four] = [take('many'), take('many'), take('many'), take('many')];
    expect([one, two, three, four].map(({ connection }) => connection !== undefined)).toEqual([
      true,
      true,
      true,
      false,
    ]);
    const other = take('few');
    expect(other.connection).toBeDefined();
    other.giveBack();
    expect(four.connection).toBeUndefined();
    one.giveBack();
    expect(four.connection).toBeDefined();
  });

  it('is quiet when every connection is back', () => {
    const { take, quiet } = create(2);
    const [one, two, three] = [take(), take(), take()];
    one.giveBack();
    two.giveBack();
    expect(quiet()).toBe(0);
    three.giveBack();
    expect(quiet()).toBe(1);
  });
});
