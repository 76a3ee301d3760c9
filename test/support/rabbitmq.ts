import { afterAll, beforeAll, it } from '@jest/globals';
import { isInstalled, type RabbitMq, type RabbitMqOptions, startRabbitMq } from './start-rabbitmq.ts';

const OVERRIDE = process.env.AMQP_URL;

type Register = (name: string, test: () => Promise<void> | void, timeout?: number) => void;
const itIf =
  (condition: boolean, reason: string): Register =>
  (name, test, timeout) =>
    condition ? it(name, test, timeout) : it.skip(`${name} (skipped: ${reason})`, test);

/** Whether a broker is available. */
export const hasBroker = isInstalled || OVERRIDE !== undefined;

/** `it` if a broker is available; otherwise a skipped test with the reason in its name. */
export const itWithBroker = itIf(hasBroker, 'needs rabbitmq-server, or AMQP_URL');
/** The same for tests that stop or inspect the broker. */
export const hasOwnBroker = isInstalled && OVERRIDE === undefined;
export const itWithOwnBroker = itIf(hasOwnBroker, 'needs rabbitmq-server, and no AMQP_URL');

/** Starts a broker for the tests of a file, unless `AMQP_URL` names another one. */
export const rabbitMq = (options: RabbitMqOptions = {}): (() => RabbitMq) => {
  let running: Awaited<ReturnType<typeof startRabbitMq>> | undefined;
  beforeAll(async () => {
    if (hasOwnBroker) running = await startRabbitMq(options);
  });
  afterAll(async () => {
    await running?.close();
  });
  return () => {
    if (running) return running;
    if (OVERRIDE === undefined) throw new Error('no broker available');
    const unable = () => {
      throw new Error('the broker of AMQP_URL is external');
    };
    const own = {
      ctl: unable,
      stop: unable,
      start: unable,
      crash: unable,
      recover: unable,
      freeze: unable,
      thaw: unable,
    };
    return { url: OVERRIDE, tlsPort: 0, ...own };
  };
};
