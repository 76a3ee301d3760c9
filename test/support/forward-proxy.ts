import { request as ask, createServer, type RequestListener, type Server } from 'node:http';
import { connect } from 'node:net';

/**
 * A forward proxy for http and, through tunnels, https. It requires a password if one is given, and
 * records its requests.
 */
export const forwardProxy = (wanted?: {
  readonly username: string;
  readonly password: string;
}): { readonly server: Server; readonly asked: readonly string[] } => {
  const authorization = wanted && `Basic ${Buffer.from(`${wanted.username}:${wanted.password}`).toString('base64')}`;
  const mayPass = (given: string | undefined) => authorization === undefined || given === authorization;
  const asked: string[] = [];
  const forward: RequestListener = (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    if (!mayPass(request.headers['proxy-authorization'])) return response.writeHead(407).end();
    return ask(request.url ?? '', (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    }).end();
  };
  const server = createServer(forward).on('connect', (request, socket) => {
    asked.push(`${request.method} ${request.url}`);
    if (!mayPass(request.headers['proxy-authorization'])) return socket.end('HTTP/1.1 407 No\r\n\r\n');
    const [host, port] = request.url?.split(':') ?? [];
    const far = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      far.pipe(socket).pipe(far);
    });
    far.on('error', () => socket.destroy());
    socket.on('error', () => far.destroy());
    return undefined;
  });
  return { server, asked };
};
