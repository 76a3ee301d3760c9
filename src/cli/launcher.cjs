#!/usr/bin/env node
// The package's command. It needs no other file to say which Node is missing, so every Node must be
// able to parse it: its syntax is that of ES5.
'use strict';

// First of all: with a listener, SIGUSR1 no longer makes Node open its debugger, through which any
// local user could run code as the daemon's user (docs/explanation/decisions/debugger.md).
process.on('SIGUSR1', function ignore() {});

// The first process of a container: without a listener the kernel does not end it. A command that
// has its own listener decides itself.
if (process.pid === 1)
  [
    ['SIGINT', 130],
    ['SIGTERM', 143]
  ].forEach(function (ending) {
    process.on(ending[0], function end() {
      if (process.listenerCount(ending[0]) === 1) process.exit(ending[1]);
    });
  });

// A reader that closes our output early, such as `head`, is not a failure.
process.stdout.on('error', function failed(error) {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

/** As `engines` in package.json. */
var NEEDED = 24;
var words = process.argv.slice(2);

if (words.length === 1 && /^(version|--version|-V)$/.test(words[0])) {
  process.stdout.write(require('../../package.json').version + '\n');
} else if (parseInt(process.versions.node, 10) < NEEDED) {
  process.stderr.write(
    'pulp-streamer needs Node ' +
      NEEDED +
      ' or later; this is Node ' +
      process.versions.node +
      ', ' +
      process.execPath +
      ' (see https://nodejs.org/en/download)\n'
  );
  process.exitCode = 1;
} else if (words.length === 2 && words[0] === 'completion' && /^(bash|zsh)$/.test(words[1])) {
  process.stdout.write(require('node:fs').readFileSync(__dirname + '/completion.' + words[1], 'utf8'));
} else {
  require('./main.ts').main();
}
