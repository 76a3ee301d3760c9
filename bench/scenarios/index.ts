import type { Scenario } from '../bench.ts';
import { beside } from './beside.ts';
import { catalog } from './catalog.ts';
import { doors } from './doors.ts';
import { fleet } from './fleet.ts';
import { imports } from './import.ts';
import { clients, large } from './large.ts';
import { meanwhile } from './meanwhile.ts';
import { mongodb } from './mongodb.ts';
import { objects } from './objects.ts';
import { observed } from './observed.ts';
import { repository } from './repository.ts';
import { saves } from './saves.ts';
import { sick } from './sick.ts';
import { slow } from './slow.ts';
import { garbage, latency, pipelined, small } from './small.ts';
import { start } from './start.ts';
import { streams } from './streams.ts';
import { workers } from './workers.ts';

/** What `npm run bench` measures, in this order. */
export const SCENARIOS = {
  large,
  small,
  pipelined,
  latency,
  garbage,
  clients,
  slow,
  catalog,
  sick,
  start,
  repository,
} satisfies Readonly<Record<string, Scenario>>;

/** Measured only if they are named, since they need other servers or much time. */
export const MORE = {
  beside,
  doors,
  fleet,
  saves,
  import: imports,
  meanwhile,
  mongodb,
  objects,
  observed,
  streams,
  workers,
} satisfies Readonly<Record<string, Scenario>>;
