import type { AddressInfo } from 'node:net';
import type { HealthChange, PendingSaveRequest, SaveRequest } from '../../../pipelines/index.ts';
import type { Settings } from '../../config/schema.ts';
import type { Load } from '../../http/server.ts';
import type { OpenSocket } from '../../lib/open-socket.ts';
import type { ProcessNews, ProcessSums } from '../../observe/live/mirror.ts';
import type { Finished, FinishedReport } from '../../observe/live/model/finished.ts';
import type { MetricJson } from '../../observe/metrics/merged.ts';
import type { Day } from '../../observe/worth/day.ts';
import type { Refresh } from '../refreshes.ts';

/** What a worker begins with. */
export interface Start {
  /** With its part of the limits: see `shareOf`. */
  readonly settings: Settings;
  readonly index: number;
  /** The unix sockets at which the workers answer each other, by their numbers. */
  readonly sockets: readonly string[];
  /** The name of the daemon whose processes share the folder of copies. */
  readonly family: string;
  /** At which it listens: it has them from the master. */
  readonly places: readonly OpenSocket[];
  /** Whether there is a listener that is asked for metrics and for the live page. */
  readonly measured: boolean;
}

/** What a worker does at this moment, and has done since its start. */
export interface WorkerLoad extends Load {
  /** Requests that it has answered, and those of them with a status of 500 and more. */
  readonly answered: number;
  readonly failed: number;
  /** What does not work there, a line for each subject: see `Conditions`. */
  readonly degraded: readonly string[];
}

/** What the master asks a worker for. */
export interface WorkerCalls {
  /** Opens everything and listens. */
  start(start: Start): Promise<readonly AddressInfo[]>;
  /** Applies settings that a reload has changed. */
  settings(settings: Settings): Promise<void>;
  reopenLog(): void;
  drain(draining: boolean): void;
  /** Once no request is being answered. */
  idle(): Promise<void>;
  load(): WorkerLoad;
  metrics(): Promise<readonly MetricJson[]>;
  /** Whether somebody looks at the live page. */
  look(wanted: boolean): void;
  history(): readonly Finished[];
  find(id: string): FinishedReport | undefined;
  /** Saves a unit in the folder of copies. Resolves to the reason if it never can be. */
  save(save: PendingSaveRequest): Promise<string | undefined>;
  /** Another process found that a source has changed. */
  health(change: HealthChange): void;
  /** Accepts no more requests of clients; resolves once the running ones have ended. */
  stop(timeoutMs: number): Promise<void>;
  /** Closes everything, and ends the process. No worker answers clients any more. */
  end(): void;
}

/** What a worker asks the master for. */
export interface MasterCalls {
  /** Notes save requests. Resolves once they are written. */
  append(saves: readonly SaveRequest[]): Promise<void>;
  /** A copy was used, one of so many bytes was made. */
  used(copy: { readonly key: string; readonly path: string }): void;
  taken(bytes: number): void;
  health(change: HealthChange): void;
  refreshed(refresh: Refresh): void;
  /** What was counted for the report, since the last time. */
  worth(day: Day): void;
  /** Once a second, and several times a second while somebody looks. */
  sums(sums: ProcessSums): void;
  news(news: ProcessNews): void;
  /** Resolves once there is a place at a source that limits its transfers. */
  enter(wanted: WantedPlace): Promise<void>;
  /** Gives the place back, or leaves the queue for it. */
  leave(id: number): void;
}

export interface WantedPlace {
  readonly id: number;
  readonly holder: string;
  /** The number of places. */
  readonly places: number;
  /** The client that it is for. */
  readonly owner: string;
}
