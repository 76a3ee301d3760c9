/** `npm run screenshots`: pictures of the live page, by Debian's Chromium, of a scene on loopback. */
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { playScene } from './scene.ts';

/** Seconds after which the scene has something of everything. */
const SCENE = 29;
const folder = join(import.meta.dirname, '../../docs/pictures');

const scene = await playScene();
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  const page = await browser.newPage({ viewport: { width: 1320, height: 970 } });
  page.on('console', (message) => process.stderr.write(`${message.text()}\n`));
  page.on('pageerror', (error) => process.stderr.write(`${error.stack}\n`));
  await page.goto(scene.url);
  await page.waitForTimeout(SCENE * 1000);
  // The same moment in all pictures.
  await page.keyboard.press(' ');
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.waitForTimeout(300);
    await page.screenshot({ path: join(folder, `live-${colorScheme}.png`) });
  }
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.keyboard.press(' ');
  await page.setViewportSize({ width: 390, height: 844 });
  await page.waitForTimeout(1500);
  await page.screenshot({ path: join(folder, 'live-phone.png') });
} finally {
  await browser.close();
  await scene.stop();
}
