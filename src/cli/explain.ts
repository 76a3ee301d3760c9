import type { Command } from 'commander';
import { firstValueFrom } from 'rxjs';
import { type Candidate, sourceName } from '../../pipelines/index.ts';
import { healthFile } from '../app/state-folder.ts';
import { openStreamer } from '../app/streamer.ts';
import { maskUrl } from '../lib/mask.ts';
import { messageOf } from '../lib/thrown.ts';
import { readHealth, type UnhealthySource } from '../observe/health-file.ts';
import { createLogger } from '../observe/log.ts';
import { asJson, oneLine } from './one-line.ts';
import { settingsOf, withSettings } from './settings.ts';

/** A candidate without its secrets. */
const describe = ({ source, url, access = {}, problem, entry }: Candidate, unhealthy: readonly UnhealthySource[]) => ({
  source: sourceName(source),
  url: maskUrl(url),
  revision: entry.revision,
  credentials: [
    ...(access.clientCert && access.clientKey ? ['client certificate'] : []),
    ...(access.ca ? ['own CA'] : []),
    ...(access.basicAuth ? ['basic authentication'] : []),
    ...(access.proxy ? [`proxy ${maskUrl(access.proxy.url)}`] : []),
    ...(access.verifyServer === false ? ['server not verified'] : []),
  ],
  ...(problem && { problem: maskUrl(messageOf(problem)) }),
  ...(entry.unitMissing && { unitMissing: `${entry.unitTypeId} ${entry.unitId}` }),
  ...coolingOf(unhealthy.find((one) => one.source === sourceName(source))),
});

/** Why the daemon tries a source last. */
const coolingOf = (unhealthy: UnhealthySource | undefined) =>
  unhealthy && {
    cooling: {
      until: new Date(unhealthy.until).toISOString(),
      failures: unhealthy.failures,
      error: maskUrl(unhealthy.lastError.message),
    },
  };

const unitOf = ({ entry: { path, unitTypeId, unitId, checksum, size, importerId } }: Candidate) => ({
  path,
  unit: `${unitTypeId} ${unitId}`,
  importer: importerId,
  checksum: checksum && `${checksum.algorithm}:${checksum.value}`,
  size,
});

export const addExplain = (explain: Command): void => {
  withSettings(explain.option('--json', 'print JSON'), [
    'stateDir',
    'catalog',
    'saveDir',
    'contentSourcesDir',
    'logLevel',
  ]).action(async (path: string, options: { json?: boolean }, command: Command) => {
    const { settings } = settingsOf(command);
    const streamer = await openStreamer(settings, createLogger(settings.logLevel, process.stderr), {
      delivering: false,
    });
    try {
      const found = await firstValueFrom(streamer.explain(path));
      const [first] = found;
      if (!first) return;
      const unit = unitOf(first);
      const unhealthy = readHealth(healthFile(settings), Date.now());
      const sources = found.map((candidate) => describe(candidate, unhealthy));
      if (options.json) {
        process.stdout.write(`${asJson({ ...unit, candidates: sources }, 2)}\n`);
        return;
      }
      const write = (line: string) => process.stdout.write(`${oneLine(line)}\n`);
      for (const [name, value] of Object.entries(unit)) if (value !== undefined) write(`${name.padEnd(9)} ${value}`);
      for (const [index, { source, url, credentials, problem, unitMissing, cooling }] of sources.entries()) {
        write(`${String(index + 1).padStart(2)}. ${source}  ${url}`);
        if (credentials.length > 0) write(`    with ${credentials.join(', ')}`);
        if (cooling)
          write(
            `    cools down until ${cooling.until} (tried last) after ${cooling.failures} failures: ${cooling.error}`,
          );
        if (unitMissing) write(`    unit ${unitMissing} is not in Pulp’s database (tried last, never saved)`);
        if (problem) write(`    unusable: ${problem}`);
      }
    } finally {
      await streamer.close();
    }
  });
};
