import { type ChannelModel, type ConfirmChannel, connect, credentials, type SocketOptions } from 'amqplib';
import { BehaviorSubject, NEVER, Observable, type Subject, type Subscription, switchMap, timer } from 'rxjs';
import { readPlainBytesSync } from '../../../lib/read-plain-file.ts';
import { messageOf } from '../../../lib/thrown.ts';
import type { Destination, Message } from '../message.ts';
import type { BrokerAddress } from './address.ts';
import { describeAddress } from './address.ts';

/** The login method. EXTERNAL takes the user from the client certificate. */
export type LoginMethod = 'PLAIN' | 'AMQPLAIN' | 'EXTERNAL';

/** `durable` creates a missing queue that survives a restart; `passive` requires the queue. */
export type Declare = 'durable' | 'passive';

export interface SessionOptions {
  readonly address: BrokerAddress;
  /** PEM files, read again for each connection. A CA replaces those of Node. */
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
  readonly login: LoginMethod;
  readonly declare: Declare;
  /**
   * Seconds. A broker that is silent for twice this time counts as lost, even if its connection
   * seems open. Default: 30.
   */
  readonly heartbeat?: number;
  /**
   * Milliseconds. A broker counts as lost if it leaves something unanswered for that long, although
   * its heartbeats come, unless it has said that it blocks messages. Default: a minute.
   */
  readonly answerWithin?: number;
  /**
   * Called if the broker stops accepting messages (`connection.blocked`), and once it accepts them
   * again. Must not throw.
   */
  readonly onNotice: (notice: string) => void;
}

/** An open connection. */
export interface Session {
  /**
   * Completes when the broker has confirmed the message. Errors if the broker rejects it, if no
   * queue takes it, or if the connection is lost.
   */
  publish(destination: Destination, message: Message): Observable<never>;
}

/** Milliseconds within which a broker must accept a connection. */
const CONNECT_WITHIN = 10_000;
/** Milliseconds for an orderly close. */
const CLOSE_WITHIN = 1_000;

/**
 * Connects to a broker. Emits the session once it is open. Errors if the connection fails or is
 * lost. Never completes. Unsubscribing closes the connection, or stops connecting.
 */
export const openSession = (options: SessionOptions): Observable<Session> =>
  new Observable((subscriber) => {
    const cut = new AbortController();
    let connection: ChannelModel | undefined;
    const lost = (error: unknown) =>
      subscriber.error(new Error(`broker ${describeAddress(options.address)}: ${messageOf(error)}`, { cause: error }));
    const blocks = new BehaviorSubject(false);
    const { answerWithin = 60_000 } = options;
    const expectAnswer = (): Subscription =>
      blocks
        .pipe(switchMap((blocked) => (blocked ? NEVER : timer(answerWithin))))
        .subscribe(() => lost(`no answer within ${answerWithin} ms, although the connection is open`));

    const run = async () => {
      // A broker that sends a byte now and then is never idle.
      const opening = expectAnswer();
      subscriber.add(opening);
      connection = await dial(options, cut.signal);
      watch(connection, options, lost, blocks);
      const channel = await connection.createConfirmChannel();
      opening.unsubscribe();
      channel.on('error', lost);
      // If the connection is lost, its channels close first. Its own event, with the reason,
      // follows.
      channel.on('close', () => queueMicrotask(() => lost('the broker closed the channel')));
      subscriber.next(sessionOn(connection, channel, options, lost, expectAnswer));
    };
    run().catch(lost);

    return () => {
      if (!connection) return cut.abort();
      const late = setTimeout(() => cut.abort(), CLOSE_WITHIN);
      // The connection may be closed already, or be lost now. Either way it is gone.
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
  blocks: Subject<boolean>,
): void => {
  connection.on('error', lost);
  connection.on('close', (error) => lost(error ?? 'the broker closed the connection'));
  connection.on('blocked', (reason) => {
    blocks.next(true);
    onNotice(`broker ${describeAddress(address)} blocks messages: ${reason}`);
  });
  connection.on('unblocked', () => {
    blocks.next(false);
    onNotice(`broker ${describeAddress(address)} accepts messages again`);
  });
};

const dial = (
  { address, tls = {}, login, heartbeat = 30 }: SessionOptions,
  signal: AbortSignal,
): Promise<ChannelModel> => {
  const { host: hostname, port, vhost, username, password } = address;
  const files = { ca: tls.caFile, cert: tls.certFile, key: tls.keyFile };
  const identity = Object.entries(files).flatMap(([name, file]) => (file ? [[name, readPlainBytesSync(file)]] : []));
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

const sessionOn = (
  connection: ChannelModel,
  channel: ConfirmChannel,
  { declare }: SessionOptions,
  lost: (error: unknown) => void,
  expectAnswer: () => Subscription,
): Session => {
  const declared = new Map<string, Promise<void>>();
  const unconfirmed = new Set<string>();
  const returned = new Set<string>();
  let sent = 0;
  // The broker returns an unroutable message before it confirms it.
  channel.on('return', ({ properties: { correlationId } }) => {
    if (unconfirmed.has(correlationId)) returned.add(correlationId);
  });
  // amqplib would never see the confirmation of the message that gets this number later.
  const judge = ({ deliveryTag }: { readonly deliveryTag: number }) => {
    if (deliveryTag > sent) lost(`the broker answered message ${deliveryTag} of ${sent}`);
  };
  channel.on('ack', judge).on('nack', judge);

  /** Once per session, and again after a returned message or a refusal. */
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
          sent += 1;
          unconfirmed.add(properties.correlationId);
          channel.publish(exchange, queue, Buffer.from(body), options, (error) => {
            unconfirmed.delete(properties.correlationId);
            const homeless = returned.delete(properties.correlationId);
            if (error)
              subscriber.error(new Error(`queue ${queue}: the broker rejected the message: ${messageOf(error)}`));
            else if (homeless) {
              declared.delete(queue);
              subscriber.error(new Error(`queue ${queue}: the broker returned the message: no such queue`));
            } else subscriber.complete();
          });
        };
        subscriber.add(expectAnswer());
        ensure(destination)
          .then(send)
          .catch((error: unknown) => subscriber.error(error));
      }),
  };
};

/** On a separate channel: a refusal closes the channel, with its pending confirmations. */
const declareOn = async (
  connection: ChannelModel,
  { queue, exchange }: Destination,
  declare: Declare,
): Promise<void> => {
  const channel = await connection.createChannel();
  channel.on('error', () => {}); // The call itself rejects with the same error.
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
