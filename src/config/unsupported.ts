import type { IniFile } from './ini-file.ts';
import { boolean } from './kinds.ts';
import type { Settings } from './schema.ts';

/** Problems for what Pulp's files require and the streamer does not support. */
export const unsupportedIn = (
  files: readonly IniFile[],
  { catalogType, mongodbUrl }: Pick<Settings, 'catalogType' | 'mongodbUrl'>,
): readonly string[] => {
  if (catalogType !== 'mongodb' || mongodbUrl !== '') return [];
  const given = files.flatMap(({ file, sections }) => {
    const found = sections.get('database')?.get('x509_auth');
    return found === undefined ? [] : [{ ...found, file }];
  });
  const last = given.at(-1);
  if (last === undefined || boolean.read(last.value) !== true) return [];
  return [
    `${last.file}:${last.line}: [database] x509_auth: expected no: the streamer logs in to MongoDB by password; for a login by certificate (MONGODB-X509), give it a mongodb_url`,
  ];
};
