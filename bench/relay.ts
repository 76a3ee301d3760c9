import { basename, join } from 'node:path';
import { packageRoot } from '../src/app/version.ts';
import type { ServerProcess } from './machine.ts';
import type { Origin } from './origin.ts';

/**
 * Where a relay takes a file from, as the first segment of its path. `http` and `https`: the feeds.
 * `file`: a folder. `kept`: the feed, with a copy kept for the next time. `verified`: the feed, with
 * a checksum in the catalog; only the product has it.
 */
export type Route = 'http' | 'https' | 'file' | 'kept' | 'verified';

/** A file as a client requests it. */
export interface Asked {
  readonly url: string;
  /** Its length and content follow from this. */
  readonly name: string;
}

/** A server that relays files. */
export interface Relay extends ServerProcess {
  /** As in ratios. */
  readonly id: string;
  readonly name: string;
  readonly routes: readonly Route[];
  /** The next path that nobody has requested. Throws if the product’s catalog has no more. */
  fresh(route: Route, size: number): Asked;
}

/** How many fresh paths the product’s catalog has of a route and a size. */
export interface Supply {
  readonly route: Route;
  readonly size: number;
  readonly count: number;
}

export interface RelayOptions {
  readonly folder: string;
  readonly origin: Origin;
  readonly core: number | undefined;
  /** The product’s script. */
  readonly main: string;
  readonly supplies: readonly Supply[];
  /** Files on disk, by their size. */
  readonly disk: ReadonlyMap<number, number>;
  /** Clients at the same time. Default: 1,000. */
  readonly clients?: number;
  /** Whether the product has no limits on numbers, which protect a machine. Default: as shipped. */
  readonly unlimited?: boolean;
  /** Whether the product is started without peers. */
  readonly alone?: boolean;
  /** Processes with which the product answers. Default: 1. */
  readonly workers?: number;
}

export const diskName = (size: number, number: number): string => `${size}-disk-${number}`;

/** Adds the names to a server. `supply` throws if there is no file of this number. */
export const relayOf = (
  server: ServerProcess,
  own: Pick<Relay, 'id' | 'name' | 'routes'>,
  options: RelayOptions,
  supply: (route: Route, size: number, number: number) => void = () => {},
): Relay => {
  const next = new Map<string, number>();
  return {
    ...server,
    ...own,
    fresh: (route, size) => {
      const kind = `${route} ${size}`;
      const number = next.get(kind) ?? 0;
      next.set(kind, number + 1);
      supply(route, size, number);
      const { name, path } = fileOf(options, own.id, route, size, number);
      return { name, url: server.url + path };
    },
  };
};

/**
 * No two relays have a path in common, not even those of different folders. A file on disk has many
 * paths, since each is requested once only.
 */
export const fileOf = (
  { folder, disk }: RelayOptions,
  id: string,
  route: Route,
  size: number,
  number: number,
): { readonly name: string; readonly path: string } => {
  if (route === 'file') {
    const name = diskName(size, number % (disk.get(size) ?? 1));
    return { name, path: `/file/${name}/${number}` };
  }
  const name = `${size}-${basename(folder)}-${id}-${route}-${number}`;
  return { name, path: `/${route}/${name}` };
};

/** With `gauge.ts`, so that its garbage can be measured. */
export const onNode = (script: string, ...args: readonly string[]): readonly string[] => [
  process.execPath,
  '--import',
  join(packageRoot, 'bench/contenders/gauge.ts'),
  script,
  ...args,
];

export const contender = (file: string): string => join(packageRoot, 'bench/contenders', file);
