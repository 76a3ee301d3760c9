import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import type { SettingOptions } from '../../src/app/from-settings.ts';
import { hasChromium, openPages } from '../support/browser.ts';
import { ask, readWhole } from '../support/clients.ts';
import { digestOf } from '../support/collect.ts';
import { closedPort } from '../support/feeds.ts';
import { liveSites, rowOf, shows } from '../support/live-site.ts';
import { passOnTo } from '../support/pass-on.ts';
import { itWithBroker, rabbitMq } from '../support/rabbitmq.ts';
import { until } from '../support/until.ts';

const open = openPages();
const startSite = liveSites();
const start = (options: SettingOptions = {}) => startSite({ dispatch: 'none', spillLimit: 0, ...options });

const broker = rabbitMq();

const suite = hasChromium ? describe : describe.skip;

suite('the live page in Chromium', () => {
  it('shows a stream that pauses, fails over in mid-body and ends, with a sentence for screen readers', async () => {
    // Its cooldown must not be over before the test looks.
    const { admin, url, dying, whole, body, offer } = await start({ cooldown: 300 });
    offer('/el9/big.iso');
    dying.hold();
    const page = await open(admin);
    await shows(page, '#status', /^ready/);
    await shows(page, '#empty', /No streams/);

    const response: IncomingMessage = await ask(`${url}/el9/big.iso?secret=1`, { 'X-Forwarded-For': '192.0.2.7' });
    response.pause();
    await rowOf(page, 'big.iso.*running').waitFor();
    await shows(page, '#streams .word', /^PAUSED \d+ % of the time/);
    await shows(page, '#tiles li', /Paused by client\s*1/);

    whole.hold();
    const received = readWhole(response);
    dying.cut();
    await shows(page, '#streams .word', /^RESUMED on 127/);
    const row = rowOf(page, 'failed with CONNECTION_LOST; resumed on 127.0.0.1');
    await row.waitFor();
    whole.release();
    expect((await received).sha256).toBe(digestOf(body));
    await shows(page, '#streams .word', /^RESUMED, DONE in/);
    await rowOf(page, 'resumed on .*; done, proven right').waitFor();
    await shows(page, '#tiles li', /Resumed, 5 min\s*1/);
    await shows(page, '#tiles li', /Cut, 5 min\s*0/);
    await shows(page, '#summary', /1 resumed, 0 replaced, 0 cut in the last 5 minutes/);
    await shows(page, '#side .line', /127\.0\.0\.1.*cooling/);
    expect(await page.content()).not.toContain('secret');
  });

  it('shows a body that nobody can complete as cut', async () => {
    const { admin, url, dying, whole, offer } = await start();
    offer('/el9/big.iso');
    for (const feed of [dying, whole]) feed.hold();
    const page = await open(admin);
    const received = readWhole(await ask(`${url}/el9/big.iso`));
    await rowOf(page, 'big.iso').waitFor();
    for (const feed of [dying, whole]) feed.cut();
    await expect(received).rejects.toThrow();
    await shows(page, '#streams .word.bad', /^CUT after 1\d\.\d MiB/);
    await shows(page, '#tiles .bad', /1/);
  });

  itWithBroker('says whether the message broker is there', async () => {
    const port = await closedPort();
    const { admin } = await start({ dispatch: 'celery', brokerUrl: `amqp://127.0.0.1:${port}` });
    const page = await open(admin);
    await shows(page, '#side', /none pending\s*broker: not reached/);
    await shows(page, '#side', /broker: not reached: .*ECONNREFUSED/);
    await shows(page, '#status', /1 not working/);
    const way = createServer(passOnTo(broker().url)).listen(port, '127.0.0.1');
    await once(way, 'listening');
    try {
      await shows(page, '#side', /broker: connected/);
      await shows(page, '#status', /^ready · up [^·]+(· \d+ packages)?$/);
    } finally {
      way.close();
    }
  });

  it('is used by keyboard alone', async () => {
    const { admin, url, dying, offer } = await start();
    for (const name of ['fox', 'owl']) offer(`/el9/${name}.rpm`);
    dying.hold();
    const page = await open(admin);
    for (const name of ['fox', 'owl']) {
      (await ask(`${url}/el9/${name}.rpm`)).resume().on('error', () => {});
      await rowOf(page, name).waitFor();
    }
    const keys = (...all: string[]) =>
      all.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
    await keys('/', ...'fox');
    await rowOf(page, 'owl').waitFor({ state: 'hidden' });
    await keys('ArrowDown', 'Enter');
    await page.getByRole('dialog', { name: '/el9/fox.rpm' }).waitFor();
    expect(page.url()).toContain('#id=');
    await keys('Escape', 'Escape');
    await rowOf(page, 'owl').waitFor();
    expect(page.url()).not.toContain('#id=');

    await keys('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await keys('Escape', '1');
    await shows(page, '#ticks', /−10 s/);
    await keys('3');
    await shows(page, '#ticks', /−5 min/);
    await keys('2', 'e');
    await shows(page, '#empty', /No stream of the last moments fits/);
    await keys('e', ' ');
    await shows(page, '#status', /picture held/);
    dying.release();
    await page.waitForFunction("fetch('/history').then((all) => all.json()).then(({ length }) => length === 2)");
    await shows(page, '#status', /picture held/);
    await rowOf(page, 'fox.rpm.*running').waitFor();
    await keys(' ');
    await rowOf(page, 'fox.rpm.*done').waitFor();
    await keys('h');
    await page.getByRole('dialog', { name: 'Finished requests' }).waitFor();
    await keys('Tab', 'Enter');
    await page.getByRole('dialog', { name: /\/el9\/(fox|owl).rpm/ }).waitFor();
    await shows(page, '#dialog table', /attempt/);
  });

  it('fits a phone, with names for everything, and less motion if that is preferred', async () => {
    const { admin, url, dying, offer } = await start();
    offer('/el9/packages/a-package-with-a-very-long-name-that-does-not-fit-1.2.3-4.el9.noarch.rpm');
    dying.hold();
    const page = await open(admin, {
      viewport: { width: 390, height: 844 },
      reducedMotion: 'reduce',
      colorScheme: 'light',
    });
    const path = '/el9/packages/a-package-with-a-very-long-name-that-does-not-fit-1.2.3-4.el9.noarch.rpm';
    (await ask(url + path)).resume().on('error', () => {});
    await rowOf(page, 'very-long').waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    for (const role of ['heading', 'list', 'searchbox', 'button', 'link'] as const) {
      const all = page.getByRole(role);
      const withName = page.getByRole(role, { name: /./ });
      await until(async () => (await all.count()) > 0 && (await all.count()) === (await withName.count()));
    }
    dying.release();
    await rowOf(page, 'very-long.*done').waitFor();
    // Each dialog opens with an answer of the daemon: only then there is something to tab to.
    for (const [keys, title] of [
      [['h'], 'Finished requests'],
      [['Tab', 'Enter'], path],
    ] as const) {
      for (const key of keys) await page.keyboard.press(key);
      await page.getByRole('dialog', { name: title }).waitFor();
      await page.locator('#dialog tbody tr').first().waitFor();
      expect(
        await page.evaluate(
          "[...document.querySelectorAll('#dialog, #dialog td')].map((one) => one.scrollWidth - one.clientWidth).filter(Boolean)",
        ),
      ).toEqual([]);
    }
  });

  it('cannot be changed by a path, and allows nothing from elsewhere', async () => {
    const { site, admin, url } = await start();
    const page = await open(admin);
    // A stream that ends before the page looks is not among those that it shows.
    await shows(page, '#status', /up /);
    site.list('/el9/<img src=x onerror=alert(1)>', ['http://127.0.0.1:1/']);
    await ask(`${url}/el9/%3Cimg%20src=x%20onerror=alert(1)%3E`);
    await shows(page, '#streams .word', /FAILED/);
    expect(await page.locator('#streams img').count()).toBe(0);
    const response = await fetch(admin);
    expect(response.headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(await response.text()).not.toMatch(/ style=|<style|<script>| on\w+=|https?:/);
  });
});
