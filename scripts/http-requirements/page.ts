import { NOT_OURS } from './not-ours.ts';
import { OF_CLIENTS } from './of-clients.ts';
import { OF_SERVERS } from './of-servers.ts';
import { REFUSALS, type Refusal, THROUGH_A_PROXY } from './refusals.ts';
import type { Requirement, TestOfIt } from './requirement.ts';

/** Of docs/reference/http-requirements.md. */
export const httpRequirementsPage = (): string => `# Requirements of HTTP

RFC 9110 and RFC 9112 place requirements on those who receive messages: on clients and user agents, on servers, and on recipients of either
kind. These tables list each that concerns what the streamer receives, and what it then sends, in other words than the RFCs', with what it
does and the tests that show it. \`%s\` in the name of a test stands for its cases.

The page is made by \`npm run docs\` from \`scripts/http-requirements/\`. A test compares the two, and fails if a named test or case does not
exist or is skipped.

## From feeds

Two clients pass the same tests: the streamer's own for direct feeds, and undici for those behind a proxy. What undici does otherwise is
listed [below](#through-a-proxy).

${requirements(OF_CLIENTS)}

## From clients

${requirements(OF_SERVERS)}

## Refused on purpose

What the RFCs allow to read, or advise to handle in another way. Where two readers could understand a message differently, the streamer
refuses it: it stands between feeds and caches. A refused response counts as \`PROTOCOL_ERROR\`, and the next source is asked.

${refusals(REFUSALS)}

## Through a proxy

What undici does otherwise than the client for direct feeds. What it refuses fails as \`PROTOCOL_ERROR\` or \`CONNECT_FAILED\`, and \`error\`
names the reason. Such a feed can be read directly, or through a proxy that rewrites its answers.

${refusals(THROUGH_A_PROXY)}

## Does not apply

${table(
  ['section', 'required', 'why not'],
  NOT_OURS.map(({ at, required, why }) => [sectionOf(at), required, why]),
)}
`;

const refusals = (rows: readonly Refusal[]): string =>
  table(
    ['section', 'what', 'why', 'tests'],
    rows.map(({ at, what, why, tests }) => [sectionOf(at), what, why, testsOf(tests)]),
  );

const requirements = (rows: readonly Requirement[]): string =>
  table(
    ['section', '', 'required', 'the streamer', 'tests'],
    rows.map(({ at, level, required, ours, tests }) => [sectionOf(at), level, required, ours, testsOf(tests)]),
  );

const table = (titles: readonly string[], rows: readonly (readonly string[])[]): string =>
  [titles, titles.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const sectionOf = (at: string): string => `RFC ${at.replace(' ', ' §')}`;

const testsOf = (tests: readonly TestOfIt[]): string =>
  tests.map(([file, title, name]) => `\`${file}\`: ${quoted(title, name)}`).join('; ');

const quoted = (title: string, name: string | undefined): string =>
  `“${(name === undefined ? title : title.replace(/%[sp]/, name)).replaceAll('|', '\\|')}”`;
