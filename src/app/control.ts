import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import { ConfigError } from '../config/config-error.ts';
import type { Settings } from '../config/schema.ts';
import { openControlSocket } from '../http/admin/control-socket.ts';
import { type Endpoint, respond } from '../http/admin/endpoint.ts';
import { createAdminServer } from '../http/admin/server.ts';
import { UnknownInterfaceError } from '../http/unknown-interface.ts';
import { maskUrl } from '../lib/mask.ts';
import { isRefusedByDisk } from '../lib/sqlite-errors.ts';
import { messageOf } from '../lib/thrown.ts';
import type { Answering } from './answering.ts';
import { checkControl, groupOf } from './control-settings.ts';
import type { Reloader } from './reload.ts';
import { invalid } from './save-settings.ts';
import type { Serving } from './serving.ts';
import { type Status, type StatusParts, statusOf } from './status.ts';
import type { OpenStreamer } from './streamer.ts';
import { noWarming } from './warm/check.ts';
import { warmEndpoint } from './warm/endpoint.ts';
import { LONGEST_ORDER } from './warm/names.ts';

interface Opening extends Omit<ControlParts, 'status'>, Omit<StatusParts, 'load' | 'reloader'> {
  readonly server: Answering['server'];
  readonly logger: Logger;
  /** The probes. */
  readonly states: readonly Endpoint[];
}

/**
 * Opens the control socket. A disk that takes no files does not keep the daemon from serving; every
 * other problem rejects with a ConfigError. The returned function closes it.
 */
export const openControl = async ({ logger, states, ...parts }: Opening): Promise<() => Promise<void>> => {
  const { settings, server } = parts;
  checkControl(settings);
  const status = () => statusOf({ ...parts, load: server.load });
  const control = createAdminServer({
    targetLength: LONGEST_ORDER,
    endpoints: [...states, ...readingEndpoints({ status })],
    changing: changingEndpoints({ ...parts, status }),
  });
  try {
    return await openControlSocket(control, { path: settings.controlSocket, group: groupOf(settings) });
  } catch (error) {
    if (!isRefusedByDisk(error)) throw invalid('controlSocket', error);
    logger.error({ error: messageOf(error) }, 'no control socket, serving continues');
    return async () => {};
  }
};

interface ControlParts {
  readonly status: () => Promise<Status>;
  readonly reloader: Reloader;
  readonly serving: Serving;
  readonly server: Answering['server'];
  readonly streamer: OpenStreamer;
  readonly settings: Settings;
}

/** What it answers, to read; as JSON. */
const readingEndpoints = ({ status }: Pick<ControlParts, 'status'>): readonly Endpoint[] => [
  jsonEndpoint('/status', status),
];

/**
 * What it answers to POST:
 * - `/reload` once the configuration is applied. 422 with the reasons if it is not valid;
 * - `/drain?quiet=MS` once no request has run, and none has come, for that many milliseconds. From the
 *   start on `/readyz` is 503, and each connection ends after its next response;
 * - `/undrain` ends that;
 * - `/warm` with an order as JSON: see `warmEndpoint`.
 */
const changingEndpoints = ({ reloader, serving, server, streamer, settings }: ControlParts): readonly Endpoint[] => {
  const drain = (draining: boolean) => {
    streamer.warming?.hold(draining);
    serving.drain(draining);
    server.drain(draining);
  };
  return [
    jsonEndpoint('/reload', reloader.reload),
    jsonEndpoint('/drain', async (req) => {
      const quiet = Number(new URL(req.url ?? '', 'http://localhost').searchParams.get('quiet') ?? 0);
      drain(true);
      while (serving.draining) {
        await server.idle();
        const { arrived } = await server.load();
        if (quiet > 0) await setTimeout(quiet, undefined, { ref: false });
        if ((await server.load()).arrived === arrived) break;
      }
      return { drained: serving.draining };
    }),
    jsonEndpoint('/undrain', async () => {
      drain(false);
      return { drained: false };
    }),
    warmEndpoint({
      warming: streamer.warming,
      own: streamer.own ?? streamer.catalog,
      missing: () => noWarming(settings) ?? 'nothing is fetched ahead here',
    }),
  ];
};

/** 422: the configuration cannot be used. 500: the daemon failed. */
const jsonEndpoint = (path: string, answer: (req: IncomingMessage) => Promise<unknown>): Endpoint => ({
  path,
  answer: (req: IncomingMessage, res: ServerResponse) => {
    answer(req).then(
      (value) => respond(res, [200, JSON.stringify(value)], JSON_TYPE),
      (error: unknown) => {
        const isInvalid = error instanceof ConfigError || error instanceof UnknownInterfaceError;
        respond(res, [isInvalid ? 422 : 500, maskUrl(messageOf(error))]);
      },
    );
  },
});

const JSON_TYPE = { 'Content-Type': 'application/json' };
