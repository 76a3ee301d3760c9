import { get } from 'node:http';
import { Observable } from 'rxjs';
import { applyFrame, applySnapshot, emptyState, type LiveState } from '../../observe/live/model/state.ts';

/** Milliseconds in which a listener must answer, and the pause between two events at most. */
const SILENCE = 10_000;

/**
 * The state of the daemon whose admin listener this is, after each frame; always the same object.
 * Errors if the connection fails or ends. Unsubscribing closes it.
 */
export const watchDaemon = (origin: string): Observable<LiveState> =>
  new Observable((out) => {
    const state = emptyState();
    let rest = '';
    const take = (event: string) => {
      const [, name, data = ''] = /^event: (\w+)\ndata: (.*)$/s.exec(event) ?? [];
      if (name === 'snapshot') applySnapshot(state, JSON.parse(data));
      else if (name === 'frame') applyFrame(state, JSON.parse(data));
      if (name) out.next(state);
    };
    const request = get(new URL('/events', origin), { agent: false, timeout: SILENCE }, (response) => {
      if (response.statusCode !== 200)
        return out.error(
          new Error(`${origin} answered ${response.statusCode}; expected the live page of pulp-streamer`),
        );
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        const events = (rest + text).split('\n\n');
        rest = events.pop() ?? '';
        for (const event of events) take(event);
      });
      response.on('error', (error) => out.error(error));
      return response.on('end', () => out.error(new Error('the daemon has ended the connection')));
    });
    request.on('timeout', () => request.destroy(new Error(`${origin} has sent nothing for ${SILENCE / 1000} s`)));
    request.on('error', (error: NodeJS.ErrnoException) =>
      out.error(
        error.code === 'ECONNREFUSED'
          ? new Error(`nothing listens at ${origin}; expected a running daemon with this admin_port`)
          : error,
      ),
    );
    return () => request.destroy();
  });
