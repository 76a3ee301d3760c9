import { ShortLivedMap } from '../../../pipelines/operators/short-lived-map.ts';
import { ConfigError } from '../../config/config-error.ts';
import { UnknownInterfaceError } from '../../http/unknown-interface.ts';
import { messageOf } from '../../lib/thrown.ts';

/** What one process answers to another. */
export type Calls<T> = { readonly [Name in keyof T]: (value: never) => unknown };

type ValueOf<F> = F extends (value: infer V) => unknown ? V : never;
type ResultOf<F> = F extends (value: never) => infer R ? Awaited<R> : never;

/** The other process. */
export interface Peer<T extends Calls<T>> {
  /** Resolves to its answer. Rejects with its error, or if it ends before. */
  ask<Name extends keyof T & string>(name: Name, value: ValueOf<T[Name]>): Promise<ResultOf<T[Name]>>;
  /** The same, if nobody wants to know. */
  tell<Name extends keyof T & string>(name: Name, value: ValueOf<T[Name]>): void;
  /** To be called when it has ended: rejects what it was asked. */
  ended(): void;
}

/** The end of a channel between two processes. */
export interface Port {
  send(message: Message): void;
  onMessage(take: (message: Message) => void): void;
}

interface Failure {
  readonly message: string;
  readonly kind?: 'configuration' | 'address';
  readonly problems?: readonly string[];
}

export type Message =
  | { readonly type: 'call'; readonly id?: number; readonly name: string; readonly value: unknown }
  | { readonly type: 'answer'; readonly id: number; readonly value?: unknown; readonly failure?: Failure };

const failureOf = (error: unknown): Failure => ({
  message: messageOf(error),
  ...(error instanceof ConfigError && { kind: 'configuration', problems: error.problems }),
  ...(error instanceof UnknownInterfaceError && { kind: 'address' }),
});

const errorOf = ({ message, kind, problems = [] }: Failure): Error => {
  if (kind === 'configuration') return new ConfigError(problems);
  return kind === 'address' ? new UnknownInterfaceError(message) : new Error(message);
};

/** Connects two processes by messages. `own` answers what the other one asks. */
export const connectPeer = <Theirs extends Calls<Theirs>, Own extends Calls<Own>>(
  port: Port,
  own: Own,
): Peer<Theirs> => {
  const asked = new ShortLivedMap<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let last = 0;

  const call = async (name: string, value: unknown) => {
    const answer: unknown = Reflect.get(own, name);
    if (typeof answer !== 'function') throw new Error(`unknown call ${name}`);
    return answer(value);
  };
  port.onMessage((message) => {
    if (message.type === 'call') {
      const { id, name, value } = message;
      const answered = call(name, value);
      if (id === undefined) {
        // Nobody waits for it. A call that can fail says so itself, and must not end this process.
        answered.catch(() => {});
        return;
      }
      answered.then(
        (value) => port.send({ type: 'answer', id, value }),
        (error: unknown) => port.send({ type: 'answer', id, failure: failureOf(error) }),
      );
      return;
    }
    const { id, value, failure } = message;
    const waiting = asked.get(id);
    asked.delete(id);
    if (failure) waiting?.reject(errorOf(failure));
    else waiting?.resolve(value);
  });

  return {
    ask: (name, value) =>
      new Promise((resolve, reject) => {
        last += 1;
        asked.set(last, { resolve: resolve as (value: unknown) => void, reject });
        port.send({ type: 'call', id: last, name, value });
      }),
    tell: (name, value) => port.send({ type: 'call', name, value }),
    ended: () => {
      for (const { reject } of asked.values()) reject(new Error('the worker has ended'));
      asked.clear();
    },
  };
};
