import { pythonRepr } from './python-repr.ts';

/** Celery up to 3.1 sends protocol 1, later ones 2. Workers of 3.1.24 and later accept both. */
export type CeleryProtocol = 1 | 2;

/** A call of a task that a worker has registered. */
export interface Task {
  readonly id: string;
  readonly name: string;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}

/** An AMQP message, with the field names of AMQP 0-9-1's basic class. */
export interface Message {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly properties: {
    readonly contentType: string;
    readonly contentEncoding: string;
    /** The task's id. */
    readonly correlationId: string;
    readonly replyTo: string;
    /** 2: the broker stores it on disk. */
    readonly deliveryMode: 2;
  };
  readonly body: string;
}

/**
 * The target of a message. Its queue's name is the routing key; the exchange has that name or is
 * the broker's default one.
 */
export interface Destination {
  readonly queue: string;
  /** `''` is the default exchange, which routes to every queue by its name. */
  readonly exchange: string;
}

/**
 * Celery 3.1 declares an exchange of the same name for each queue. Celery 4 and later publish
 * through the default one.
 */
export const destinationOf = (protocol: CeleryProtocol, queue: string): Destination => ({
  queue,
  exchange: protocol === 1 ? queue : '',
});

interface Context {
  readonly protocol: CeleryProtocol;
  /** The sender, for the worker's logs: `gen{pid}@{host}`. */
  readonly origin: string;
  /** Further headers, which the task finds in its request. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * The message that makes a Celery worker run a task:
 * https://docs.celeryq.dev/en/stable/internals/protocol.html
 */
export const celeryMessage = (task: Task, { protocol, origin, headers: more = {} }: Context): Message => {
  const { headers, body } = protocol === 1 ? first(task) : second(task, origin);
  return {
    headers: { ...more, ...headers },
    properties: {
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      correlationId: task.id,
      replyTo: '',
      deliveryMode: 2,
    },
    body: JSON.stringify(body),
  };
};

/** Fields that both protocols have, for a task without group or delay. */
const PLAIN = {
  eta: null,
  expires: null,
  group: null,
  group_index: null,
  retries: 0,
  timelimit: [null, null],
};

const first = ({ name: task, id, args, kwargs }: Task) => ({
  headers: {},
  body: { task, id, args, kwargs, ...PLAIN, utc: true, callbacks: null, errbacks: null, taskset: null, chord: null },
});

const second = ({ name: task, id, args, kwargs }: Task, origin: string) => ({
  headers: {
    lang: 'py',
    task,
    id,
    shadow: null,
    ...PLAIN,
    root_id: id,
    parent_id: null,
    argsrepr: args.length > 0 ? pythonRepr(args) : '()',
    kwargsrepr: pythonRepr(kwargs),
    origin,
    ignore_result: false,
  },
  body: [args, kwargs, { callbacks: null, errbacks: null, chain: null, chord: null }],
});
