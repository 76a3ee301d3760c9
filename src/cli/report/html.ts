import { sayBytes } from '../../observe/live/model/format.ts';
import type { Summary } from './summary.ts';
import { share, type Table, tablesOf } from './tables.ts';

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? '').replace(/\p{Cc}/gu, '\u{fffd}');

const STYLE = `
:root { color-scheme: light dark; --ink: #1d2430; --soft: #667085; --line: #d8dee8; --page: #fff; --saved: #1f7a5c; --fetched: #d08a2e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #98a2b3; --line: #344054; --page: #14181f; --saved: #4fb892; --fetched: #e0a755; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; } p { margin: .25rem 0; color: var(--soft); }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: 1rem; margin: 1.5rem 0; }
dl div { border-top: 3px solid var(--line); padding-top: .5rem; } dl div.main { border-color: var(--saved); }
dt { color: var(--soft); } dd { margin: 0; font-size: 1.5rem; font-variant-numeric: tabular-nums; } dd small { display: block; font-size: .85rem; color: var(--soft); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; } td, th { padding: .3rem .5rem; border-bottom: 1px solid var(--line); text-align: right; }
td:first-child, th:first-child { text-align: left; overflow-wrap: anywhere; } th { color: var(--soft); font-weight: normal; }
svg { width: 100%; height: auto; } svg text { fill: var(--soft); font-size: 11px; } .saved { fill: var(--saved); } .fetched { fill: var(--fetched); } .axis { stroke: var(--line); }
.key span { display: inline-block; width: .8em; height: .8em; margin: 0 .4em 0 1em; } .key .saved { background: var(--saved); margin-left: 0; } .key .fetched { background: var(--fetched); }
`;

const WIDTH = 900;
const HEIGHT = 240;
const [TOP, LEFT, BOTTOM] = [10, 64, 24];

/** A bar for each day: what was fetched below, and what was saved above it. */
const chart = (days: Summary['days']): string => {
  const most = Math.max(1, ...days.map(({ served, fetched }) => Math.max(served, fetched)));
  const step = (WIDTH - LEFT) / days.length;
  const heightOf = (bytes: number) => ((HEIGHT - BOTTOM - TOP) * bytes) / most;
  const every = Math.ceil(days.length / 10);
  const bars = days.map(({ day, served, fetched }, index) => {
    const x = (LEFT + (index + 0.12) * step).toFixed(1);
    const bar = (name: string, from: number, bytes: number) =>
      bytes > 0
        ? `<rect class="${name}" x="${x}" y="${(HEIGHT - BOTTOM - heightOf(from + bytes)).toFixed(1)}" width="${(step * 0.76).toFixed(1)}" height="${heightOf(bytes).toFixed(1)}"/>`
        : '';
    const label = index % every === 0 ? `<text x="${x}" y="${HEIGHT - 6}">${day.slice(5)}</text>` : '';
    const title = `<title>${day}: served ${sayBytes(served)}, fetched ${sayBytes(fetched)}</title>`;
    return `<g>${title}${bar('fetched', 0, fetched)}${bar('saved', fetched, served - fetched)}${label}</g>`;
  });
  const lines = [0, 0.5, 1].map((part) => {
    const y = HEIGHT - BOTTOM - heightOf(part * most);
    return `<line class="axis" x1="${LEFT}" x2="${WIDTH}" y1="${y}" y2="${y}"/><text x="${LEFT - 6}" y="${y + 4}" text-anchor="end">${sayBytes(part * most)}</text>`;
  });
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Bytes by day: saved, and fetched from feeds">${lines.join('')}${bars.join('')}</svg>`;
};

const row = (tag: 'th' | 'td', cells: readonly string[]): string =>
  `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;

const tableAsHtml = ({ title, head, rows }: Table): string =>
  `<h2>${title}</h2><table><thead>${row('th', head)}</thead><tbody>\n${rows.map((cells) => `${row('td', cells)}\n`).join('')}</tbody></table>`;

const tile = (name: string, value: string, remark: string, kind = ''): string =>
  `<div class="${kind}"><dt>${name}</dt><dd>${value}<small>${remark}</small></dd></div>`;

/** A summary as one page that needs nothing else, and loads nothing. */
export const reportAsHtml = (summary: Summary): string => {
  const { from, to, total, saved, days } = summary;
  const { requests, failed, rescued, served, kept, fetched } = total;
  const tiles = [
    tile('Saved on the line', sayBytes(saved), `${share(saved, served)} of what clients got`, 'main'),
    tile('Served', sayBytes(served), `${requests} requests, ${sayBytes(kept)} from saved copies`),
    tile('Fetched', sayBytes(fetched), 'from feeds and mirrors'),
    tile('Rescued', String(rescued), 'transfers whose source had failed'),
    tile('Failed', String(failed), `${share(failed, requests)} of all requests`),
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>pulp-streamer: ${from} to ${to}</title><style>${STYLE}</style></head><body>
<h1>What pulp-streamer was worth</h1><p>${from} to ${to}, days in UTC</p>
<dl>${tiles.join('')}</dl>
<h2>By day</h2><p class="key"><span class="saved"></span>saved<span class="fetched"></span>fetched</p>${chart(days)}
${tablesOf(summary).map(tableAsHtml).join('\n')}
</body></html>
`;
};
