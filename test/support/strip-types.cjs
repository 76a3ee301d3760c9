// Jest's transform: Node's type stripping, so that tests run the same code as `node
// src/cli/launcher.cjs`. Stripping replaces types by blanks, so lines and columns stay correct and no
// source map is needed.
const { stripTypeScriptTypes } = require('node:module');

module.exports = { process: (source) => ({ code: stripTypeScriptTypes(source) }) };
