#!/usr/bin/env node
// The package's command: the built one of a package, the sources themselves in a clone. ES5, as the launcher.
'use strict';

var sources = __dirname + '/../src/cli/launcher.cjs';
require(require('fs').existsSync(sources) ? sources : '../dist/cli/launcher.cjs');
