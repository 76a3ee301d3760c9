import { Agent, get, type IncomingMessage } from 'node:http';
import type { Unit } from './units.ts';

/** Clients that fetch one unit after the other, each over a connection of its own. */
export interface Transfers {
  /** Units that somebody has whole, and whose streamer went on afterwards: it has answered the same client once more. */
  readonly done: ReadonlySet<string>;
  /** How many transfers came to a good end so far. */
  count(): number;
  /** Makes so many transfers, and more until `meanwhile` is over. Rejects where one fails. */
  run(url: string, count: number, meanwhile?: () => Promise<unknown>): Promise<void>;
  /** Makes transfers until the streamer is gone. */
  runUntilGone(url: string): Promise<void>;
}

const CLIENTS = 8;

export const makeTransfers = (units: readonly Unit[]): Transfers => {
  const waiting = units.toReversed();
  const done = new Set<string>();
  let completed = 0;

  /** One client of one streamer; `next` says whether there is to be a further transfer. */
  const client = async (url: string, next: () => boolean): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    let last: Unit | undefined;
    const heard = () => {
      if (last) done.add(last.id);
      last = undefined;
    };
    try {
      while (next()) {
        const unit = waiting.pop();
        if (!unit) throw new Error('there are no more units');
        try {
          await receive(url, unit, agent, heard);
        } catch (error) {
          waiting.push(unit);
          throw error;
        }
        completed += 1;
        last = unit;
      }
      await receive(url, { path: '/unknown' }, agent, heard);
    } finally {
      agent.destroy();
    }
  };
  const clients = (url: string, next: () => boolean) => Array.from({ length: CLIENTS }, () => client(url, next));

  return {
    done,
    count: () => completed,
    run: async (url, count, meanwhile = async () => {}) => {
      const until = completed + count;
      let over = false;
      const happening = meanwhile().finally(() => {
        over = true;
      });
      await Promise.all([happening, ...clients(url, () => !over || completed < until)]);
    },
    runUntilGone: async (url) => {
      await Promise.allSettled(clients(url, () => true));
    },
  };
};

/** Resolves once there is a whole response; `heard` is told of its head. */
const receive = (
  url: string,
  wanted: Pick<Unit, 'path'> & Partial<Unit>,
  agent: Agent,
  heard: () => void,
): Promise<void> =>
  new Promise((resolve, reject) => {
    const take = (response: IncomingMessage) => {
      heard();
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        if (!wanted.content || (response.statusCode === 200 && Buffer.concat(chunks).equals(wanted.content))) resolve();
        else reject(new Error(`${wanted.path}: ${response.statusCode}`));
      });
    };
    get(url + wanted.path, { agent }, take).on('error', reject);
  });
