import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import * as rxjs from 'rxjs';
import * as rxjs8 from 'rxjs8';

/** Set by jest.rxjs8.config.js; otherwise it is the release that is installed with the product. */
const is8 = 'RXJS_8' in globalThis;

const PROGRAM = "console.log((await import('rxjs')).Observable === (await import('rxjs8')).Observable)";

describe('the release of RxJS', () => {
  it('that runs these tests is the one of the configuration', () => {
    expect(rxjs.Observable === (rxjs8.Observable as unknown)).toBe(is8);
  });

  it('is the same in programs that tests start', () => {
    const said = execFileSync(process.execPath, ['--input-type=module', '--eval', PROGRAM], { encoding: 'utf8' });
    expect(said).toBe(`${is8}\n`);
  });
});
