import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { saveLimitOf } from '../../../src/app/save-limit.ts';
import { temporaryFolders } from '../../support/folder.ts';

const folder = temporaryFolders();

describe('saveLimitOf', () => {
  it('is a share of the disk that the folder is on, or will be', () => {
    const above = folder();
    const { blocks, bsize } = statfsSync(above);
    expect(saveLimitOf({ saveLimit: { share: 0.25 }, saveDir: join(above, 'not', 'yet'), saveUrl: '' })).toBe(
      Math.floor(0.25 * blocks * bsize),
    );
  });

  it('is a number of bytes as it is, and no limit if it is 0', () => {
    expect(saveLimitOf({ saveLimit: 5, saveDir: '/nowhere', saveUrl: '' })).toBe(5);
    expect(saveLimitOf({ saveLimit: 0, saveDir: '/nowhere', saveUrl: '' })).toBe(0);
  });
});
