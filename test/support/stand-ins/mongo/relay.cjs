const { spawn } = require('node:child_process');
const { connect, createServer } = require('node:net');

const PORT = 27018;
spawn('/usr/bin/ferretdb', ['/data/db', String(PORT)], { stdio: 'inherit' });
createServer((client) => {
  const server = connect(PORT, '127.0.0.1');
  for (const [one, other] of [
    [client, server],
    [server, client],
  ])
    one.on('error', () => other.destroy()).pipe(other);
}).listen(27017);
