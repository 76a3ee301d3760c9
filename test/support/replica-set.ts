import { connect, createServer, type Server, type Socket } from 'node:net';
import { BSON, ObjectId } from 'mongodb';
import { startOn, type TestFeed } from './feeds.ts';

/**
 * A member of a replica set, as a driver sees it: a relay to a real server that describes itself as
 * a member.
 */
export interface Member {
  /** `HOST:PORT` */
  readonly host: string;
  become(role: 'primary' | 'secondary'): void;
  /** Stops it and cuts all its connections. */
  stop(): Promise<void>;
}

/**
 * A replica set for the driver only, because the available servers cannot form one. All members
 * have the same data at once.
 */
export const startReplicaSet = async (server: { readonly url: string }, size = 2): Promise<readonly Member[]> => {
  const { hostname, port } = new URL(server.url);
  const hosts: string[] = [];
  let elections = 0;
  const start = async (index: number): Promise<Member> => {
    let role: 'primary' | 'secondary' = index === 0 ? 'primary' : 'secondary';
    let electionId = ObjectId.createFromTime(++elections);
    const hello = () => ({
      ok: 1,
      helloOk: true,
      ismaster: role === 'primary',
      isWritablePrimary: role === 'primary',
      secondary: role === 'secondary',
      setName: 'rs0',
      setVersion: 1,
      ...(role === 'primary' && { electionId }),
      hosts,
      me: hosts[index],
      minWireVersion: 0,
      maxWireVersion: 17,
      maxBsonObjectSize: 16_777_216,
      maxMessageSizeBytes: 48_000_000,
      maxWriteBatchSize: 100_000,
    });
    const answer = (command: string): object | undefined => {
      if (/^(hello|ismaster)$/i.test(command)) return hello();
      const writes = /^(insert|update|delete|findAndModify)$/i.test(command);
      if (!writes || role === 'primary') return undefined;
      return { ok: 0, code: 10_107, codeName: 'NotWritablePrimary', errmsg: 'not primary' };
    };
    const member: TestFeed = await startOn(relay(hostname, Number(port), answer));
    hosts.push(`127.0.0.1:${member.port}`);
    return {
      host: `127.0.0.1:${member.port}`,
      become: (next) => {
        role = next;
        electionId = ObjectId.createFromTime(++elections);
      },
      stop: member.close,
    };
  };
  const members: Member[] = [];
  for (let index = 0; index < size; index += 1) members.push(await start(index));
  return members;
};

/** Relays everything except the commands that are answered here. */
const relay = (host: string, port: number, answer: (command: string) => object | undefined): Server =>
  createServer((client: Socket) => {
    const upstream = connect(port, host);
    upstream.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.on('error', () => {}).on('close', () => upstream.destroy());
    upstream.pipe(client);
    let read = Buffer.alloc(0);
    client.on('data', (bytes: Buffer) => {
      read = Buffer.concat([read, bytes]);
      while (read.length >= 16 && read.length >= read.readInt32LE(0)) {
        const message = read.subarray(0, read.readInt32LE(0));
        read = read.subarray(message.length);
        const reply = answer(commandOf(message));
        if (reply) client.write(replyTo(message, reply));
        else upstream.write(message);
      }
    });
  });

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;

/** The name of the command: the first field of its document. */
const commandOf = (message: Buffer): string => {
  const isMsg = message.readInt32LE(12) === OP_MSG;
  // The document follows flags and the kind of the first section, or flags, the collection's name
  // and two numbers.
  const start = isMsg ? 21 : message.indexOf(0, 20) + 9;
  const document = message.subarray(start, start + message.readInt32LE(start));
  return Object.keys(BSON.deserialize(document))[0] ?? '';
};

const replyTo = (message: Buffer, reply: object): Buffer => {
  const old = message.readInt32LE(12) === OP_QUERY;
  const document = BSON.serialize(reply);
  const head = Buffer.alloc(old ? 36 : 21);
  head.writeInt32LE(head.length + document.length, 0);
  head.writeInt32LE(message.readInt32LE(4), 8);
  head.writeInt32LE(old ? OP_REPLY : OP_MSG, 12);
  if (old) head.writeInt32LE(1, 32);
  return Buffer.concat([head, document]);
};
