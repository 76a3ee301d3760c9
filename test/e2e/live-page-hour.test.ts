import { afterEach, describe, expect, it } from '@jest/globals';
import { Subject } from 'rxjs';
import { pageFiles } from '../../src/app/page-files.ts';
import { eventOf, eventStream, type StreamedEvent } from '../../src/http/admin/event-stream.ts';
import { createAdminServer } from '../../src/http/admin/server.ts';
import type { HttpServer } from '../../src/http/listeners.ts';
import { hasChromium, openPages } from '../support/browser.ts';
import { simulate } from '../support/simulated-frames.ts';

const open = openPages();
let server: HttpServer | undefined;
afterEach(() => server?.stop(0));

const FRAMES_A_MINUTE = 240;
/** That the page shows at most. */
const STREAMS = 24;

const suite = hasChromium ? describe : describe.skip;

suite('the live page in Chromium', () => {
  it('keeps its heap and its number of nodes flat for an hour of events', async () => {
    const events = new Subject<StreamedEvent>();
    server = createAdminServer({ endpoints: [...pageFiles(), eventStream('/events', events)] });
    const [address] = await server.listen([{ host: '127.0.0.1', ipv6Only: false }], 0);
    const page = await open(`http://127.0.0.1:${address?.port}/`);
    const browser = await page.context().newCDPSession(page);
    const simulation = simulate();

    const pass = async (minutes: number) => {
      for (let frame = 0; frame < minutes * FRAMES_A_MINUTE; frame += 1) {
        const json = JSON.stringify(simulation.next());
        events.next({
          frame: eventOf('frame', json),
          snapshot: () => eventOf('snapshot', JSON.stringify(simulation.snapshot())),
        });
        if (frame % 8 === 0) await new Promise(setImmediate);
      }
    };
    const measure = async () => {
      await browser.send('HeapProfiler.collectGarbage');
      const [{ usedSize }, { nodes, jsEventListeners }] = [
        await browser.send('Runtime.getHeapUsage'),
        await browser.send('Memory.getDOMCounters'),
      ];
      return { usedSize, nodes, jsEventListeners };
    };
    const shown = async (text: RegExp) => {
      // What the page could not keep up with is made up for by a snapshot of the next frame.
      const status = page.locator('#status').filter({ hasText: text });
      // A page that is busy may show the time before the streams.
      while ((await status.count()) === 0 || (await page.locator('#streams li').count()) < STREAMS) {
        await pass(1 / FRAMES_A_MINUTE);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };

    // Longer than anything is remembered.
    await pass(8);
    await shown(/up 8 min/);
    const first = await measure();
    await pass(60);
    await shown(/up 68 min/);
    const last = await measure();
    expect(last.usedSize).toBeLessThan(first.usedSize * 1.25);
    expect(last.nodes).toBeLessThan(first.nodes * 1.1 + 100);
    expect(last.jsEventListeners).toBeLessThanOrEqual(first.jsEventListeners + 20);
    expect(await page.locator('#streams li').count()).toBeLessThanOrEqual(STREAMS);
  });
});
