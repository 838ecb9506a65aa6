// The limit of the platform: node:http and nothing else.
import { createServer } from 'node:http';

const BODY = JSON.stringify({ ok: true });

const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': BODY.length });
  response.end(BODY);
});
server.listen(0, '127.0.0.1', () => process.stderr.write(`listening at http://127.0.0.1:${server.address().port}\n`));
