import { readFileSync } from 'node:fs';
import { type ChannelModel, type ConfirmChannel, connect, credentials, type SocketOptions } from 'amqplib';
import { Observable } from 'rxjs';
import { messageOf } from '../../../lib/thrown.ts';
import type { Destination, Message } from '../message.ts';
import type { BrokerAddress } from './address.ts';
import { describeAddress } from './address.ts';

/** How to log in; EXTERNAL: as whom the client certificate says. */
export type LoginMethod = 'PLAIN' | 'AMQPLAIN' | 'EXTERNAL';

/** `durable`: a queue that is missing is made, to outlive the broker; `passive`: it must be there. */
export type Declare = 'durable' | 'passive';

export interface SessionOptions {
  readonly address: BrokerAddress;
  /** PEM files, read anew for each connection. A CA replaces Node's own. */
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
  readonly login: LoginMethod;
  readonly declare: Declare;
  /** Seconds. A broker that says nothing for twice as long is gone, also where its connection still seems to stand. Default: 30. */
  readonly heartbeat?: number;
  /** Told that the broker takes nothing for a while (`connection.blocked`), or again. Must not throw. */
  readonly onNotice: (notice: string) => void;
}

/** A connection that stands. */
export interface Session {
  /** Completes when the broker has confirmed the message; errors where it refuses it, where no queue takes it, or where the connection is lost. */
  publish(destination: Destination, message: Message): Observable<never>;
}

/** Milliseconds within which a broker must accept a connection. */
const CONNECT_WITHIN = 10_000;
/** Milliseconds for a farewell. */
const CLOSE_WITHIN = 1_000;

/**
 * Connects to a broker. Emits the session once it stands; errors where it cannot be had, and when it is lost. Never completes.
 * Unsubscribing closes the connection, or gives up connecting.
 */
export const openSession = (options: SessionOptions): Observable<Session> =>
  new Observable((subscriber) => {
    const cut = new AbortController();
    let connection: ChannelModel | undefined;
    const lost = (error: unknown) =>
      subscriber.error(new Error(`broker ${describeAddress(options.address)}: ${messageOf(error)}`, { cause: error }));

    const run = async () => {
      connection = await dial(options, cut.signal);
      watch(connection, options, lost);
      const channel = await connection.createConfirmChannel();
      channel.on('error', lost);
      // Where the connection is lost its channels close first; it says why right after.
      channel.on('close', () => queueMicrotask(() => lost('the broker closed the channel')));
      subscriber.next(sessionOn(connection, channel, options));
    };
    run().catch(lost);

    return () => {
      if (!connection) return cut.abort();
      const late = setTimeout(() => cut.abort(), CLOSE_WITHIN);
      // It may be closed already, or be lost meanwhile; either way it is gone.
      connection.close().then(
        () => clearTimeout(late),
        () => cut.abort(),
      );
    };
  });

const watch = (
  connection: ChannelModel,
  { onNotice, address }: SessionOptions,
  lost: (error: unknown) => void,
): void => {
  connection.on('error', lost);
  connection.on('close', (error) => lost(error ?? 'the broker closed the connection'));
  connection.on('blocked', (reason) =>
    onNotice(`broker ${describeAddress(address)} takes no messages for now: ${reason}`),
  );
  connection.on('unblocked', () => onNotice(`broker ${describeAddress(address)} takes messages again`));
};

const dial = (
  { address, tls = {}, login, heartbeat = 30 }: SessionOptions,
  signal: AbortSignal,
): Promise<ChannelModel> => {
  const { host: hostname, port, vhost, username, password } = address;
  const files = { ca: tls.caFile, cert: tls.certFile, key: tls.keyFile };
  const identity = Object.entries(files).flatMap(([name, file]) => (file ? [[name, readFileSync(file)]] : []));
  const socket: SocketOptions & { signal: AbortSignal } = {
    ...(address.tls && Object.fromEntries(identity)),
    credentials: login === 'EXTERNAL' ? credentials.external() : credentials[LOGINS[login]](username, password),
    timeout: CONNECT_WITHIN,
    noDelay: true,
    clientProperties: { connection_name: 'pulp-streamer' },
    signal,
  };
  const where = { protocol: address.tls ? 'amqps' : 'amqp', hostname, port, vhost: encodeURIComponent(vhost) };
  return connect({ ...where, heartbeat }, socket);
};

const LOGINS = { PLAIN: 'plain', AMQPLAIN: 'amqplain' } as const;

const sessionOn = (connection: ChannelModel, channel: ConfirmChannel, { declare }: SessionOptions): Session => {
  const declared = new Map<string, Promise<void>>();
  const returned = new Set<string>();
  // The broker returns what no queue takes before it confirms it.
  channel.on('return', ({ properties }) => returned.add(properties.correlationId));

  /** Once for each session, until a message comes back or the broker refuses. */
  const ensure = (destination: Destination): Promise<void> => {
    const known = declared.get(destination.queue);
    if (known) return known;
    const made = declareOn(connection, destination, declare);
    made.catch(() => declared.delete(destination.queue));
    declared.set(destination.queue, made);
    return made;
  };

  return {
    publish: (destination, { headers, properties, body }) =>
      new Observable((subscriber) => {
        const { queue, exchange } = destination;
        const send = () => {
          if (subscriber.closed) return;
          const options = { ...properties, headers, mandatory: true };
          channel.publish(exchange, queue, Buffer.from(body), options, (error) => {
            const homeless = returned.delete(properties.correlationId);
            if (error)
              subscriber.error(new Error(`queue ${queue}: the broker did not take the message: ${messageOf(error)}`));
            else if (homeless) {
              declared.delete(queue);
              subscriber.error(new Error(`queue ${queue}: the broker returned the message: there is no such queue`));
            } else subscriber.complete();
          });
        };
        ensure(destination)
          .then(send)
          .catch((error: unknown) => subscriber.error(error));
      }),
  };
};

/** On a channel of its own: a refusal closes the channel, and with it what waits to be confirmed there. */
const declareOn = async (
  connection: ChannelModel,
  { queue, exchange }: Destination,
  declare: Declare,
): Promise<void> => {
  const channel = await connection.createChannel();
  channel.on('error', () => {}); // What was asked for rejects with the same error.
  try {
    if (declare === 'passive') {
      await channel.checkQueue(queue);
      if (exchange !== '') await channel.checkExchange(exchange);
    } else {
      await channel.assertQueue(queue, { durable: true });
      if (exchange !== '') {
        await channel.assertExchange(exchange, 'direct', { durable: true });
        await channel.bindQueue(queue, exchange, queue);
      }
    }
  } catch (error) {
    throw new Error(`queue ${queue} cannot be declared (${declare}): ${messageOf(error)}`, { cause: error });
  }
  await channel.close();
};
