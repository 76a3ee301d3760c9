import { describe, expect, it } from '@jest/globals';
import { createProcessGroup } from '../support/process-group.ts';
import { lineOf } from '../support/run-process.ts';

const WAITING = ['-e', 'console.log("here"); setInterval(() => {}, 1000)'];

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('the processes of a soak', () => {
  it('all end with it, and what is under way then starts no other', async () => {
    const group = createProcessGroup();
    const first = group.start(process.execPath, WAITING);
    const second = group.start(process.execPath, WAITING);
    await Promise.all([first, second].map((one) => lineOf(one, (line) => line === 'here')));
    // A daemon that was killed, and is to be started again.
    const again = first.ended.then(() => group.start(process.execPath, WAITING));
    again.catch(() => {});
    await group.end();
    await expect(again).rejects.toThrow(`${process.execPath} is started after its group has ended`);
    expect([first, second].map(({ pid }) => isAlive(pid))).toEqual([false, false]);
  });

  it('end by the signal that each of them needs', async () => {
    const group = createProcessGroup();
    const polite = group.start(process.execPath, WAITING, { farewell: 'SIGTERM' });
    const other = group.start(process.execPath, WAITING);
    await group.end();
    expect((await polite.ended).signal).toBe('SIGTERM');
    expect((await other.ended).signal).toBe('SIGKILL');
  });
});
