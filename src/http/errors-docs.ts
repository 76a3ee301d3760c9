import { ERRORS, type ErrorCode, statusOf } from '../../pipelines/model/index.ts';

const INTRODUCTION = `<!-- Generated from pipelines/model/errors.ts by \`npm run docs\`; edit that file, or src/http/errors-docs.ts, instead. -->

# Errors

The answers of the streamer if there is no content, and their causes. The *code* is in the log (\`code\`; \`attempts\` has the code of each
failed attempt), in \`Proxy-Status\` and on the command line. Codes are stable, texts may change.
[Troubleshoot](../how-to/troubleshoot.md) has a remedy for each code.

- Every error has \`Cache-Control: no-store\`. No cache keeps it, and the next request tries again.
- Its body is one line of text, with the status and the meaning below. It never shows where sources are. The log does, without
  their secrets.
- An error to HEAD has the same header fields, and no body.
- \`503\` has \`Retry-After\`: the time that the source asked for, at most an hour; 5 seconds if the source asked for none.
- After the head, the status has been sent already. If the body cannot be completed, the connection is reset, and the log has the code.
- A client that leaves before the end is logged with status \`499\`.

## If several sources fail

A request fails if each of its sources has failed. The answer is \`404\` only if every source reports that it does not have the file. It
is \`416\` only if nothing else is wrong. In all other cases the last other failure decides, whether it came from an alternate source or
from the feed. So a client never mistakes a source that is down for a file that is gone.

## The table

*Legacy* is the status if \`legacy_errors\` is on: every failure of the sources is \`404\`, as in Pulp 2, and still not cacheable.
*Proxy-Status* is the error type of RFC 9209 section 2.3 in the response. It is empty if the sources themselves gave the answer.

| code | status | legacy | Proxy-Status | meaning | what is tried first |
|---|---|---|---|---|---|
`;

const TRIED = {
  same: 'other sources, then the same (during the body: the same at once)',
  later: 'other sources, then the same',
  other: 'other sources',
  never: '',
} as const;

const row = (code: ErrorCode): string => {
  const { status, proxyError, meaning, remedy } = ERRORS[code];
  const cells = [
    `[\`${code}\`](../how-to/troubleshoot.md#${code.toLowerCase()})`,
    status,
    statusOf(code, true),
    proxyError ? `\`${proxyError}\`` : '',
    meaning,
    TRIED[remedy],
  ];
  return `| ${cells.join(' | ')} |\n`;
};

/** The text of docs/reference/errors.md (Markdown), generated from the table of errors. */
export const errorsDocs = (): string => INTRODUCTION + (Object.keys(ERRORS) as ErrorCode[]).map(row).join('');
