import { afterEach } from '@jest/globals';
import { type Channel, type ConsumeMessage, connect, type GetMessage } from 'amqplib';
import type { Message } from '../../src/saves/celery/message.ts';

/** A channel to inspect a broker; closed, with its connection, after the test. */
export const channels = (): ((url: string) => Promise<Channel>) => {
  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const connection of open.splice(0)) await connection.close().catch(() => {}); // A test may have cut the connection.
  });
  return async (url) => {
    const connection = await connect(url);
    connection.on('error', () => {}); // A broker that is stopped on purpose cuts the connection.
    open.push(connection);
    const channel = await connection.createChannel();
    channel.on('error', () => {});
    return channel;
  };
};

/** A message as received, with the fields of {@link Message}. */
export const received = ({ properties, content }: GetMessage | ConsumeMessage): Message => {
  const { headers = {}, contentType, contentEncoding, correlationId, replyTo, deliveryMode } = properties;
  return {
    headers,
    properties: { contentType, contentEncoding, correlationId, replyTo, deliveryMode },
    body: content.toString(),
  };
};
