import { ERRORS, type ErrorCode, statusOf } from '../../pipelines/model/index.ts';

const INTRODUCTION = `<!-- Generated from pipelines/model/errors.ts by \`npm run docs\`; edit that file, or src/http/errors-docs.ts, instead. -->

# Errors

What a client gets where there is no content for it, and why. The *code* is in the log (\`code\`, and \`attempts\` for what failed on the way),
in \`Proxy-Status\` and on the command line; codes are stable, texts may change.

- Every error has \`Cache-Control: no-store\`: no cache keeps it, and the next request tries anew.
- Its body is one line of text, with the status and the meaning below. It never says where sources are; the log does, without their secrets.
- An error to HEAD has the same header fields, and no body.
- \`503\` has \`Retry-After\`: as long as the source asked for, at most an hour, or 5 seconds.
- After the head, the status is out already: where the body cannot be brought to its right end the connection is reset, and the log has the code.
- A client that leaves before the end is logged with status \`499\`.

## Which of several failures counts

A request fails when each of its sources has failed. Missing files say least: \`404\` is the answer only where every source says that it does
not have the file; missing bytes of a range say little: \`416\` only where nothing else is wrong. Otherwise the last other failure decides, be
it that of an alternate source or of the feed. So a client never takes a source that is down for a file that is gone.

## The table

*Legacy* is the status where \`legacy_errors\` is on: whatever is wrong with the sources is \`404\`, as it was in Pulp 2, still not to be cached.
*Proxy-Status* is the error type of RFC 9209 section 2.3 that the response has; none where the sources themselves gave the answer.

| code | status | legacy | Proxy-Status | meaning | what is tried first |
|---|---|---|---|---|---|
`;

const TRIED = {
  same: 'other sources, then the same (in mid-body the same at once)',
  later: 'other sources, then the same',
  other: 'other sources',
  never: '',
} as const;

const row = (code: ErrorCode): string => {
  const { status, proxyError, meaning, remedy } = ERRORS[code];
  const cells = [
    `\`${code}\``,
    status,
    statusOf(code, true),
    proxyError ? `\`${proxyError}\`` : '',
    meaning,
    TRIED[remedy],
  ];
  return `| ${cells.join(' | ')} |\n`;
};

/** The text of docs/reference/errors.md (Markdown), as it follows from the table of errors. */
export const errorsDocs = (): string => INTRODUCTION + (Object.keys(ERRORS) as ErrorCode[]).map(row).join('');
