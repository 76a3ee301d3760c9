import type { Observable } from 'rxjs';
import { ADMIN_HEADERS, type Endpoint, respond } from './endpoint.ts';

/** One event as bytes, the same for all viewers. */
export interface StreamedEvent {
  readonly frame: Uint8Array;
  /** What a viewer gets instead that has missed events, or none so far. */
  readonly snapshot: () => Uint8Array;
}

/** Viewers at a time. */
const VIEWERS = 64;

/** One server-sent event (the HTML standard, section 9.2). `data` must be one line. */
export const eventOf = (name: string, data: string): Uint8Array => Buffer.from(`event: ${name}\ndata: ${data}\n\n`);

/**
 * Sends events to everybody who asks, as long as they stay. While a viewer's connection is full, its
 * events are dropped; the next one after that is a snapshot. So no viewer takes memory.
 */
export const eventStream = (path: string, events: Observable<StreamedEvent>, limit = VIEWERS): Endpoint => {
  let viewers = 0;
  return {
    path,
    answer: (req, res) => {
      if (viewers >= limit) return respond(res, [503, `${limit} viewers are connected already`]);
      res.writeHead(200, { ...ADMIN_HEADERS, 'Content-Type': 'text/event-stream' });
      if (req.method === 'HEAD') {
        res.end();
        return;
      }
      viewers += 1;
      let missed = true;
      let full = false;
      const seeing = events.subscribe({
        next: (event) => {
          if (full) {
            missed = true;
            return;
          }
          full = !res.write(missed ? event.snapshot() : event.frame);
          missed = false;
        },
        // The browser connects again.
        error: () => res.destroy(),
        complete: () => res.end(),
      });
      res.on('drain', () => {
        full = false;
      });
      res.on('close', () => {
        viewers -= 1;
        seeing.unsubscribe();
      });
    },
  };
};
