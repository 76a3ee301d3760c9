import type { Observable } from 'rxjs';
import { type Chunk, type Head, type Note, report, type StreamEvent } from '../../pipelines/index.ts';
import { under } from '../../pipelines/operators/flow.ts';
import { OPEN, type Valve } from '../../pipelines/operators/valve.ts';
import type { Asked, Traffic } from '../../src/observe/live/traffic.ts';
import { aRequest } from './pipeline.ts';

/** The events of a request, and the last one with its report. It runs while they have a subscriber. */
export const entered = (
  traffic: Traffic,
  { valve = OPEN, ...asked }: Asked & { readonly valve?: Valve },
  events: Observable<Head | Chunk | Note>,
): Observable<StreamEvent> =>
  events.pipe(under(valve, report(aRequest(asked), { watch: (progress) => traffic.enter(asked, progress) })));
