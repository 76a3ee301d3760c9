// Jest's transform: Node's own type stripping, so that tests run the very code that `node src/cli/main.ts` runs.
// Stripping replaces types by blanks, so lines and columns stay true and no source map is needed.
const { stripTypeScriptTypes } = require('node:module');

module.exports = { process: (source) => ({ code: stripTypeScriptTypes(source) }) };
