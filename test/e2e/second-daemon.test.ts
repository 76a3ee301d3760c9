import { describe, expect, it } from '@jest/globals';
import { temporaryFolders } from '../support/folder.ts';
import { processes } from '../support/processes.ts';
import { makeSite } from '../support/site.ts';

const start = processes();
const folder = temporaryFolders();

describe('a second daemon', () => {
  it('is refused on the state folder of a running one, and starts once that was killed', async () => {
    const site = makeSite(start, folder());
    const first = await site.serve();
    const { status, stderr } = await site.start('serve').ended;
    expect(status).toBe(1);
    expect(stderr).toContain(`state_dir: another pulp-streamer is using ${site.stateDir}`);
    expect((await fetch(`${first.url}/unknown`)).status).toBe(404);
    first.kill('SIGKILL');
    await first.ended;
    const second = await site.serve();
    expect((await fetch(`${second.url}/unknown`)).status).toBe(404);
    expect(await second.stop()).toMatchObject({ status: 0, stderr: '' });
  });

  it('does not keep commands from the state folder', async () => {
    const site = makeSite(start, folder());
    const daemon = await site.serve();
    await site.run('catalog', 'add', '/x', 'http://127.0.0.1:1/x');
    expect(await site.run('explain', '/x')).toContain('http://127.0.0.1:1/x');
    expect(await site.run('saves', 'list')).toBe('');
    expect(await daemon.stop()).toMatchObject({ status: 0, stderr: '' });
  });
});
