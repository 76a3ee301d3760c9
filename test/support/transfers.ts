import { Agent, get, type IncomingMessage } from 'node:http';
import type { Unit } from './units.ts';

/** Clients that fetch one unit after the other, each over a separate connection. */
export interface Transfers {
  /** Units that a client received completely. */
  readonly done: ReadonlySet<Unit>;
  /** Makes `count` transfers, and more until `meanwhile` is over. Rejects if one fails. */
  run(url: string, count: number, meanwhile?: () => Promise<unknown>): Promise<void>;
  /** Makes transfers until the streamer is gone. */
  runUntilGone(url: string): Promise<void>;
}

const CLIENTS = 8;

export const makeTransfers = (units: readonly Unit[]): Transfers => {
  const waiting = units.toReversed();
  const done = new Set<Unit>();

  /** One client of one streamer; `next` decides about a further transfer. */
  const client = async (url: string, next: () => boolean): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      while (next()) {
        const unit = waiting.pop();
        if (!unit) throw new Error('no units left');
        try {
          await receive(url, unit, agent);
        } catch (error) {
          waiting.push(unit);
          throw error;
        }
        done.add(unit);
      }
    } finally {
      agent.destroy();
    }
  };
  const clients = (url: string, next: () => boolean) => Array.from({ length: CLIENTS }, () => client(url, next));

  return {
    done,
    run: async (url, count, meanwhile = async () => {}) => {
      const until = done.size + count;
      let over = false;
      const happening = meanwhile().finally(() => {
        over = true;
      });
      await Promise.all([happening, ...clients(url, () => !over || done.size < until)]);
    },
    runUntilGone: async (url) => {
      await Promise.allSettled(clients(url, () => true));
    },
  };
};

/** Resolves once a unit was received completely. */
const receive = (url: string, { path, content }: Unit, agent: Agent): Promise<void> =>
  new Promise((resolve, reject) => {
    const take = (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200 && Buffer.concat(chunks).equals(content)) resolve();
        else reject(new Error(`${path}: ${response.statusCode}`));
      });
    };
    get(url + path, { agent }, take).on('error', reject);
  });
