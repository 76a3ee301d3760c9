import { ERRORS, type ErrorCode } from '../../pipelines/model/index.ts';
import { ADVICE } from './error-advice.ts';

const INTRODUCTION = `<!-- Generated from src/http/error-advice.ts by \`npm run docs\`; edit that file, or troubleshooting-docs.ts in its folder, instead. -->

# Troubleshoot

## Find the cause

1. **Take the request's \`id\`.** Each response has it in \`X-Request-Id\`, and \`Proxy-Status\` has the code of the error.
2. **Read its line in the log.** \`code\` and \`error\` state the failure, \`attempts\` lists each source with its URL and its own failure
   ([Log fields](../reference/log-fields.md)).
3. **Look up the code below.** It leads to the cause and to a remedy. [Errors](../reference/errors.md) has the same codes as a table.

These commands show more. Of a followed repository, \`explain\` and \`fetch\` read what is due, as a request does:

| question | command |
|---|---|
| Where would the file come from, and is a source cooling down? | \`pulp-streamer explain PATH\` |
| Does the transfer work without the server and the cache? | \`pulp-streamer fetch -o /tmp/file PATH\` |
| Which alternate sources are fresh, stale or cooling down? | \`pulp-streamer sources list\` |
| Which settings apply, and where does each come from? | \`pulp-streamer check-config --print\` |
| What is wrong with this site, and what is to be done ([doctor](control.md#what-is-wrong-and-what-to-do))? | \`pulp-streamer doctor\` |
| Can database, broker, folders and feeds be reached? | \`pulp-streamer check-config --deep\` |
| Which saves are pending, and why? | \`pulp-streamer saves list\` |

## Problems without an error code

| symptom | cause and remedy |
|---|---|
| Clients still get an old state of a followed repository | \`pulp-streamer catalog list\` has the reason of the last failure, \`pulp-streamer catalog refresh PREFIX\` tries again ([Follow a feed](follow-feeds.md#when-the-feed-changes)). |
| The connection is reset during the body | The last source failed after the head was sent, or the content was wrong. The log line of the request has the code. |
| A client gets an error, and the streamer's log has no line | The request did not reach the streamer. Look at the proxy in front and its log. |
| Clients still get the old file | A cache keeps it for \`cache_timeout\`. Remove it from the cache, or lower the setting for the future. |
| Everything is 404 after Pulp's streamer was replaced | \`catalog_type\` is not \`mongodb\`, or \`redirect_path\` differs: see [Replace Pulp 2's streamer](replace-pulp2.md). |
| dnf or apt reports a wrong checksum | The metadata is newer than the packages in a cache, or the reverse. Import the repository again, then clear the client's cache. |
| \`serve\` ends with status 78 | The configuration is invalid; the message names file, line and expected values. |
| \`files were accessible to other users, permissions removed\` in the log | An earlier version or another program made files with wider modes. They are private now; SECURITY.md has the rule. |

## Error codes
`;

const section = (code: ErrorCode): string => {
  const { status, meaning } = ERRORS[code];
  const { look, act } = ADVICE[code];
  const sentence = `${meaning.charAt(0).toUpperCase()}${meaning.slice(1)}`;
  return [`### \`${code}\``, '', `Status ${status}. ${sentence}.`, '', `- Look at: ${look}`, `- Do: ${act}`, ''].join(
    '\n',
  );
};

/**
 * The text of docs/how-to/troubleshoot.md (Markdown): how to find and remove the cause of each
 * error.
 */
export const troubleshootingDocs = (): string =>
  [INTRODUCTION, ...(Object.keys(ERRORS) as ErrorCode[]).map(section)].join('\n');
