import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Harm, harmOne } from '../faults/gremlin.ts';
import type { Random } from '../faults/random.ts';
import { longlong, method, startHostileBroker } from '../support/hostile-broker.ts';
import type { PulpSite } from './pulp.ts';
import type { Stage } from './stage.ts';

/** Something that happens to the daemon again and again, after so many requests each time. */
export interface Trouble {
  readonly name: string;
  readonly every: number;
  /** Resolves to `false` if nothing happened. */
  act(): unknown;
}

interface World {
  readonly stage: Stage;
  readonly saved: string;
  /** The file system of saved copies, if it is small enough to be filled. */
  readonly disk?: { readonly folder: string; readonly mebibytes: number };
  readonly broker: FlappingBroker;
  readonly pulp: PulpSite;
  readonly random: Random;
  /** Resolves after so many further requests. */
  readonly further: (requests: number) => Promise<void>;
  readonly harmed: (how: Harm, key: string | undefined) => void;
}

/** How the daemon saves after each kill. */
const DISPATCHES = ['celery', 'save', 'none', 'save'];
/** Seconds: less than the age of the certificates. */
const JUMP = 3_000;

export const troublesOf = ({
  stage,
  pulp,
  saved,
  disk,
  broker,
  random,
  further,
  harmed,
}: World): readonly Trouble[] => {
  let kills = 0;
  return [
    {
      name: 'kills',
      every: 400,
      act: () => {
        kills += 1;
        return stage.kill(DISPATCHES[kills % DISPATCHES.length]!);
      },
    },
    { name: 'clock jumps', every: 60, act: () => stage.setClock(random.whole(-JUMP, JUMP)) },
    {
      name: 'locks of the database',
      every: 110,
      act: async () => {
        using database = new DatabaseSync(join(stage.site.stateDir, 'catalog.db'), { timeout: 60_000 });
        database.exec('BEGIN IMMEDIATE');
        await further(20);
        database.exec('COMMIT');
      },
    },
    { name: 'changes of the broker', every: 45, act: () => broker.flap() },
    { name: 'outages of MongoDB', every: 200, act: () => pulp.flapDatabase(further) },
    { name: 'changes of RabbitMQ', every: 70, act: () => pulp.flapBroker() },
    ...(disk === undefined ? [] : [{ name: 'fillings of the disk', every: 130, act: fillings(disk) }]),
    {
      name: 'damaged copies',
      every: 25,
      act: async () => {
        const found = await harmOne(saved, random).catch(unlessFull);
        if (found) harmed(found.how, found.key);
      },
    },
  ];
};

/** Fills a small disk, and frees it, in turn. Never writes more than its size. */
const fillings = ({ folder, mebibytes }: NonNullable<World['disk']>) => {
  const ballast = join(folder, 'ballast');
  let full = false;
  return () => {
    full = !full;
    if (!full) return rmSync(ballast, { force: true });
    try {
      for (let pieces = 16 * mebibytes; pieces > 0; pieces -= 1)
        writeFileSync(ballast, Buffer.alloc(65_536), { flag: 'a' });
    } catch (error) {
      unlessFull(error);
    }
  };
};

const unlessFull = (error: unknown): undefined => {
  if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
};

/** A broker that confirms tasks, keeps silent, or cuts every connection. */
export interface FlappingBroker {
  readonly url: string;
  flap(): void;
  close(): Promise<void>;
}

const BODY = 'frame 3';

export const startFlappingBroker = async (): Promise<FlappingBroker> => {
  const moods = ['confirms', 'silent', 'cuts'] as const;
  let mood = 0;
  const confirmed = new WeakMap<object, bigint>();
  const broker = await startHostileBroker((asked, channel, socket) => {
    if (moods[mood] === 'cuts') socket.destroy();
    if (asked !== BODY) return undefined;
    const tag = (confirmed.get(socket) ?? 0n) + 1n;
    confirmed.set(socket, tag);
    return moods[mood] === 'confirms' ? method(channel, 60, 80, longlong(tag), Buffer.of(0)) : undefined;
  });
  return {
    url: `amqp://127.0.0.1:${broker.port}//`,
    flap: () => {
      mood = (mood + 1) % moods.length;
      if (moods[mood] === 'cuts') for (const socket of broker.connections.open) socket.destroy();
    },
    close: broker.close,
  };
};
