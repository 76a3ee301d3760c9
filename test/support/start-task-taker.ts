import { connect } from 'amqplib';
import { filter, firstValueFrom, Subject } from 'rxjs';

/** A consumer of tasks. */
export interface TaskTaker {
  /** The resources in the received tasks, with their counts. */
  readonly resources: ReadonlyMap<string, number>;
  /** The ids of the received tasks by their resources, one for each message. */
  readonly ids: ReadonlyMap<string, readonly string[]>;
  /** Resolves once every task that is in the queue now was received. */
  all(): Promise<void>;
  /** Deletes the queue with its content, and consumes nothing until it is started again. */
  deleteQueue(): Promise<void>;
  resume(): Promise<void>;
  close(): Promise<void>;
}

const MARK = 'mark';

/**
 * Consumes reservation tasks from a queue, across restarts of the broker. A task is acknowledged
 * after it was counted, so a lost connection loses none. A task may come twice.
 */
export const startTaskTaker = async (url: string, queue: string): Promise<TaskTaker> => {
  const resources = new Map<string, number>();
  const ids = new Map<string, string[]>();
  const marks = new Subject<string>();
  const take = (content: Buffer): void => {
    const body = JSON.parse(content.toString());
    if (body[MARK]) {
      marks.next(body[MARK]);
      return;
    }
    const [, id, resource] = Array.isArray(body) ? body[0] : body.args;
    ids.set(resource, [...(ids.get(resource) ?? []), id]);
    resources.set(resource, (resources.get(resource) ?? 0) + 1);
  };

  const connection = await connect(url, { recovery: { initialDelay: 50, maxDelay: 200 } });
  connection.on('error', () => {}); // The tests cut the connection.
  const work = async (model: Pick<typeof connection, 'createChannel'>): Promise<void> => {
    const channel = await model.createChannel();
    channel.on('error', () => {});
    await channel.assertQueue(queue, { durable: true });
    await channel.consume(queue, (message) => {
      if (!message) return; // The queue was deleted under the consumer.
      take(message.content);
      channel.ack(message);
    });
  };
  connection.on('connect', (model) => work(model).catch(() => {})); // Cut again: another connection follows.
  await work(connection);

  return {
    resources,
    ids,
    all: async () => {
      const mark = crypto.randomUUID();
      const came = firstValueFrom(marks.pipe(filter((one) => one === mark)));
      const channel = await connection.createChannel();
      channel.sendToQueue(queue, Buffer.from(JSON.stringify({ [MARK]: mark })));
      await came;
      await channel.close();
    },
    deleteQueue: async () => {
      const channel = await connection.createChannel();
      await channel.deleteQueue(queue);
      await channel.close();
    },
    resume: () => work(connection),
    close: () => connection.close(),
  };
};
