import type { Command } from 'commander';
import { elementAt, firstValueFrom } from 'rxjs';
import { ConfigError } from '../../config/config-error.ts';
import { settingsOf, withSettings } from '../settings.ts';
import { drawScreen, type Screen } from './draw.ts';
import { watchDaemon } from './events.ts';

const SPANS: Readonly<Record<string, number>> = { '1': 10_000, '2': 30_000, '3': 300_000 };
/** The size of what is printed without a terminal. */
const PAPER = { columns: 120, rows: 60 };
/** Frames until the figures of a second are known. */
const LOOKS = 8;

export const addTop = (top: Command): void => {
  withSettings(top, ['adminPort']);
  top
    .option('--url <url>', 'the admin listener. Default: localhost with the admin_port of the settings')
    .option('--once', 'look for two seconds, print what was seen, and end; as without a terminal')
    .action(async ({ url, once }: { url?: string; once?: boolean }, command: Command) => {
      const origin = url ?? originOf(settingsOf(command).settings.adminPort);
      if (once || !process.stdout.isTTY) return printOnce(origin);
      return show(origin);
    });
};

const originOf = (port: number): string => {
  if (port === 0)
    throw new ConfigError(['admin_port is 0: expected the port of a running daemon, for example --admin-port 8752']);
  return `http://localhost:${port}`;
};

const printOnce = async (origin: string): Promise<void> => {
  const state = await firstValueFrom(watchDaemon(origin).pipe(elementAt(LOOKS)));
  const coloured = false;
  const { lines } = drawScreen(state, { ...PAPER, coloured, span: 30_000, onlyEventful: false, shown: [] });
  process.stdout.write(`${lines.join('\n').trimEnd()}\n`);
};

/** Its own screen and no cursor, and back. */
const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';

/** Draws until `q` or the end of the connection. */
const show = (origin: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const { stdin, stdout } = process;
    let view: Omit<Screen, 'columns' | 'rows'> = {
      ...{ span: 30_000, onlyEventful: false, shown: [] },
      coloured: !process.env.NO_COLOR,
    };
    let draw = () => {};
    const over = (error?: unknown) => {
      watching.unsubscribe();
      stdout.off('resize', resized);
      stdin.off('data', pressed).pause();
      if (stdin.isTTY) stdin.setRawMode(false);
      stdout.write(LEAVE);
      if (error === undefined) resolve();
      else reject(error);
    };
    const resized = () => draw();
    const pressed = (keys: Buffer) => {
      for (const key of keys.toString()) {
        // Raw mode delivers Ctrl-C as a character.
        if (key === 'q' || key === '\x03') return over();
        view = { ...view, span: SPANS[key] ?? view.span };
        if (key === 'e') view = { ...view, onlyEventful: !view.onlyEventful };
      }
      return draw();
    };
    stdout.write(ENTER);
    if (stdin.isTTY) stdin.setRawMode(true);
    stdin.on('data', pressed);
    stdout.on('resize', resized);
    const watching = watchDaemon(origin).subscribe({
      next: (state) => {
        draw = () => {
          const { columns, rows } = stdout;
          const { lines, shown } = drawScreen(state, { ...view, columns, rows });
          view = { ...view, shown };
          const keys = 'q quit · e eventful · 1 2 3 for 10 s, 30 s, 5 min';
          stdout.write(`\x1b[H${[...lines, keys.slice(0, columns)].map((line) => `${line}\x1b[K`).join('\r\n')}\x1b[J`);
        };
        draw();
      },
      error: over,
    });
  });
