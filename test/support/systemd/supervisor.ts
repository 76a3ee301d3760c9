import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { afterEach } from '@jest/globals';
import { filter, firstValueFrom, ReplaySubject, skip } from 'rxjs';
import { ownEnvironment } from '../run-process.ts';

/** One line of `supervisor.py`: exactly one of these is there. */
interface Heard {
  readonly addresses?: readonly (readonly [host: string, port: number])[];
  readonly started?: number;
  readonly notified?: Readonly<Record<string, string>>;
  /** Of the service's standard output. */
  readonly line?: string;
  readonly ended?: number;
}

interface Plan {
  /** Sockets to pass: their type, address and name. */
  readonly listen?: readonly (readonly ['SOCK_STREAM' | 'SOCK_DGRAM', host: string, name: string])[];
  readonly command: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** What systemd does for a service, anywhere: sockets, notifications, the journal. */
export interface Supervisor {
  /** The addresses of the passed sockets, as URLs without a slash at the end. */
  readonly urls: readonly string[];
  send(word: 'start' | 'TERM' | 'HUP' | 'KILL' | 'STOP'): void;
  /** The `count`-th line of this kind from the first on, also one that was heard before. */
  heard<K extends keyof Heard>(
    kind: K,
    fits?: (value: NonNullable<Heard[K]>) => boolean,
    count?: number,
  ): Promise<NonNullable<Heard[K]>>;
  /** All lines of a kind so far. */
  sofar<K extends keyof Heard>(kind: K): readonly NonNullable<Heard[K]>[];
}

const PROGRAM = new URL('supervisor.py', import.meta.url).pathname;

/** Starts supervisors, which end after their test with their services. */
export const supervisors = (): ((plan: Plan) => Promise<Supervisor>) => {
  const ends: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(ends.splice(0).map((end) => end()));
  });
  return async ({ listen = [], command, env = {} }) => {
    const plan = JSON.stringify({ listen, command, env: { ...ownEnvironment(), ...env } });
    const child = spawn('python3', [PROGRAM, plan], { stdio: ['pipe', 'pipe', 'inherit'] });
    const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
    const lines = new ReplaySubject<Heard>();
    const all: Heard[] = [];
    createInterface(child.stdout)
      .on('line', (text) => {
        const line: Heard = JSON.parse(text);
        all.push(line);
        lines.next(line);
      })
      .on('close', () => lines.complete());
    const sofar: Supervisor['sofar'] = (kind) => all.map((one) => one[kind]).filter((value) => value !== undefined);
    ends.push(async () => {
      if (sofar('started').length > sofar('ended').length) child.stdin.write('KILL\n');
      child.stdin.end();
      await closed;
    });
    const heard: Supervisor['heard'] = async (kind, fits = () => true, count = 1) => {
      const matching = lines.pipe(
        filter((line) => line[kind] !== undefined && fits(line[kind])),
        skip(count - 1),
      );
      const { [kind]: value } = await firstValueFrom(matching, {
        defaultValue: {} as Heard,
      });
      if (value === undefined)
        throw new Error(`the supervisor ended; its last lines: ${JSON.stringify(all.slice(-5))}`);
      return value;
    };
    const addresses = await heard('addresses');
    return {
      urls: addresses.map(([host, port]) => `http://${host.includes(':') ? `[${host}]` : host}:${port}`),
      send: (word) => child.stdin.write(`${word}\n`),
      heard,
      sofar,
    };
  };
};
