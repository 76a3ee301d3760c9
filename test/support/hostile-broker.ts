import type { Socket } from 'node:net';
import { startRaw } from './feeds.ts';

/** The parts of AMQP 0-9-1 as they lie in bytes. */
export const short = (value: number) => Buffer.of(value >> 8, value & 0xff);
export const long = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
export const longlong = (value: bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
};
export const shortText = (text: string) => Buffer.concat([Buffer.of(Buffer.byteLength(text)), Buffer.from(text)]);
export const longText = (text: string | Buffer): Buffer =>
  Buffer.concat([long(Buffer.byteLength(text)), Buffer.from(text)]);
export const table = (...fields: readonly Buffer[]): Buffer => longText(Buffer.concat(fields));

export const frame = (type: number, channel: number, ...payload: readonly Buffer[]) => {
  const bytes = Buffer.concat(payload);
  return Buffer.concat([Buffer.of(type), short(channel), long(bytes.length), bytes, Buffer.of(0xce)]);
};
export const method = (channel: number, classId: number, methodId: number, ...fields: readonly Buffer[]) =>
  frame(1, channel, short(classId), short(methodId), ...fields);

export const start = (properties = table(), mechanisms = 'PLAIN AMQPLAIN') =>
  method(0, 10, 10, Buffer.of(0, 9), properties, longText(mechanisms), longText('en_US'));
export const tune = (frameMax = 131_072, channelMax = 2047) =>
  method(0, 10, 30, short(channelMax), long(frameMax), short(0));

/** Answers of an honest broker, by class and method of what it is asked. */
const HONEST: Readonly<Record<string, (channel: number) => Buffer>> = {
  '10.11': () => tune(),
  '10.40': () => method(0, 10, 41, shortText('')),
  '10.50': () => method(0, 10, 51),
  '20.10': (channel) => method(channel, 20, 11, longText('')),
  '20.40': (channel) => method(channel, 20, 41),
  '85.10': (channel) => method(channel, 85, 11),
  '50.10': (channel) => method(channel, 50, 11, shortText('q'), long(0), long(0)),
};

/** What a broker says instead of its honest answer; nothing: it is honest there. */
export type Says = (asked: string, channel: number, socket: Socket) => Buffer | undefined;

/**
 * A broker on a bare socket. It is asked `header` (the protocol header) or a method, as
 * `class.method`; a message that was published is not confirmed unless `says` does.
 */
export const startHostileBroker = (says: Says) =>
  startRaw((socket) => {
    let rest: Buffer = Buffer.alloc(0);
    let greeted = false;
    const answer = (asked: string, channel: number, honest: Buffer | undefined) => {
      const bytes = says(asked, channel, socket) ?? honest;
      if (bytes && socket.writable) socket.write(bytes);
    };
    socket.on('data', (bytes) => {
      rest = Buffer.concat([rest, bytes]);
      if (!greeted && rest.length >= 8) {
        greeted = true;
        rest = rest.subarray(8);
        answer('header', 0, start());
      }
      while (greeted && rest.length >= 7 && rest.length >= rest.readUInt32BE(3) + 8) {
        const [type, channel, size] = [rest[0], rest.readUInt16BE(1), rest.readUInt32BE(3)];
        const asked = type === 1 ? `${rest.readUInt16BE(7)}.${rest.readUInt16BE(9)}` : `frame ${type}`;
        rest = rest.subarray(size + 8);
        answer(asked, channel, HONEST[asked]?.(channel));
      }
    });
  });
